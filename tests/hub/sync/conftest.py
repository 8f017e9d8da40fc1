"""The scripted platform, listening, and a customer connected to it.

The tests of a session share one database: each has a customer (and keys) of its own, and looks at nobody else's rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.store.database import Database
from hub.store.embedded import Embedded, Urls
from tests.databases import own
from tests.hub.sync.platform import Scripted, connector
from tests.hub.sync.world import World, build


@pytest.fixture(scope="session")
def shared_urls(cluster: Embedded) -> Urls:
    return asyncio.run(cluster.prepare(own("test_sync"), template="template"))


@asynccontextmanager
async def _standing(database: Database, home: Path) -> AsyncIterator[World]:
    platform = Scripted()
    server = platform.server()
    await server.start()
    made = await build(database, home, platform, server, connector())
    yield made
    await made.calls.desks.close()
    await made.calls.http.close()
    await server.stop()


@pytest.fixture
async def world(shared_urls: Urls, tmp_path: Path) -> AsyncIterator[World]:
    database = Database(shared_urls)
    async with _standing(database, tmp_path) as made:
        yield made
    await database.close()


@pytest.fixture
async def alone(database: Database, tmp_path: Path) -> AsyncIterator[World]:
    """A world in a database of its own: for what looks at every connection there is, as a worker does."""
    async with _standing(database, tmp_path) as made:
        yield made
