"""What a run is asked for, and what its processes are told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hub.store.embedded import Urls

BREAKS = ("range", "policy")
PROCESSES = 2
PORTION = 200
"""Lives that hypothesis makes up in one go: it remembers them all meanwhile."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line."""

    lives: int = 10_000
    seed: int = 1
    broken: str | None = None
    json: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """What one process does, in a database of its own. ``broken`` names the guard that is taken out."""

    home: Path
    urls: Urls
    number: int
    lives: int
    seed: int
    broken: str | None

    @property
    def report(self) -> Path:
        return self.home / f"share-{self.number}.json"
