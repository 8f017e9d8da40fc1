"""What a fault means for a request: whether it is worth repeating, how long to pause before that, and when the run is parked instead. No I/O."""

from __future__ import annotations

import random
from dataclasses import dataclass

from hub.connect import ContractBroken, Fault, Pending, Request, Response, RetryAt
from hub.sync.settings import Patience


@dataclass(slots=True)
class Tried:
    """What was done already to get one page: how often the platform asked to wait, seconds waited for it, a refresh, a doubt about its answer."""

    attempts: int = 0
    waited: float = 0.0
    refreshed: bool = False
    doubted: bool = False

    @property
    def repeats(self) -> bool:
        return self.attempts > 0 or self.doubted


@dataclass(frozen=True, slots=True)
class Remedy:
    """Seconds to pause, or for which the run gives its worker back (``park`` > 0). ``doubt``: the answer may have been cut on its way."""

    pause: float = 0.0
    park: float = 0.0
    doubt: bool = False


def remedy_of(fault: Fault, request: Request, response: Response, tried: Tried, patience: Patience) -> Remedy:
    """What follows an answer that brought no page."""
    # A proxy may have cut the answer. What comes broken twice is the platform's: starting the window again would cost more than one call.
    if isinstance(fault, ContractBroken) and response.status == 200 and request.idempotent and not tried.doubted:
        return Remedy(backoff(1, patience), doubt=True)
    if isinstance(fault, Pending):
        return _waiting(fault, tried, patience)
    return _refused(fault, tried, patience) if isinstance(fault, RetryAt) else Remedy()


def _waiting(fault: Pending, tried: Tried, patience: Patience) -> Remedy:
    pause = max(fault.seconds, patience.first_wait)
    if tried.waited + pause > patience.pending:
        return Remedy(park=max(60.0, pause))
    return _unless_too_long(pause, patience)


def _refused(fault: RetryAt, tried: Tried, patience: Patience) -> Remedy:
    if tried.attempts + 1 >= patience.attempts:
        return Remedy(park=max(patience.shortest_park, fault.seconds or 0))
    return _unless_too_long(backoff(tried.attempts + 1, patience) if fault.seconds is None else fault.seconds, patience)


def _unless_too_long(pause: float, patience: Patience) -> Remedy:
    return Remedy(park=pause) if pause > patience.longest_wait else Remedy(pause)


def backoff(attempts: int, patience: Patience) -> float:
    """Full jitter: anything up to a bound that doubles."""
    return random.uniform(0, min(patience.longest_wait, patience.first_wait * 2**attempts))  # noqa: S311
