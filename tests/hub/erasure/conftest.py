"""A customer with what a scripted platform told of him, in a database of the test's own: a duty looks at everybody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.store.database import Database
from tests.hub.sync.platform import Scripted, connector, refund
from tests.hub.sync.world import TODAY, World, build


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> AsyncIterator[World]:
    """Three pages with five refunds of one day, fetched."""
    platform = Scripted()
    platform.rows[TODAY] = [refund(f"r-{number}") for number in range(5)]
    server = platform.server()
    await server.start()
    made = await build(database, tmp_path, platform, server, connector())
    yield made
    await made.calls.desks.close()
    await made.calls.http.close()
    await server.stop()
