"""What a run is asked for."""

from __future__ import annotations

from dataclasses import dataclass

BREAKS = ("column", "log", "split")
PER_PERSON = 1_200
"""Canaries that one person and the orders of one shop make, at least."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line."""

    canaries: int = 10_000
    broken: str | None = None
    json: bool = False

    @property
    def persons(self) -> int:
        return max(1, -(-self.canaries // PER_PERSON))
