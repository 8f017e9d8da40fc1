"""What a run of chaos is asked for, and what its worker processes are told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hub.sync.quota import Rules
from hub.sync.settings import Patience

LEASE = 2.0
"""Seconds. The production lease of 60 would make every kill cost a minute."""
BREAKS = ("epoch", "checkpoint", "durability")
WORKERS = 2
CONNECTIONS_AT_ONCE = 4

PATIENCE = Patience(
    attempts=8,
    first_wait=0.05,
    longest_wait=5.0,
    windows_at_once=2,
    again=1.0,
    longest_again=2.0,
    period=None,
    lease=LEASE,
    heartbeat=LEASE / 4,
    shortest_park=1.0,
    page_ceiling=100,
)

RETRY_SHARE = 0.6
"""Of a minute's calls. A platform that spoils more than four answers in ten needs more retries than the tenth that production allows (docs/adr/0017)."""
PLACES = 5.0
"""Seconds for which a process leases its calls in flight, renewed after a third: a killed one's are held for longer than the slowest answer takes."""


def rules(retry_share: float) -> Rules:
    return Rules(retry_share=retry_share, lease=PLACES, pause=LEASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line. Half as many records again are synced while workers freeze and the database stops."""

    kills: int = 200
    records: int = 100_000
    freezes: int = 50
    stops: int = 50
    seed: int = 1
    retry_share: float = RETRY_SHARE
    broken: str | None = None
    json: bool = False


@dataclass(frozen=True, slots=True)
class Post:
    """Where a worker process works. ``broken`` names the guard that is taken out of it."""

    home: Path
    worker_url: str
    app_url: str
    owner_url: str
    base_url: str
    retry_share: float = RETRY_SHARE
    broken: str | None = None
