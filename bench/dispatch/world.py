"""The stores of a run: databases in one embedded PostgreSQL, customers with a connection to each of some platforms, and the processes beside them."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import psycopg
from sqlalchemy import insert

from bench.dispatch.connector import source_of
from bench.dispatch.settings import GRANTEE, Post
from bench.dispatch.worker import NOON, equipment
from hub.connect import Grant
from hub.consent import grants as consents
from hub.consent.terms import Offer
from hub.domain.identifiers import CustomerId, new_id
from hub.http import Caller
from hub.store.customers import NewCustomer, NewPerson, create_customer
from hub.store.database import Database, Write
from hub.store.embedded import Embedded
from hub.store.migrate import migrate
from hub.store.tables import connection
from hub.sync import grants
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
        person = NewPerson("甲某", id_number(number))
        customer_id = await create_customer(tx, made.vault, made.blind, NewCustomer("PERSON", "甲某", None, person), ["test"], NOON)
        return [(name, await _connection(made, tx, customer_id, name)) for name in platforms]


async def _connection(made: Equipment, tx: Write, customer_id: CustomerId, name: str) -> UUID:
    offer = Offer(source_of(name), name, name, GRANTEE, "CREDIT_APPROVAL", ("S03",), made.clock.today())
    consent_id = await consents.ask(tx, customer_id, name, offer, NOON, "test")
    await consents.give(tx, customer_id, consent_id, {"how": "test"}, NOON)
    connection_id = new_id()
    row = {"customer_id": customer_id, "connection_id": connection_id, "connector": name, "status": "ACTIVE", "created_at": NOON}
    await tx.execute(insert(connection), row)
    await grants.keep(made, tx, customer_id, connection_id, Grant(str(connection_id), f"refresh-{connection_id}", 7200))
    return connection_id


def id_number(number: int) -> str:
    """A resident identity number with its check character (GB 11643)."""
    body = f"110105{date(1950, 1, 1) + timedelta(days=number // 1000):%Y%m%d}{number % 1000:03}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11]


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL, which may run as a user of its own, can enter."""
    with tempfile.TemporaryDirectory(prefix="dispatch-", ignore_cleanup_errors=True) as made:
        path = Path(made)
        path.chmod(0o755)
        yield path


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


@asynccontextmanager
async def platforms(*kinds: str) -> AsyncIterator[list[str]]:
    """The platforms' process; their origins. It also ends when its standard input does, whatever becomes of this one."""
    process = await _start("bench.dispatch.platform", *kinds)
    try:
        yield [await _line(process) for _ in kinds]
    finally:
        await end(process)


@asynccontextmanager
async def workers(*posts: Post, log: Path) -> AsyncIterator[list[asyncio.subprocess.Process]]:
    """Worker processes, ready for work. Those that still run at the end are killed."""
    with log.open("ab") as said:
        started = [await _start("bench.dispatch.worker", post.told(), errors=said.fileno()) for post in posts]
    try:
        for process in started:
            assert await _line(process) == "working", _tail(log)
        yield started
    finally:
        for process in started:
            await end(process)


def _tail(log: Path) -> str:
    return log.read_text("utf-8", "replace")[-2000:]


async def start_worker(post: Post, log: Path) -> asyncio.subprocess.Process:
    """One that is ready for work; end it with :func:`end`."""
    with log.open("ab") as said:
        process = await _start("bench.dispatch.worker", post.told(), errors=said.fileno())
    assert await _line(process) == "working", _tail(log)
    return process


async def _start(module: str, *arguments: str, errors: int | None = None) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", module, *arguments)
    return await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=errors, start_new_session=True)


async def _line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


async def end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


async def log_of(origin: str) -> Any:
    """What a platform counted."""
    caller = Caller(origin)
    try:
        return orjson.loads((await caller.get("/_log")).body)
    finally:
        await caller.close()
