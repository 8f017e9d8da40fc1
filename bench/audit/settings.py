"""What a run is asked for, and what its API processes are told."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from hub.store.embedded import Urls

BREAKS = ("order",)
READERS = 8
CUSTOMERS = 40
CLIENT = "risk-desk"
PURPOSE = "CREDIT_APPROVAL"


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line."""

    rounds: int = 5
    rows: int = 200_000
    reads: int = 10_000
    kills: int = 40
    broken: str | None = None
    json: bool = False


@dataclass(frozen=True, slots=True)
class Post:
    """Where an API process serves. The socket outlives it: whoever asks meanwhile is answered by the next one."""

    home: Path
    urls: Urls
    listener: socket.socket
    broken: str | None

    @property
    def origin(self) -> str:
        host, port = self.listener.getsockname()[:2]
        return f"http://{host}:{port}"
