"""What a run is asked for, and what its processes are told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

BREAKS = ("lock", "mark")
PROCESSES = 5
CONNECTIONS = 4
"""Connections whose tokens expire, side by side."""
AT_ONCE = 4
"""Processes that are killed side by side."""
RACE_LIMIT, KILL_LIMIT, SETTLE_LIMIT = 60.0, 30.0, 60.0
"""Seconds a part of a run may take at least; each expiry and each kill adds to it."""
PER_EXPIRY, PER_KILL = 3.0, 2.0


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line."""

    workers: int = 50
    expiries: int = 200
    kills: int = 200
    broken: str | None = None
    json: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """A connection as its processes find it."""

    number: int
    customer_id: str
    connection_id: str


@dataclass(frozen=True, slots=True)
class Post:
    """Where a process works. ``broken`` names the guard that is taken out of it."""

    home: Path
    owner_url: str
    app_url: str
    worker_url: str
    base_url: str
    broken: str | None
