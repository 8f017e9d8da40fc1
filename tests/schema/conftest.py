"""One API over the small world per test module: nothing here changes what another test of the module reads."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from hub.store.database import Database
from hub.store.embedded import Embedded
from tests.databases import own
from tests.hub.access.side import Api, open_api
from tests.schema.port import Port

_count = itertools.count()


@pytest.fixture(scope="module")
def port() -> Port:
    return Port()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(cluster: Embedded, port: Port, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """All clients are logged in."""
    database = Database(await cluster.prepare(own(f"schema_{next(_count)}"), template="template"))
    async with open_api(database, tmp_path_factory.mktemp("home"), port.services) as opened:
        port.world = opened.world
        for side in opened.sides.values():
            await side.login()
            assert side.token
        yield opened
    await database.close()
