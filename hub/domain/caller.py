"""Who asks: a client that has proved itself, with what its token lets it do."""

from __future__ import annotations

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
    time in seconds."""

    caller: Caller
    token_id: str
    expires_at: float
    issued_at: float
