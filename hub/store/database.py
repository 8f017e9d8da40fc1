"""Connections to the store: who asks is part of every transaction.

The first statement of each transaction tells PostgreSQL the client and the purpose with ``set_config(..., true)``, which ends with the
transaction, so that a pooler hands nothing to the next one (trust rules, section j). Reading and writing are different types: a function that only
reads cannot be handed a connection that writes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NewType

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from hub.store.embedded import Urls

Read = NewType("Read", AsyncConnection)
Write = NewType("Write", AsyncConnection)

_SCOPE = text("select set_config('hub.client', :client, true), set_config('hub.purpose', :purpose, true)")


@dataclass(frozen=True, slots=True)
class Scope:
    """Who asks, and what for."""

    client: str
    purpose: str


CONNECT_SECONDS = 10
ANSWER_SECONDS, WORK_SECONDS = 5, 60
"""Time limits of one statement: for whoever waits for an answer, and for the hub's own work."""

HUB = Scope("hub", "CREDIT_APPROVAL")
"""The hub's own work (syncing, evaluating), done as role hub_worker."""


def _engine(url: str, size: int, seconds: int) -> AsyncEngine:
    """A pool. A statement that takes longer than ``seconds`` is ended by the server."""
    return create_async_engine(
        url,
        # An error's text goes into logs and must not hold what was written.
        hide_parameters=True,
        pool_size=size,
        max_overflow=0,
        pool_timeout=30,
        json_serializer=lambda value: orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode(),
        json_deserializer=orjson.loads,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "options": f"-c statement_timeout={seconds * 1000} -c idle_in_transaction_session_timeout=60000 -c timezone=UTC -c jit=off",
        },
    )


class Database:
    """Two pools: ``app`` answers clients under row-level security, ``worker`` does the hub's own work."""

    def __init__(self, urls: Urls, *, app_pool: int = 10, worker_pool: int = 12) -> None:
        self.urls = urls
        self.app = _engine(urls.app, app_pool, ANSWER_SECONDS)
        self.worker = _engine(urls.worker, worker_pool, WORK_SECONDS)

    async def close(self) -> None:
        await self.app.dispose()
        await self.worker.dispose()

    @asynccontextmanager
    async def read(self, scope: Scope) -> AsyncIterator[Read]:
        """A read-only transaction of a client."""
        async with self.app.connect() as connection, connection.begin():
            await connection.execute(text("set transaction read only"))
            await connection.execute(_SCOPE, {"client": scope.client, "purpose": scope.purpose})
            yield Read(connection)

    @asynccontextmanager
    async def write(self, scope: Scope) -> AsyncIterator[Write]:
        """A transaction of a client that commits at its end, or not at all."""
        async with self.app.connect() as connection, connection.begin():
            await connection.execute(_SCOPE, {"client": scope.client, "purpose": scope.purpose})
            yield Write(connection)

    @asynccontextmanager
    async def work(self, scope: Scope = HUB) -> AsyncIterator[Write]:
        """A transaction of the hub itself."""
        async with self.worker.connect() as connection, connection.begin():
            await connection.execute(_SCOPE, {"client": scope.client, "purpose": scope.purpose})
            yield Write(connection)
