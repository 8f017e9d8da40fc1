"""One worker process: the hub's own (:func:`hub.worker.work`), wired to the misbehaving platform."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
from pathlib import Path

import uvloop

from bench.chaos import journal
from bench.chaos.connector import NAME, connector
from bench.chaos.sabotage import sabotage
from bench.chaos.settings import CONNECTIONS_AT_ONCE, PATIENCE, Post, rules
from bench.kit import ground
from bench.kit.ground import GRANTEE
from hub.cli import logs
from hub.cli.runtime import Runtime
from hub.cli.until import Stop
from hub.http import Http
from hub.settings import Settings
from hub.store.database import Database
from hub.store.embedded import Urls
from hub.sync.calls import Calls
from hub.sync.context import Equipment
from hub.sync.desk import Desks
from hub.sync.dispatch import Dispatcher
from hub.sync.quota import Ledger
from hub.worker import work

RECONCILE = 1.0


def journal_of(home: Path) -> Path:
    return home / "acknowledged"


def main(post: Post, log_file: Path) -> None:
    """Works until SIGTERM, or until whoever started it is gone."""
    descriptor = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.setpgid(0, 0)
    # The database's list of sessions then says whose each is.
    os.environ["PGAPPNAME"] = f"chaos-{os.getpid()}"
    journal.keep(journal_of(post.home))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    logs.configure()
    uvloop.run(_work(post))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(3)


def equipment(post: Post, database: Database) -> Equipment:
    return ground.equipment(post.home, database, {NAME: connector()}, {NAME: {"base_url": post.base_url}})


async def _work(post: Post) -> None:
    stop = Stop()
    database = Database(Urls(post.owner_url, post.app_url, post.worker_url))
    if post.broken in ("epoch", "checkpoint"):
        sabotage(post.broken, database)
    made, http, dispatcher = equipment(post, database), Http([post.base_url]), Dispatcher(database, period=RECONCILE)
    settings = Settings(home=post.home, grantee=GRANTEE, workers=CONNECTIONS_AT_ONCE)
    calls = Calls(http, Desks(Ledger(database, made.blind, rules(post.retry_share))))
    async with dispatcher.app.open_async():
        runtime = Runtime(settings, made.clock, database, made.vault, made.blind, made.connectors, made, calls, dispatcher)
        worker, told = asyncio.create_task(work(runtime, PATIENCE)), asyncio.create_task(stop.wait())
        await asyncio.wait({worker, told}, return_when=asyncio.FIRST_COMPLETED)
        worker.cancel()
        told.cancel()
        ended = (await asyncio.gather(worker, return_exceptions=True))[0]
        await calls.desks.close()
        if isinstance(ended, Exception):
            raise ended
