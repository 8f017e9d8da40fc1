"""Errands on several cores: processes that each come to one batch after another, and how far they are.

A process holds nothing but a connection to the store: what it was at when it died is done again by another.
"""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, datetime
from multiprocessing import get_context
from uuid import UUID

from hub.cli.history import bars
from hub.credit.models.reach import Listed, Outside, Reach, unreachable
from hub.errors import HubError
from hub.store.database import Database
from hub.store.embedded import Urls
from hub.store.evaluations.errands import Errand
from hub.store.evaluations.portfolios import screening
from hub.worker import look_rarely

EVERY = 0.3
"""Seconds between two looks at how far they are."""


class WorkerLost(HubError):
    """A process that worked on it is gone. What it was at was not counted."""

    remedy = "`hub portfolio resume` goes on where it was."


async def come_to_all(
    database: Database, errand: Errand, grantee: str, now: datetime, detail: str, *, at_once: int, quiet: bool, reach: Reach = unreachable
) -> None:
    """In this process, with a bar."""
    async with database.work() as tx:
        done, total = await errand.progress(tx)
    with bars(quiet) as shown:
        task = shown.add_task(errand.title, total=total, completed=done, detail=detail)
        while count := await errand.come_to(database, grantee, now, at_once, reach):
            shown.advance(task, count)


async def come_to_all_at_once(
    database: Database,
    errand: Errand,
    screening_id: UUID,
    grantee: str,
    *,
    processes: int,
    at_once: int,
    quiet: bool,
    models: Listed | None = None,
    told: Callable[[int, int], None] | None = None,
) -> None:
    """In processes of their own, with a bar; each reaches the listed models itself. ``told`` hears how many are done, of how many. Raises WorkerLost."""
    loop = asyncio.get_running_loop()
    # Started anew, not forked: a fork would share this process's connections.
    made = ProcessPoolExecutor(processes, get_context("spawn"), initializer=follow, initargs=(os.getpid(),))
    with made as pool, bars(quiet) as shown:
        works = [
            loop.run_in_executor(pool, work, database.urls, screening_id, grantee, at_once, os.getpid(), models) for _ in range(processes)
        ]
        task, going = shown.add_task(errand.title, total=None, detail="customers"), True
        while going:
            going = bool((await asyncio.wait(works, timeout=EVERY))[1])
            async with database.work() as tx:
                done, total = await errand.progress(tx)
            shown.update(task, completed=done, total=total)
            if told is not None:
                told(done, total)
        try:
            await asyncio.gather(*works)
        except BrokenProcessPool:
            raise WorkerLost from None


def follow(parent: int) -> None:
    """A process whose starter is gone ends, also while it waits for something to do."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(EVERY)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def work(urls: Urls, screening_id: UUID, grantee: str, at_once: int, parent: int, models: Listed | None = None) -> int:
    """One process: batch after batch until all is done, or whoever started it is gone. Returns how many customers it came to."""
    return asyncio.run(_work(urls, screening_id, grantee, at_once, parent, models))


async def _work(urls: Urls, screening_id: UUID, grantee: str, at_once: int, parent: int, models: Listed | None) -> int:
    database, reach, total = Database(urls, worker_pool=1, app_pool=1, lines=1), models.outside() if models else unreachable, 0
    look_rarely()
    # Not within a batch: nothing of it is in a cycle, and to look through half of it while it lasts costs a thirtieth of the time it takes.
    gc.disable()
    try:
        async with database.work() as tx:
            mine = await screening(tx, screening_id)
        while os.getppid() == parent:
            count = await mine.come_to(database, grantee, datetime.now(UTC), at_once, reach)
            gc.collect(1)
            total += count
            if count == 0 and await _is_over(database, screening_id):
                break
            if count == 0:
                # Others are at what is left; whatever they leave undone is here to do.
                await asyncio.sleep(EVERY)
    finally:
        if isinstance(reach, Outside):
            await reach.http.close()
        await database.close()
    return total


async def _is_over(database: Database, screening_id: UUID) -> bool:
    async with database.work() as tx:
        return (await screening(tx, screening_id)).ended_at is not None
