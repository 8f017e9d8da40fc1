"""What a run is asked for, and what its worker processes are told."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.store.embedded import Urls
from hub.sync.settings import Patience

BREAKS = ("reconciler", "bulkhead", "stop")
WORKERS = 2
AT_ONCE = 6
"""Runs of one platform at a time in a worker process, as in production."""
PERIOD = 10.0
"""Seconds between two looks of the reconciler, as in production."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line."""

    connections: int = 5_000
    rounds: int = 12
    stops: int = 5
    period: float = PERIOD
    broken: str | None = None
    json: bool = False


@dataclass(frozen=True, slots=True)
class Post:
    """Where a worker process works: its store, the platforms by name, the lease and heartbeat in seconds, the schedule, the calls in flight that the
    operator allows each platform (None: as its manifest says).

    ``broken`` names the guard that is taken out of it; ``shift`` is by how many seconds its clock is wrong, ``after`` so many of its life.
    """

    home: str
    urls: Urls
    origins: Mapping[str, str]
    lease: float = 60.0
    heartbeat: float = 20.0
    period: float | None = None
    reconcile: float = PERIOD
    stalled: float = 30.0
    at_once: int = AT_ONCE
    in_flight: int | None = None
    page_ceiling: int = 10_000
    broken: str | None = None
    shift: float = 0.0
    after: float = 0.0

    def patience(self) -> Patience:
        return Patience(
            first_wait=0.1,
            longest_wait=5.0,
            windows_at_once=1,
            again=None,
            period=self.period,
            lease=self.lease,
            heartbeat=self.heartbeat,
            page_ceiling=self.page_ceiling,
        )

    @property
    def folder(self) -> Path:
        return Path(self.home)

    def told(self) -> str:
        """As one argument of a command."""
        return json.dumps(dataclasses.asdict(self))

    @staticmethod
    def heard(argument: str) -> Post:
        found = json.loads(argument)
        return Post(**{**found, "urls": Urls(**found["urls"])})
