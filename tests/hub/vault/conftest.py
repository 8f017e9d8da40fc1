"""One database for the session; each test makes customers and keys of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from hub.store.database import Database
from hub.store.embedded import Embedded, Urls
from tests.databases import own


@pytest.fixture(scope="session")
def vault_urls(cluster: Embedded) -> Urls:
    return asyncio.run(cluster.prepare(own("test_vault"), template="template"))


@pytest.fixture
async def database(vault_urls: Urls) -> AsyncIterator[Database]:
    made = Database(vault_urls)
    yield made
    await made.close()
