"""Looks on while requests are made: a probe through the pooler that is nobody, and the superuser at PostgreSQL itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from bench.isolation.settings import OPEN_FOR, SERVER_CONNECTIONS
from hub.store.embedded import Urls

_SETTINGS = """
SELECT pg_backend_pid(), coalesce(current_setting('hub.client', true), '') || coalesce(current_setting('hub.purpose', true), '')
    || coalesce(current_setting('hub.operator', true), '') || coalesce(current_setting('hub.seen', true), '')
    || coalesce(current_setting('hub.inside', true), ''), (SELECT count(*) FROM customer)
"""
_OPEN = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - state_change)) FILTER (WHERE state LIKE 'idle in transaction%%'), 0)::float,
    count(*) FILTER (WHERE state <> 'idle') FROM pg_stat_activity WHERE datname = current_database() AND usename IN ('hub_app', 'hub_worker')
"""
Connection = psycopg.AsyncConnection[Any]


def conninfo(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


class Watch:
    """What was seen. ``leaks`` are transactions that said nobody and found a setting or a row; ``longest`` is how long a transaction stood idle, in seconds."""

    def __init__(self, nobody: str, above: str) -> None:
        self.nobody, self.above = nobody, above
        self.probes = self.leaks = self.looks = self.left = 0
        self.longest = 0.0

    async def probe(self) -> None:
        async with await self._nobody() as connection:
            while True:
                await self._asked(connection)
                await asyncio.sleep(0.01)

    async def look(self) -> None:
        async with await Connection.connect(self.above, autocommit=True) as connection:
            while True:
                longest, _ = (await (await connection.execute(_OPEN)).fetchall())[0]
                self.longest, self.looks = max(self.longest, longest), self.looks + 1
                self.left += longest > OPEN_FOR
                await asyncio.sleep(0.2)

    async def at_the_end(self) -> tuple[int, int]:
        """How many server connections are still at something, and how many hold a setting: every one of them is asked, by as many at once."""
        async with await Connection.connect(self.above, autocommit=True) as connection:
            _, busy = (await (await connection.execute(_OPEN)).fetchall())[0]
        before = self.leaks
        async with contextlib.AsyncExitStack() as stack:
            all_of_them = [await stack.enter_async_context(await self._nobody(autocommit=False)) for _ in range(SERVER_CONNECTIONS)]
            servers = {await self._asked(connection) for connection in all_of_them}
        assert len(servers) == SERVER_CONNECTIONS, "each transaction has a server connection of its own"
        return busy, self.leaks - before

    async def _nobody(self, *, autocommit: bool = True) -> Connection:
        return await Connection.connect(self.nobody, autocommit=autocommit, prepare_threshold=None)

    async def _asked(self, connection: Connection) -> int:
        server, settings, rows = (await (await connection.execute(_SETTINGS)).fetchall())[0]
        self.probes, self.leaks = self.probes + 1, self.leaks + bool(settings or rows)
        return int(server)


@asynccontextmanager
async def watching(urls: Urls) -> AsyncIterator[Watch]:
    assert urls.admin is not None
    watch = Watch(conninfo(urls.app), conninfo(urls.admin))
    tasks = [asyncio.create_task(watch.probe()), asyncio.create_task(watch.look())]
    try:
        yield watch
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for one in ended:
        if isinstance(one, Exception):
            raise one
