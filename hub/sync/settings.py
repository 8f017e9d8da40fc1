"""How patient the engine is. Defaults are for production; the demo and tests wait less for a platform that is gone."""

from __future__ import annotations

from dataclasses import dataclass

from hub.store.pages import LEASE_SECONDS


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds and counts. ``attempts`` per request; a wait longer than ``longest_wait`` parks the run.

    A connection whose run failed for a reason that may pass, or did not come to its end, is due again after ``again``, twice as late after each further
    failure, up to ``longest_again``; one that was read to its end is due at its own point of each ``period``; None leaves it until somebody asks. A run that is silent for ``lease`` may be taken over by another worker; ``heartbeat`` is how often a run renews it while it
    waits. A parked run is away for ``shortest_park`` at least. A window of more than ``page_ceiling`` pages has no end signal.
    """

    attempts: int = 5
    first_wait: float = 0.5
    longest_wait: float = 30.0
    pending: float = 1800.0
    windows_at_once: int = 6
    again: float | None = 900.0
    longest_again: float = 21_600.0
    period: float | None = 86_400.0
    lease: float = LEASE_SECONDS
    heartbeat: float = 20.0
    shortest_park: float = 30.0
    page_ceiling: int = 10_000

    @staticmethod
    def short() -> Patience:
        return Patience(attempts=3, first_wait=0.05, longest_wait=5.0, pending=60.0, again=None, period=None)
