"""What a run of the benchmark is asked for, what a process of ours is told, and the targets."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from hub.store.embedded import Urls

OVER_PEER, OVER_PEER_GUARDED, OVER_BARE = 2.0, 1.3, 0.7
"""Our rate as a multiple of PostGraphile's, the same with everything on, and of pgbench's."""
SLOWER = 1.2
"""What the same read may take in a store of many more customers, as a multiple."""
CONNECTIONS = 8
BOUND_TO = 20_000
"""The customers that are asked for, however many there are."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line."""

    start: int = 20_000
    customers: int = 0
    rounds: int = 5
    seconds: int = 8
    reads: int = 1_000
    peers: bool = True
    json: bool = False


@dataclass(frozen=True, slots=True)
class Post:
    """Where an API process serves, and with what on."""

    home: Path
    urls: Urls
    guarded: bool

    def told(self) -> str:
        return orjson.dumps({"home": str(self.home), "urls": asdict(self.urls), "guarded": self.guarded}).decode()
