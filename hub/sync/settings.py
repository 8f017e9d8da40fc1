"""How patient the engine is. Defaults are for production; the demo and tests wait less for a platform that is gone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds and counts. ``attempts`` per request; a wait longer than ``longest_wait`` parks the run."""

    attempts: int = 5
    first_wait: float = 0.5
    longest_wait: float = 30.0
    pending: float = 1800.0
    windows_at_once: int = 6

    @staticmethod
    def short() -> Patience:
        return Patience(attempts=3, first_wait=0.05, longest_wait=5.0, pending=60.0)
