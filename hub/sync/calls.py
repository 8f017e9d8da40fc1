"""One call to a platform: quota, signature, sending, and the retries that are safe.

The quota is kept in the database for all hosts (:mod:`hub.sync.desk`, :mod:`hub.sync.quota`). Only the engine waits and repeats. A connector says what an answer means by raising a fault; what happens then is decided here and in
:mod:`hub.sync.reader`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from hub.connect import Connector, Context, ContractBroken, Misconfigured, Reauthorise, Request, Response, RetryAt
from hub.connect.dpop import nonce_of, nonce_wanted
from hub.connect.faults import Fault
from hub.connect.message import base_of as base_named
from hub.errors import ContractBroken as BrokenContract
from hub.errors import FixConfiguration, GrantRevoked, PlatformBusy
from hub.http import Http, PlatformUnreachable
from hub.sync.desk import Counter, Turn
from hub.sync.quota import Park

R = TypeVar("R")
Gate = Callable[[], Awaitable[None]]
LATE = 5
"""How often a turn is taken anew because what is looked at inside took so long that it was over."""


class Counters(Protocol):
    """The desks of a process: :class:`hub.sync.desk.Desks`, or :class:`hub.sync.desk.Unmetered` for a simulated platform of one's own."""

    def desk(self, connector: Connector, config: Mapping[str, str]) -> Counter: ...

    async def close(self) -> None: ...


class Calls:
    """Sends requests of connectors. One per process, shared by all runs. ``nonces`` are what platforms' servers handed out last, by connector and host."""

    def __init__(self, http: Http, desks: Counters) -> None:
        self.http, self.desks = http, desks
        self.nonces: dict[tuple[str, str], str] = {}

    def current(self, connector: Connector, context: Context, **known: Any) -> Context:
        """The context as it is at this moment: the time, the nonces for proofs, and what else is ``known`` of it."""
        mine = {host: nonce for (name, host), nonce in self.nonces.items() if name == connector.manifest.name}
        return replace(context, now=datetime.now(UTC), nonces=mine, **known)

    def turn(
        self, connector: Connector, config: Mapping[str, str], *, interactive: bool = False, retry: bool = False
    ) -> AbstractAsyncContextManager[Turn]:
        """Within the platform's quota. What may change while waiting for it (consent, epoch, the time that is signed) is looked at inside.

        ``interactive`` goes first, ``retry`` is a repetition that counts against the retry budget. Raises Park where nothing may leave for a while.
        """
        return self.desks.desk(connector, config).turn(interactive=interactive, retry=retry)

    async def send(self, connector: Connector, config: Mapping[str, str], request: Request, turn: Turn | None = None) -> Response:
        """One request as it is. Take a :meth:`turn` first, and hand it over: what the answer says of the platform is noted."""
        base, turn = base_of(connector, config, request), turn or Turn(0.0)
        desk, turn.sent = self.desks.desk(connector, config), True
        try:
            response = await self.http.send(base, request, connector.manifest.name)
        except PlatformUnreachable:
            desk.answered(turn, None)
            raise
        desk.answered(turn, response)
        if connector.manifest.oauth is not None and connector.manifest.oauth.dpop and (nonce := nonce_of(response)):
            self.nonces[connector.manifest.name, request.host] = nonce
        return response

    def wants_nonce(self, connector: Connector, response: Response) -> bool:
        """Whether the answer says that the request was not looked at for want of a nonce, which :meth:`current` knows from now on."""
        return connector.manifest.oauth is not None and connector.manifest.oauth.dpop and bool(nonce_wanted(response))

    async def park(self, connector: Connector, config: Mapping[str, str], seconds: float | None) -> None:
        """The platform asked for a pause: nobody calls it before that is over."""
        await self.desks.desk(connector, config).park(seconds or 0.0)

    async def converse(
        self, connector: Connector, context: Context, dialogue: Generator[Request, Response, R], gate: Gate | None = None
    ) -> R:
        """Drives a sans-I/O dialogue, ahead of whatever nobody waits for. Its requests are sent once each: a token call that timed out may have rotated
        the token.

        ``gate`` is asked before each request and raises where it may no longer leave.
        """
        try:
            request = next(dialogue)
            while True:
                request = dialogue.send(await self._exchange(connector, context, request, gate))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        except RetryAt as fault:
            await self.park(connector, context.config, fault.seconds)
            raise as_error(connector, fault) from None
        except Fault as fault:
            raise as_error(connector, fault) from None

    async def _exchange(self, connector: Connector, context: Context, request: Request, gate: Gate | None) -> Response:
        for _ in range(LATE):
            async with self.turn(connector, context.config, interactive=True) as turn:
                if gate is not None:
                    await gate()
                if not turn.late:
                    return await self.send(connector, context.config, request, turn)
        raise too_slow()


def too_slow() -> Park:
    """The hub itself is too slow to send a call while its reservation is good."""
    return Park(5.0, "the hub is too busy to keep a turn in the platform's quota")


def base_of(connector: Connector, config: Mapping[str, str], request: Request) -> str:
    """The base URL of a request: the connector's own, or the one its ``host`` names. Raises FixConfiguration for a host that no setting knows."""
    try:
        return base_named(config, request.host)
    except Misconfigured as fault:
        raise FixConfiguration(f"{connector.manifest.title}: {fault.reason}.", remedy="Set it in connectors.json.") from None


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
