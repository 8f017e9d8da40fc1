"""One call to a platform: quota, signature, sending, and the retries that are safe.

Only the engine waits and repeats. A connector says what an answer means by raising a fault; what happens then is decided here and in
:mod:`hub.sync.reader`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

from hub.connect import Connector, Context, ContractBroken, Misconfigured, Reauthorise, Request, Response, RetryAt
from hub.connect.faults import Fault
from hub.connect.language import Quota
from hub.errors import ContractBroken as BrokenContract
from hub.errors import FixConfiguration, GrantRevoked, PlatformBusy
from hub.http import Http

R = TypeVar("R")
Gate = Callable[[], Awaitable[None]]


class Bucket:
    """A token bucket and an in-flight limit for one platform in this process."""

    def __init__(self, quota: Quota) -> None:
        self.rate, self.burst = quota.per_second, float(quota.burst)
        self.level, self.at = self.burst, time.monotonic()
        self.in_flight = asyncio.Semaphore(quota.in_flight)

    async def take(self) -> None:
        """Waits for its turn. The level may go below zero: whoever comes later waits longer."""
        now = time.monotonic()
        self.level = min(self.burst, self.level + (now - self.at) * self.rate) - 1
        self.at = now
        if self.level < 0:
            await asyncio.sleep(-self.level / self.rate)


class Calls:
    """Sends requests of connectors. One per process, shared by all runs."""

    def __init__(self, http: Http) -> None:
        self.http = http
        self._buckets: dict[str, Bucket] = {}

    def bucket(self, connector: Connector, config: Mapping[str, str]) -> Bucket:
        """The platform's bucket; an operator's ``quota_per_second`` replaces the manifest's figure."""
        name = connector.manifest.name
        if name not in self._buckets:
            quota = connector.manifest.quota
            if "quota_per_second" in config:
                rate = float(config["quota_per_second"])
                quota = Quota(rate, max(1, int(rate)), int(config.get("quota_in_flight", quota.in_flight)))
            self._buckets[name] = Bucket(quota)
        return self._buckets[name]

    @asynccontextmanager
    async def turn(self, connector: Connector, config: Mapping[str, str]) -> AsyncIterator[None]:
        """Within the platform's quota. What may change while waiting for it (consent, epoch, the time that is signed) is looked at inside."""
        bucket = self.bucket(connector, config)
        await bucket.take()
        async with bucket.in_flight:
            yield

    async def send(self, connector: Connector, config: Mapping[str, str], request: Request) -> Response:
        """One request as it is. Take a :meth:`turn` first."""
        return await self.http.send(base_of(connector, config, request), request)

    async def converse(
        self, connector: Connector, context: Context, dialogue: Generator[Request, Response, R], gate: Gate | None = None
    ) -> R:
        """Drives a sans-I/O dialogue. Its requests are sent once each: a token call that timed out may have rotated the token.

        ``gate`` is asked before each request and raises where it may no longer leave.
        """
        try:
            request = next(dialogue)
            while True:
                async with self.turn(connector, context.config):
                    if gate is not None:
                        await gate()
                    response = await self.send(connector, context.config, request)
                request = dialogue.send(response)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        except Fault as fault:
            raise as_error(connector, fault) from None


def base_of(connector: Connector, config: Mapping[str, str], request: Request) -> str:
    """The base URL of a request: the connector's own, or the one its ``host`` names, as a setting or a host of the manifest.

    A setting may name ``base_url`` instead of a URL. Raises FixConfiguration for a host that nobody declared: a signed request goes nowhere by guess.
    """
    if not request.host:
        return config["base_url"]
    named = config.get(request.host) or connector.manifest.hosts.get(request.host, request.host)
    named = config["base_url"] if named == "base_url" else named
    if not named.startswith(("https://", "http://")):
        raise FixConfiguration(
            f"{connector.manifest.title}: no setting says where {request.host!r} is.", remedy="Set it in connectors.json."
        )
    return named


_ERRORS: Mapping[type[Fault], Callable[[str], Exception]] = {
    Reauthorise: lambda text: GrantRevoked(text),
    RetryAt: lambda text: PlatformBusy(text),
    ContractBroken: lambda text: BrokenContract(text),
    Misconfigured: lambda text: FixConfiguration(text, remedy="Check the connector's settings in connectors.json."),
}


def as_error(connector: Connector, fault: Fault) -> Exception:
    """A fault outside a stream, as an error for a person."""
    text = f"{connector.manifest.title}: {fault.reason}{f' ({fault.code})' if fault.code else ''}."
    return next((make(text) for kind, make in _ERRORS.items() if isinstance(fault, kind)), PlatformBusy(text))
