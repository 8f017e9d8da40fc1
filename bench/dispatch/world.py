"""The stores of a run: databases in one embedded PostgreSQL, customers with a connection to each of some platforms, and the processes beside them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import psycopg

from bench.dispatch.settings import Post
from bench.dispatch.worker import equipment
from bench.kit.ground import connect, enlist
from bench.kit.process import end, line, serving, start
from hub.connect import Grant
from hub.domain.identifiers import new_id
from hub.http import Caller
from hub.store.database import Database
from hub.store.embedded import Embedded
from hub.store.migrate import migrate
from hub.sync.context import Equipment

AT_ONCE = 4
"""Customers that are made at the same time."""


@dataclass
class Store:
    """One database. ``ids`` are its connections by platform."""

    dsn: str
    post: Post
    ids: dict[str, list[UUID]] = field(default_factory=dict)
    _admin: psycopg.AsyncConnection[Any] | None = None
    _connecting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def fill(self, customers: int, platforms: Sequence[str]) -> None:
        """So many customers, each connected to each of the platforms; nothing is due."""
        database, numbers = Database(self.post.urls, worker_pool=AT_ONCE), iter(range(customers))
        made = equipment(self.post, database)
        self.ids |= {name: [] for name in platforms}

        async def work() -> None:
            for number in numbers:
                for name, connection_id in await _connect(made, number, platforms):
                    self.ids[name].append(connection_id)

        try:
            await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        finally:
            await database.close()

    async def make_due(self, ids: Sequence[UUID]) -> None:
        """All in the same second."""
        await self.do("UPDATE connection SET due_at = now() WHERE connection_id = ANY(%s)", (list(ids),))

    async def rows(self, statement: str, values: Any = None) -> list[Any]:
        """As superuser, on a connection that no pool counts."""
        return list(await (await self._execute(statement, values)).fetchall())

    async def one(self, statement: str, values: Any = None) -> Any:
        return (await self.rows(statement, values))[0][0]

    async def do(self, statement: str, values: Any = None) -> None:
        await self._execute(statement, values)

    async def _execute(self, statement: str, values: Any) -> psycopg.AsyncCursor[Any]:
        async with self._connecting:
            if self._admin is None or self._admin.closed:
                self._admin = await psycopg.AsyncConnection.connect(self.dsn, autocommit=True)
        return await self._admin.execute(statement.encode(), values)

    async def close(self) -> None:
        if self._admin is not None:
            await self._admin.close()


async def _connect(made: Equipment, number: int, platforms: Sequence[str]) -> list[tuple[str, UUID]]:
    """A customer who consented to each platform; the tokens name them to it."""
    async with made.database.work() as tx:
        customer_id = await enlist(made, tx, number)
        return [(name, await connect(made, tx, customer_id, name, Grant(str(new_id()), f"refresh-{number}", 7200))) for name in platforms]


@asynccontextmanager
async def cluster(home: Path) -> AsyncIterator[Embedded]:
    """An embedded PostgreSQL with a migrated database called ``template``."""
    embedded = await asyncio.to_thread(Embedded, (home / "postgres").resolve())
    try:
        await migrate(await embedded.prepare("template"))
        yield embedded
    finally:
        await asyncio.to_thread(embedded.stop)


@asynccontextmanager
async def store(embedded: Embedded, name: str, post: Post) -> AsyncIterator[Store]:
    """A database of its own, cloned from the template. The post's addresses are replaced by its."""
    name = f"{name}_{new_id().hex}"
    made = Store(embedded.dsn(name), replace(post, urls=await embedded.prepare(name, template="template")))
    try:
        yield made
    finally:
        await made.close()


def platforms(*kinds: str) -> AbstractAsyncContextManager[list[str]]:
    """The platforms' process; their origins."""
    return serving("bench.dispatch.platform", *kinds, lines=len(kinds))


@asynccontextmanager
async def workers(*posts: Post, log: Path) -> AsyncIterator[list[asyncio.subprocess.Process]]:
    """Worker processes, ready for work. Those that still run at the end are killed."""
    with log.open("ab") as said:
        started = [await start("bench.dispatch.worker", post.told(), errors=said.fileno()) for post in posts]
    try:
        for process in started:
            assert await line(process) == "working", _tail(log)
        yield started
    finally:
        for process in started:
            await end(process)


def _tail(log: Path) -> str:
    return log.read_text("utf-8", "replace")[-2000:]


async def start_worker(post: Post, log: Path) -> asyncio.subprocess.Process:
    """One that is ready for work; end it with :func:`end`."""
    with log.open("ab") as said:
        process = await start("bench.dispatch.worker", post.told(), errors=said.fileno())
    assert await line(process) == "working", _tail(log)
    return process


async def log_of(origin: str) -> Any:
    """What a platform counted."""
    caller = Caller(origin)
    try:
        return orjson.loads((await caller.get("/_log")).body)
    finally:
        await caller.close()
