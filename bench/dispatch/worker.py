"""One worker process: the hub's own (:func:`hub.worker.work`, stopped by :mod:`hub.cli.processes`), wired to the simulated platforms."""

from __future__ import annotations

import asyncio
import os
import sys
import threading

from bench.dispatch.connector import QUOTA, connector
from bench.dispatch.sabotage import sabotage
from bench.dispatch.settings import Post
from bench.kit import ground
from bench.kit.ground import GRANTEE
from hub.cli import logs, until
from hub.cli.processes import _until
from hub.cli.runtime import Runtime
from hub.cli.until import Stop
from hub.http import Http
from hub.settings import Settings
from hub.store.database import Database
from hub.sync.calls import Calls
from hub.sync.context import Equipment
from hub.sync.desk import Desks
from hub.sync.dispatch import Dispatcher
from hub.sync.quota import Ledger
from hub.worker import work


def equipment(post: Post, database: Database) -> Equipment:
    connectors = {name: connector(name) for name in post.origins}
    allowed = {} if post.in_flight is None else {"quota_per_second": str(QUOTA.per_second), "quota_in_flight": str(post.in_flight)}
    configs = {name: {"base_url": origin, "client_id": name, **allowed} for name, origin in post.origins.items()}
    return ground.equipment(post.folder, database, connectors, configs)


async def _work(post: Post) -> None:
    stop, database = Stop(), Database(post.urls)
    made, http = equipment(post, database), Http(post.origins.values())
    dispatcher = Dispatcher(database, period=post.reconcile, stalled=post.stalled)
    settings = Settings(home=post.folder, grantee=GRANTEE, workers=post.at_once)
    calls = Calls(http, Desks(Ledger(database, made.blind)))
    async with dispatcher.app.open_async():
        runtime = Runtime(settings, made.clock, database, made.vault, made.blind, made.connectors, made, calls, dispatcher)
        print("working", flush=True)
        await _until(stop, asyncio.create_task(work(runtime, post.patience())))
    await calls.desks.close()
    await http.close()
    await database.close()


def _end_with_parent() -> None:
    """Whoever started this process holds the other end of its standard input."""
    sys.stdin.read()
    os._exit(3)


def main(post: Post) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sabotage(post)
    logs.configure()
    until.run(_work(post))


if __name__ == "__main__":
    main(Post.heard(sys.argv[1]))
