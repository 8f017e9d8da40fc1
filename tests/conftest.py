"""Fixtures: one embedded PostgreSQL per test process, migrated once; each test gets a database cloned from it.

Sockets off loopback are blocked for the whole run.
"""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.store.database import Database
from hub.store.embedded import Embedded, Urls
from hub.store.migrate import migrate

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
_count = itertools.count()


@pytest.fixture(autouse=True, scope="session")
def _loopback_only() -> Iterator[None]:
    """A test that reaches for another host fails."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not ipaddress.ip_address(address[0]).is_loopback:
            raise AssertionError(f"a test reached for {address[0]}")
        real(self, address)

    socket.socket.connect = connect  # type: ignore[method-assign]
    yield
    socket.socket.connect = real  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """The embedded cluster, with a migrated database called ``template``."""
    embedded = Embedded(tmp_path_factory.mktemp("pg") / "data")
    asyncio.run(_migrated(embedded))
    yield embedded
    embedded.stop()


async def _migrated(embedded: Embedded) -> None:
    await migrate(await embedded.prepare("template"))


@pytest.fixture
async def urls(cluster: Embedded) -> Urls:
    """A database of this test's own, cloned from the migrated one."""
    return await cluster.prepare(f"test_{next(_count)}", template="template")


@pytest.fixture
async def database(urls: Urls) -> AsyncIterator[Database]:
    db = Database(urls)
    yield db
    await db.close()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The knowledge shared beside the project; tests that need it say so when it is not there."""
    if not SHARED.is_dir():
        pytest.skip("../shared is not there: this check against the golden personas and vendor files did not run")
    return SHARED
