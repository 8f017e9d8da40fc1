"""One database for the session; each test in a transaction that is rolled back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from hub.store.database import Database, Write
from hub.store.embedded import Embedded, Urls
from tests.databases import own


@pytest.fixture(scope="session")
def consent_urls(cluster: Embedded) -> Urls:
    return asyncio.run(cluster.prepare(own("test_consent"), template="template"))


@pytest.fixture
async def tx(consent_urls: Urls) -> AsyncIterator[Write]:
    database = Database(consent_urls)
    async with database.worker.connect() as connection:
        transaction = await connection.begin()
        yield Write(connection)
        await transaction.rollback()
    await database.close()
