"""The processes of a run: several workers that use grants and refresh them, a victim that dies in one exchange, a keeper that finds what the dead left behind."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import threading
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import uvloop

from bench.kit import ground
from bench.tokens.connector import NAME, connector
from bench.tokens.platform import WORKER
from bench.tokens.sabotage import sabotage
from bench.tokens.settings import Post, Target
from hub.cli import logs
from hub.connect import Request
from hub.domain.identifiers import CustomerId
from hub.errors import GrantRevoked, PlatformBusy
from hub.http import Http
from hub.store.database import Database
from hub.store.embedded import Urls
from hub.sync import grants
from hub.sync.calls import Calls
from hub.sync.context import Equipment, load
from hub.sync.desk import Desks
from hub.sync.grants import Exchange, Held
from hub.sync.keeping import Keeper
from hub.sync.quota import Ledger

POOL = 8


def equipment(post: Post, database: Database) -> Equipment:
    return ground.equipment(post.home, database, {NAME: connector()}, {NAME: {"base_url": post.base_url}})


def urls(post: Post) -> Urls:
    return Urls(post.owner_url, post.app_url, post.worker_url)


@dataclass(frozen=True)
class Desk:
    """One process's equipment, and its way to the platform."""

    equipment: Equipment
    calls: Calls

    async def exchange(self, target: Target) -> Exchange:
        customer_id, connection_id = CustomerId(UUID(target.customer_id)), UUID(target.connection_id)
        async with self.equipment.database.work() as tx:
            found = await load(self.equipment, tx, customer_id, connection_id)
        return Exchange(self.equipment, self.calls, found.connector, found.context, customer_id, connection_id)

    async def read(self, exchange: Exchange) -> Held:
        async with self.equipment.database.work() as tx:
            return await grants.read(self.equipment, tx, exchange.customer_id, exchange.connection_id)


@asynccontextmanager
async def _desk(post: Post) -> AsyncIterator[Desk]:
    if post.broken is not None:
        sabotage(post.broken)
    database = Database(urls(post), app_pool=1, worker_pool=POOL)
    made, http = equipment(post, database), Http([post.base_url], connections=1_000)
    calls = Calls(http, Desks(Ledger(database, made.blind)))
    try:
        yield Desk(made, calls)
    finally:
        await calls.desks.close()
        await http.close()
        await database.close()


def race(post: Post, names: Sequence[str], targets: Sequence[Target], report: Path) -> None:
    """Each named worker uses each grant until its platform says that it is finished, and refreshes it whenever it has expired."""
    _begin(report.with_suffix(".log"), _race(post, names, targets, report))


def victim(post: Post, target: Target, log_file: Path) -> None:
    """One refresh, in which this process is meant to die."""
    _begin(log_file, _victim(post, target))


def keeper(post: Post, log_file: Path) -> None:
    """The worker's own loops, until it is ended."""
    _begin(log_file, _keeper(post))


async def _race(post: Post, names: Sequence[str], targets: Sequence[Target], report: Path) -> None:
    async with _desk(post) as desk:
        ends = await asyncio.gather(*(_use(desk, name, target) for name in names for target in targets))
    said = json.dumps(Counter(end for found in ends for end in found))
    await asyncio.to_thread(report.write_text, said)


async def _use(desk: Desk, name: str, target: Target) -> list[str]:
    """How it went: "done", "lost" for a grant that could not be refreshed any more, "again" for each time that the platform or another worker took too long."""
    ends: list[str] = []
    exchange = await desk.exchange(target)
    held = await desk.read(exchange)
    while True:
        context = replace(exchange.context, grant=held.grant)
        request = exchange.connector.sign(context, Request("GET", "/data", headers=((WORKER, name),)))
        try:
            response = await desk.calls.send(exchange.connector, context.config, request)
            if response.status != 200:
                held = await grants.refresh(exchange, held.epoch)
            elif json.loads(response.body)["done"]:
                return [*ends, "done"]
        except GrantRevoked:
            return [*ends, "lost"]
        except PlatformBusy:
            ends.append("again")


async def _victim(post: Post, target: Target) -> None:
    async with _desk(post) as desk:
        exchange = await desk.exchange(target)
        await grants.refresh(exchange, (await desk.read(exchange)).epoch)


async def _keeper(post: Post) -> None:
    async with _desk(post) as desk:
        await Keeper(desk.equipment, desk.calls, period=0.2).work()


def _begin(log_file: Path, work: Coroutine[Any, Any, None]) -> None:
    descriptor = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.setpgid(0, 0)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    logs.configure()
    uvloop.run(work)


def _end_with_parent() -> None:
    """Whoever started it is gone: so is this."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(3)
