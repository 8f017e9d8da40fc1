"""What goes on behind evaluations, batch by batch: policies on trial, and portfolios that are pre-screened.

Nobody who asks for an evaluation waits for it. What is left to do is told by rows, so a worker that dies leaves nothing half done, and any worker goes on with it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from hub.credit.models.reach import Reach, unreachable
from hub.store.database import Database, Read, Write
from hub.store.evaluations import drafts, portfolios


class Errand(Protocol):
    """``title`` for people; ``progress`` is how many it has come to, of how many."""

    @property
    def title(self) -> str: ...

    async def progress(self, tx: Read | Write) -> tuple[int, int]: ...

    async def come_to(self, database: Database, grantee: str, now: datetime, at_once: int, reach: Reach = unreachable) -> int:
        """The next batch; models that its policies name are asked by ``reach``. Returns how many there were; 0: there is nothing to do at present."""
        ...


async def under_way(tx: Read | Write) -> list[Errand]:
    """All of them."""
    return [*map(drafts.Trial, await drafts.tried(tx)), *await portfolios.running(tx)]
