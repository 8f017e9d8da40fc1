"""One run of the real engine over one connection, as a worker process does it.

Told a :class:`bench.ingest.settings.Post` as JSON on standard input; prints what the run's own row says, the seconds of :meth:`Engine.run`, and the process's peak
memory in MiB.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import uvloop
from sqlalchemy import text

from bench.ingest.connector import NAME, connector
from bench.ingest.settings import Post
from bench.kit import ground
from hub.cli import logs
from hub.domain.identifiers import CustomerId
from hub.http import Http
from hub.store.database import Database
from hub.store.embedded import Urls
from hub.sync.calls import Calls
from hub.sync.context import Equipment
from hub.sync.desk import Desks
from hub.sync.engine import Engine
from hub.sync.quota import Ledger
from hub.worker import look_rarely

_DUE = text("UPDATE connection SET due_at = clock_timestamp() WHERE connection_id = :connection")
_RUN = text(
    "SELECT verdict, fetched, stored, unchanged, requests FROM sync_run WHERE connection_id = :connection ORDER BY epoch DESC LIMIT 1"
)


def equipment(post: Post, database: Database) -> Equipment:
    connectors, config = {NAME: connector(post.pages, post.size)}, {NAME: {"base_url": post.base_url}}
    return ground.equipment(Path(post.home), database, connectors, config)


async def sync(post: Post) -> dict[str, Any]:
    database, customer, which = Database(urls(post)), CustomerId(UUID(post.customer)), {"connection": UUID(post.connection)}
    made, http = equipment(post, database), Http([post.base_url])
    calls = Calls(http, Desks(Ledger(database, made.blind)))
    async with database.work() as tx:
        await tx.execute(_DUE, which)
    look_rarely()
    began, busy = time.perf_counter(), time.process_time()
    await Engine(made, calls).run(customer, which["connection"])
    seconds, cpu = time.perf_counter() - began, time.process_time() - busy
    await calls.desks.close()
    await http.close()
    async with database.work() as tx:
        found = dict((await tx.execute(_RUN, which)).mappings().one())
    await database.close()
    return {**found, "rows": found["fetched"], "seconds": seconds, "cpu": cpu, "peak": peak()}


def peak() -> float:
    """The most memory this process held, in MiB. (getrusage would count what it was forked from.)"""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def urls(post: Post) -> Urls:
    return Urls(post.owner_url, post.app_url, post.worker_url)


if __name__ == "__main__":
    logs.configure()
    found = uvloop.run(sync(Post(**orjson.loads(sys.stdin.buffer.read()))))
    sys.stdout.buffer.write(b"\n" + orjson.dumps(found))
