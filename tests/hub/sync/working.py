"""A world in a database of its own with workers at work in it, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import psycopg
from sqlalchemy import text
from sqlalchemy.engine import make_url

from hub.store.migrate import QUEUE_SCHEMA
from hub.sync.dispatch import Dispatcher
from hub.sync.engine import Engine
from tests.hub.sync.world import World

T = TypeVar("T")
OFF = 3600.0
"""Seconds between two looks of a reconciler that shall not get a second one."""


@asynccontextmanager
async def dispatcher(world: World, period: float = OFF, stalled: float = 30.0) -> AsyncIterator[Dispatcher]:
    made = Dispatcher(world.database, period=period, stalled=stalled)
    async with made.app.open_async():
        yield made


@asynccontextmanager
async def working(made: Dispatcher, engine: Engine) -> AsyncIterator[None]:
    task = asyncio.create_task(made.work(engine, concurrency=2))
    try:
        yield
        assert not task.done(), "a worker does not end by itself"
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(look: Callable[[], Awaitable[T]]) -> T:
    """Looks until there is something to see; the limit only ends a test that has failed."""
    async with asyncio.timeout(20):
        while not (found := await look()):  # noqa: ASYNC110 -- it happens in the database, which sets no event
            await asyncio.sleep(0.01)
    return found


async def verdict(world: World) -> str:
    async def look() -> str | None:
        return (await world.one("connection"))["last_verdict"]

    return str(await until(look))


async def in_queue(world: World, statement: str) -> None:
    """A statement about the queue's tables; its triggers find their types only in its own schema."""
    async with world.database.work() as tx:
        await tx.execute(text(f"SET LOCAL search_path TO {QUEUE_SCHEMA}"))
        await tx.execute(text(statement))


async def queue_is_empty(world: World) -> None:
    async def look() -> bool:
        return not await jobs(world)

    await until(look)


async def jobs(world: World) -> list[str]:
    return [str(row["status"]) for row in await world.rows("SELECT status FROM queue.procrastinate_jobs")]


def as_owner(world: World, statement: str) -> None:
    with psycopg.connect(
        make_url(world.database.urls.owner).set(drivername="postgresql").render_as_string(False), autocommit=True
    ) as owner:
        owner.execute(statement.encode())


def apart(world: World, statement: str) -> list[tuple[Any, ...]]:
    """A statement over a connection of its own: one of the hub's that broke would be found, and all of them renewed, by whoever looks first."""
    url = make_url(str(world.database.urls.admin)).set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(url, autocommit=True) as admin:
        return admin.execute(statement.encode()).fetchall()


def break_connections(world: World) -> int:
    """Ends every session of the hub in this database, as a restart of the server would. How many there were."""
    return len(
        apart(world, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'hub_worker'")
    )
