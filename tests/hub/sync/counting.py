"""A platform that counts: it keeps the quota it was given by its own book, and says afterwards how often it was overrun.

Several :class:`Calls`, each with a pool and desks of its own, stand for as many hosts on one database.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request as Asked
from starlette.responses import Response as Answer
from starlette.routing import Route

from hub.connect import Connector, Quota, Request
from hub.http import Http
from hub.store.database import Database
from hub.store.embedded import Urls
from hub.sync.calls import Calls
from hub.sync.desk import Desks
from hub.sync.quota import Ledger, Rules
from hub.vault import Blind, FileKeys
from tests.hub.sync.platform import connector
from tests.hub.sync.server import Brief

ASK = Request("GET", "/count")
QUICK_RULES = Rules(lease=1.0, pause=0.6, patience=20.0, retry_floor=3)


@dataclass
class Counting:
    """Its bucket is exactly the quota's; a call that finds it empty is an overrun. ``seconds`` is how long an answer takes."""

    quota: Quota
    seconds: float = 0.0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    heard: list[tuple[float, str]] = field(default_factory=list)
    overruns: int = 0
    in_flight: int = 0
    most: int = 0
    hangs: asyncio.Event | None = None

    def __post_init__(self) -> None:
        self.level, self.at = float(self.quota.burst), asyncio.get_running_loop().time()

    def server(self) -> Brief:
        return Brief(Starlette(routes=[Route("/count", self._count)]))

    async def _count(self, request: Asked) -> Answer:
        now = asyncio.get_running_loop().time()
        self.level = min(float(self.quota.burst), self.level + (now - self.at) * self.quota.per_second) - 1
        self.at = now
        self.overruns += self.level < -1e-6
        self.level = max(self.level, 0.0)
        self.heard.append((now, request.headers.get("x-who", "")))
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        try:
            await (asyncio.sleep(self.seconds) if self.hangs is None else self.hangs.wait())
        finally:
            self.in_flight -= 1
        return Answer("{}", self.status, self.headers)


@dataclass
class Host:
    """One process's calls, in this one."""

    database: Database
    calls: Calls
    connector: Connector
    config: dict[str, str]

    async def call(self, who: str = "", *, interactive: bool = False, retry: bool = False) -> int:
        """One call; returns the status."""
        async with self.calls.turn(self.connector, self.config, interactive=interactive, retry=retry) as turn:
            response = await self.calls.send(self.connector, self.config, ASK.with_headers(**{"X-Who": who}), turn)
        return response.status

    async def row(self) -> dict[str, object]:
        """The ledger's row, as an operator reads it."""
        async with self.database.work() as tx:
            return dict((await tx.execute(text("SELECT * FROM quota_ledger"))).mappings().one())


@asynccontextmanager
async def hosts(
    urls: Urls, home: Path, platform: Counting, count: int, rules: Rules = QUICK_RULES, ledger: type[Ledger] = Ledger
) -> AsyncIterator[Sequence[Host]]:
    """``count`` hosts, one platform, one database."""
    server, blind = platform.server(), Blind(FileKeys(home / "keys.json").blind)
    await server.start()
    spoken = connector(quota=platform.quota)
    made = [_host(Database(urls, worker_pool=2), spoken, server, blind, rules, ledger) for _ in range(count)]
    try:
        yield made
    finally:
        if platform.hangs is not None:
            platform.hangs.set()
        for host in made:
            await host.calls.desks.close()
            await host.calls.http.close()
            await host.database.close()
        await server.stop()


def _host(database: Database, spoken: Connector, server: Brief, blind: Blind, rules: Rules, ledger: type[Ledger]) -> Host:
    calls = Calls(Http([server.origin]), Desks(ledger(database, blind, rules)))
    return Host(database, calls, spoken, {"base_url": server.origin, "client_id": "hub"})


def speaking(host: Host, **quota: object) -> Host:
    """The same host, its manifest's quota changed."""
    manifest = host.connector.manifest
    changed = replace(manifest, quota=replace(manifest.quota, **quota))  # type: ignore[arg-type]
    return replace(host, connector=replace(host.connector, manifest=changed))


async def all_is_said(*calls: Calls) -> None:
    """Until the ledger has heard what came of every call: what a desk has to report waits for company for a while."""
    for desks in calls:
        for desk in desks.desks._desks.values():
            await until(lambda desk=desk: desk._loop is None or desk._loop.done())  # type: ignore[misc]


async def until(come_true: Callable[[], bool]) -> None:
    """Looks again and again, for 20 s at most."""
    async with asyncio.timeout(20):
        while not come_true():  # noqa: ASYNC110 -- the platform's book has no event to wait for
            await asyncio.sleep(0.01)
