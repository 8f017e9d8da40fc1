"""The business clock: the hub's answer to "what day is it".

Facts are observed, consents expire and evaluations are dated by this clock. A demo or a persona's evaluation freezes it at the
persona's ``known_at``. Protocols (token lifetimes, signature timestamps, leases) never use it: they follow real time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from hub.domain.periods import china_day


@dataclass(frozen=True, slots=True)
class Clock:
    now: Callable[[], datetime]

    @staticmethod
    def system() -> Clock:
        return Clock(lambda: datetime.now(UTC))

    @staticmethod
    def frozen(instant: datetime) -> Clock:
        if instant.tzinfo is None:
            raise ValueError("a clock needs an instant with an offset")
        return Clock(lambda: instant)

    def today(self) -> date:
        """The current day in China Standard Time."""
        return china_day(self.now())
