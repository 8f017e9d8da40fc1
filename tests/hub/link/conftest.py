"""The link pages on a database of the session, each test with customers and keys of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.store.database import Database
from hub.store.embedded import Embedded, Urls
from tests.databases import own
from tests.hub.link.chromium import Chromium, chromium, found
from tests.hub.link.eyes import Eyes, NoAxe, axe_source
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


@pytest.fixture(scope="session")
def axe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    cache = request.config.cache
    try:
        return axe_source(Path(cache.mkdir("axe")) if cache is not None else tmp_path_factory.mktemp("axe"))
    except NoAxe as reason:
        pytest.skip(f"the pages were not looked at by axe-core: {reason}")


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Chromium]:
    program = found()
    if program is None:
        pytest.skip("the pages were not looked at in a browser: there is no Chromium here")
    async with chromium(program, tmp_path / "profile") as running:
        yield running


@pytest.fixture
def eyes(axe: str, tmp_path: Path) -> Eyes:
    folder = Path(os.environ.get("HUB_SCREENSHOTS", tmp_path / "pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return Eyes(axe, folder)
