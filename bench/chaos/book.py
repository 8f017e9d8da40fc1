"""The quota as the platform counts it, by its own clock and without grace: a bucket, calls in flight, calls of a minute. What is over is refused with 429 and counted."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass, field

from hub.connect import Quota


@dataclass
class Book:
    """``overruns`` by limit: rate, in flight, minute. ``most`` of what there was at one time, by the same names."""

    quota: Quota
    overruns: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0
    minute: int = 0
    in_minute: int = 0

    def __post_init__(self) -> None:
        self.level, self.at = float(self.quota.burst), time.monotonic()

    def arrives(self, wall: float) -> str:
        """Notes a call that came at ``wall`` (seconds since the epoch). The limit that it overran, or nothing."""
        minute, now = math.floor(wall / 60), time.monotonic()
        self.in_minute = self.in_minute + 1 if minute == self.minute else 1
        self.level = min(float(self.quota.burst), self.level + (now - self.at) * self.quota.per_second)
        self.minute, self.at = minute, now
        self.in_flight += 1
        over = self._over()
        if over:
            self.overruns[over] += 1
        self.level = max(0.0, self.level - 1)
        self._note("in flight", self.in_flight)
        self._note("minute", self.in_minute)
        return over

    def leaves(self) -> None:
        self.in_flight -= 1

    def _over(self) -> str:
        quota = self.quota
        if self.level < 1 - 1e-6:
            return "rate"
        if self.in_flight > quota.in_flight:
            return "in flight"
        return "minute" if quota.per_minute is not None and self.in_minute > quota.per_minute else ""

    def _note(self, limit: str, count: int) -> None:
        self.most[limit] = max(self.most[limit], count)
