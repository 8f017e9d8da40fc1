"""Who asks: a client that has proved itself, with what its token lets it do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec


def documents_at_first(audience: str) -> str:
    """How a client of this audience asks where its registration says nothing: partners with what was reviewed for them, and stored (trust rules, section f)."""
    return "ONLY" if audience == "PARTNER" else "OPEN"


class Caller(msgspec.Struct, frozen=True):
    """``audience`` is PARTNER, INTERNAL or ADMIN; ``purpose`` is what the data are asked for and is checked against consent.

    ``documents`` says how it asks: OPEN with any document, AUDIT likewise while unknown ones are noted, ONLY with stored ones. ``cost_per_minute`` is its budget; None: its
    audience's.
    """

    client_id: str
    audience: str
    scopes: frozenset[str]
    purpose: str
    documents: str = "OPEN"
    cost_per_minute: int | None = None

    @property
    def app(self) -> str | None:
        """The partner app that asks, to which the customer must have agreed to hand what it is answered with; None: the institution itself."""
        return None if self.audience in ("INTERNAL", "ADMIN") else self.client_id

    @property
    def operates(self) -> bool:
        """Watches how fetching goes for every customer, not only for those it was given."""
        return self.audience == "ADMIN" and "operations:read" in self.scopes

    @property
    def sees_internals(self) -> bool:
        """Sees reasons that are kept from customers and partners."""
        return "evidence:read" in self.scopes


class Admitted(msgspec.Struct, frozen=True):
    """A caller with the token it proved itself by: what lasts longer than a request asks whether that still holds. ``expires_at`` and ``issued_at`` are real
    time in seconds. ``pending``: what the store has still to say before anything has an effect or is answered."""

    caller: Caller
    token_id: str
    expires_at: float
    issued_at: float
    pending: Pending | None = None


class Standing(msgspec.Struct, frozen=True):
    """What the store says of a request: its ``client``, a row as JSON (None: not registered, or disabled), whether its proof was used for the first time now, and whether its
    token was revoked."""

    client: bytes | None
    fresh: bool
    revoked: bool


class Pending(msgspec.Struct):
    """An admission that rests on what a process remembers of the client. ``asked`` is what the store is to be asked; ``remembered`` is the client's row as JSON. ``settled``: the
    use of the proof is committed, or goes with a commit that is under way.

    Whoever is handed one has it settled, by :meth:`settle` or with the access log's commit, before anything has an effect or is answered.
    """

    asked: Mapping[str, Any]
    remembered: bytes
    ask: Callable[[Mapping[str, Any]], Awaitable[Standing]]
    judge: Callable[[Standing], Admitted]
    settled: bool = False

    async def settle(self) -> None:
        """Raises Reconsider."""
        if not self.settled:
            # Whoever goes away meanwhile has shown it all the same.
            self.settled = True
            self.settle_as(await self.ask(self.asked))

    def settle_as(self, standing: Standing) -> None:
        """The use of the proof is committed. Raises Reconsider where ``standing`` is not what was remembered."""
        self.settled = True
        if not self.holds(standing):
            raise Reconsider(self, standing)

    def holds(self, standing: Standing) -> bool:
        used = self.asked["proof"] is not None and not standing.fresh
        return standing.client == self.remembered and not standing.revoked and not used


class Reconsider(Exception):
    """A pending admission does not hold as it was."""

    def __init__(self, pending: Pending, standing: Standing) -> None:
        super().__init__()
        self.pending, self.standing = pending, standing

    def admitted(self) -> Admitted:
        """What it is by what the store says now. Raises TokenInvalid."""
        return self.pending.judge(self.standing)
