"""How a platform may tell the hub that something happened: a verified push that is only ever a hint to fetch.

A connector that declares a :class:`Webhook` says, in pure functions, how a :class:`Delivery` is verified and what it hints at (:class:`Hint`). Nothing of its body ever
becomes a fact: the hub asks the platform, as it would have done later anyway. The verifiers of the common families are in :mod:`hub.connect.signatures`.

:class:`NotGenuine` is what a verifier raises: :class:`Forged` for what the platform did not send, :class:`Stale` for what it sent at another time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from hub.connect.message import Grant, Interval


class NotGenuine(Exception):
    """A delivery that has no effect. ``reason`` is for the log and carries no value."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Forged(NotGenuine):
    """The platform did not sign this."""


class Stale(NotGenuine):
    """Signed, but too long ago or too far ahead: it may be a recording."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A push as it arrived: the raw bytes, and the headers by lower-case name, those left out that came twice. ``now`` is real time."""

    headers: Mapping[str, str]
    body: bytes
    now: datetime


@dataclass(frozen=True, slots=True)
class Hint:
    """What a genuine push hints at.

    ``event_id`` tells a repetition from a new event and must be covered by the signature; where the platform's own is not, use the digest of the body. ``reference``
    names the authorisation it is about, in the words of :attr:`Webhook.reference`; empty: none. ``days`` with the names of ``streams`` (none: all) are read again;
    without days the connection is only due. READY says that what was ordered can be fetched: whoever waits for it goes on, nobody begins anew.
    """

    event_id: str
    reference: str = ""
    kind: Literal["CHANGED", "READY"] = "CHANGED"
    streams: tuple[str, ...] = ()
    days: Interval | None = None

    def __post_init__(self) -> None:
        """A verifier reads what somebody wrote: what is none of our words must not come as far as the store."""
        texts = (self.event_id, self.reference, *self.streams)
        if not self.event_id or self.kind not in ("CHANGED", "READY") or not all(isinstance(text, str) for text in texts):
            raise ValueError("a hint names an event, CHANGED or READY, and everything else as text")
        for text in texts:
            text.encode()


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer that a platform takes for "received"; anything else it repeats."""

    status: int = 204
    body: bytes = b""
    content_type: str = "text/plain"


def account(grant: Grant) -> str:
    return grant.account


@dataclass(frozen=True, slots=True)
class Webhook:
    """A connector's declaration.

    ``verify`` gets the connector's settings and a delivery; it returns the hint, or raises NotGenuine. ``needs`` are the settings it verifies with: while one is
    empty there is no webhook, because anybody can sign with an empty key. ``reference`` is what pushes call the authorisation of a grant by; the hub keeps its keyed hash.
    ``lag_days`` is how many days, today the first, the platform serves no data of yet: a push about them is in vain and starts nothing.
    """

    verify: Callable[[Mapping[str, str], Delivery], Hint]
    needs: tuple[str, ...]
    reference: Callable[[Grant], str] = account
    receipt: Receipt = Receipt()
    lag_days: int = 0

    def is_on(self, config: Mapping[str, str]) -> bool:
        return bool(self.needs) and all(config.get(name) for name in self.needs)
