"""The link pages on a database of the session, each test with customers and keys of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.store.database import Database
from hub.store.embedded import Embedded, Urls
from tests.databases import own
from tests.hub.link.side import Person, Side, opened, person


@pytest.fixture(scope="session")
def link_urls(cluster: Embedded) -> Urls:
    return asyncio.run(cluster.prepare(own("test_link"), template="template"))


@pytest.fixture
async def side(link_urls: Urls, tmp_path: Path) -> AsyncIterator[Side]:
    database = Database(link_urls)
    async with opened(database, tmp_path) as made:
        yield made
    await database.close()


@pytest.fixture
async def me(side: Side) -> AsyncIterator[Person]:
    async with person(side) as made:
        yield made
