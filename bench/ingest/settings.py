"""What a run of the benchmark is asked for, what a process of ours is told, and the targets."""

from __future__ import annotations

from dataclasses import dataclass

OVER_DLT, OVER_BARE = 5.0, 0.5
"""The rate of ours, as a multiple of each peer's."""
FLAT = 1.10
"""Peak memory of a worker after the many pages, as a multiple of that after the few."""
MANY, FEW, SMALL = 10_000, 100, 20
"""Pages of the two memory runs, and orders per page there."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line."""

    pages: int = 500
    rounds: int = 3
    many: int = MANY
    peers: bool = True
    json: bool = False


@dataclass(frozen=True, slots=True)
class Post:
    """Where one run of ours works, and for whom."""

    home: str
    owner_url: str
    app_url: str
    worker_url: str
    base_url: str
    customer: str
    connection: str
    pages: int
    size: int
