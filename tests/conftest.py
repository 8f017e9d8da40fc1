"""Fixtures: one embedded PostgreSQL per test process, migrated once; each test that asks gets a database as the migrations left it.

Sockets off loopback are blocked for the whole run.
"""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import os
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hub.store.database import Database
from hub.store.embedded import Embedded, Urls
from hub.store.migrate import migrate
from tests.databases import Databases, drop_own

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Iterator[None]:
    """What is imported and collected stays until the end: looking through it for garbage costs a third of the collection, and more in every test."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


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
    """The embedded cluster, with a migrated database called ``template``. Its data end with the run: nothing waits for the disk. Whoever runs tests many times over
    keeps one for all of them (``HUB_TEST_CLUSTER``)."""
    kept = os.environ.get("HUB_TEST_CLUSTER")
    embedded = Embedded(Path(kept) if kept else tmp_path_factory.mktemp("pg") / "data", durable=False)
    # What PostgreSQL happens to count in the background would decide how some statements are planned.
    with psycopg.connect(embedded.dsn("postgres"), autocommit=True) as admin:
        admin.execute("alter system set autovacuum = off")
        admin.execute("select pg_reload_conf()")
    if not kept:
        asyncio.run(migrated(embedded))
    yield embedded
    if kept:
        drop_own(embedded)
    embedded.stop()


async def migrated(embedded: Embedded) -> None:
    await migrate(await embedded.prepare("template"))


@pytest.fixture(scope="session")
def databases(cluster: Embedded) -> Databases:
    return Databases(cluster)


@pytest.fixture
def urls(databases: Databases) -> Iterator[Urls]:
    """A database of this test's own, with nobody's rows in it."""
    with databases.one() as urls:
        yield urls


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
