"""Who asks: a client that has proved itself, with what its token lets it do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """``audience`` is PARTNER, INTERNAL or ADMIN; ``purpose`` is what the data are asked for and is checked against consent."""

    client_id: str
    audience: str
    scopes: frozenset[str]
    purpose: str

    @property
    def sees_internals(self) -> bool:
        """Sees reasons that are kept from customers and partners."""
        return "evidence:read" in self.scopes
