"""Within what a consent's data lie: what is outside is not taken in, whoever sends it (ADR 56). The read gate hides the same (:mod:`hub.store.security`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from hub.consent.gate import GivenConsent


@dataclass(frozen=True, slots=True)
class Bounds:
    """``kinds`` None: every kind of the source. What has no day is held by its kind alone."""

    first: date
    last: date
    kinds: frozenset[str] | None = None

    def hold(self, kind: str, day: date | None) -> bool:
        return (self.kinds is None or kind in self.kinds) and (day is None or self.first <= day <= self.last)


def bounds_of(given: GivenConsent) -> Bounds:
    return Bounds(given.data_from, given.data_to, given.kinds)
