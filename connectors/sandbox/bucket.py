"""A token bucket: how simulated gateways notice that a caller is too fast."""

from __future__ import annotations

import time
from collections.abc import Callable


class Bucket:
    def __init__(self, per_second: float, burst: int, now: Callable[[], float] = time.monotonic) -> None:
        self.per_second, self.burst, self.now = per_second, burst, now
        self.level, self.at = float(burst), now()

    def take(self) -> float:
        """0 when the call may pass, else the seconds until the next one may."""
        now = self.now()
        self.level, self.at = min(float(self.burst), self.level + (now - self.at) * self.per_second), now
        if self.level < 1:
            return (1 - self.level) / self.per_second
        self.level -= 1
        return 0.0
