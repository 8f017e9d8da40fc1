"""The PostgreSQL of a run: an embedded one for all contestants, and a consented customer with a connection for each run of ours."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

from bench.ingest.connector import NAME
from bench.ingest.ours import equipment
from bench.ingest.settings import Post
from bench.kit.ground import connect, enlist
from hub.connect import Grant
from hub.domain.identifiers import CustomerId
from hub.store.database import Database
from hub.store.embedded import Embedded
from hub.store.migrate import migrate
from hub.sync.context import Equipment


class World:
    """See the module. ``dsn`` is for the peers: as superuser, so that row-level security costs them nothing."""

    def __init__(self, home: Path) -> None:
        self.home, self.embedded, self.customers = home, Embedded(home / "postgres"), 0
        self.post: Post | None = None

    async def prepare(self, base_url: str) -> None:
        urls = await self.embedded.prepare()
        await migrate(urls)
        self.post = Post(str(self.home), urls.owner, urls.app, urls.worker, base_url, "", "", 1, 1)

    def dsn(self) -> str:
        return self.embedded.dsn("hub")

    def url(self) -> str:
        """For a client that wants a URL with a host and a password: libpq takes the Unix socket in the query instead, which asks for none."""
        return f"postgresql://postgres:none@localhost:{self.embedded.port}/hub?host={quote(self.embedded.socket_dir, safe='')}"

    async def connected(self, pages: int, size: int) -> Post:
        """A new customer whose orders were never fetched."""
        assert self.post is not None
        self.customers += 1
        database = Database(self.embedded.urls())
        try:
            customer_id, connection_id = await _connect(equipment(self.post, database), self.customers)
        finally:
            await database.close()
        return replace(self.post, customer=str(customer_id), connection=str(connection_id), pages=pages, size=size)

    async def stop(self) -> None:
        await asyncio.to_thread(self.embedded.stop)


async def _connect(made: Equipment, number: int) -> tuple[CustomerId, UUID]:
    async with made.database.work() as tx:
        customer_id = await enlist(made, tx, number)
        return customer_id, await connect(made, tx, customer_id, NAME, Grant(f"access-{number}", f"refresh-{number}", 72_000))
