"""Positive controls: a worker whose guard is taken out. What follows must be found by the auditor, else the auditor finds nothing."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import text

from hub.errors import LeaseLost
from hub.store import pages
from hub.store.database import Database, Write
from hub.store.facts import Counts
from hub.store.pages import PageCommit
from hub.sync import reader
from hub.vault import Blind, Sealer

GAP = 0.4
"""Seconds between the cursor and the rows of the broken order: a process that dies meanwhile loses the rows."""


def sabotage(broken: str, database: Database) -> None:
    """Breaks this process's engine."""
    {"epoch": _without_epoch, "checkpoint": _checkpoint_first}[broken](database)


def _without_epoch(_database: Database) -> None:
    """The fence holds for every epoch: who was overtaken writes all the same."""
    kept = " AND epoch = %(epoch)s"
    assert kept in pages._COMMIT
    pages._COMMIT = pages._COMMIT.replace(kept, "")
    reader._MAY_FETCH = text(str(reader._MAY_FETCH).replace("AND epoch = :epoch", "AND epoch >= :epoch"))


def _checkpoint_first(database: Database) -> None:
    """Two transactions per page, the cursor's before the rows'."""
    move, commit = pages._MOVE, pages.commit_page

    async def early(tx: Write, sealer: Sealer, blind: Blind, page: PageCommit) -> Counts:
        figures = {"stored": len(page.facts), "unchanged": page.step.silent, "quarantined": len(page.refused)}
        async with database.work() as first:
            values: dict[str, Any] = {**pages._values(page, sealer), **figures}
            if not (await first.exec_driver_sql(move, values)).scalar():
                raise LeaseLost("The window moved under this page.", kind="cursor")
        await asyncio.sleep(GAP)
        return await commit(tx, sealer, blind, page)

    pages._MOVE = "SELECT 1"
    reader.commit_page = early  # type: ignore[attr-defined]
