"""The PostgreSQL of a run: an embedded one for all contestants, and a consented customer with a connection for each run of ours."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import insert

from bench.ingest.connector import NAME
from bench.ingest.ours import NOON, equipment
from bench.ingest.settings import GRANTEE, Post
from hub.connect import Grant
from hub.consent import grants as consents
from hub.consent.terms import Offer
from hub.domain.enums import SourceKind
from hub.domain.identifiers import CustomerId, new_id
from hub.store.customers import NewCustomer, NewPerson, create_customer
from hub.store.database import Database, Write
from hub.store.embedded import Embedded
from hub.store.migrate import migrate
from hub.store.tables import connection
from hub.sync import grants
from hub.sync.context import Equipment

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


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
        person = NewPerson("甲某", _id_number(number))
        customer_id = await create_customer(tx, made.vault, made.blind, NewCustomer("PERSON", "甲某", None, person), ["test"], NOON)
        offer = Offer(SourceKind.SHOP, "Fast", "快", GRANTEE, "CREDIT_APPROVAL", ("S03",), made.clock.today())
        consent_id = await consents.ask(tx, customer_id, NAME, offer, NOON, "test")
        await consents.give(tx, customer_id, consent_id, {"how": "test"}, NOON)
        return customer_id, await _connection(made, tx, customer_id, number)


async def _connection(made: Equipment, tx: Write, customer_id: CustomerId, number: int) -> UUID:
    connection_id = new_id()
    row = {"customer_id": customer_id, "connection_id": connection_id, "connector": NAME, "status": "ACTIVE", "created_at": NOON}
    await tx.execute(insert(connection), row)
    await grants.keep(made, tx, customer_id, connection_id, Grant(f"access-{number}", f"refresh-{number}", 72_000))
    return connection_id


def _id_number(number: int) -> str:
    """A resident identity number with its check character (GB 11643)."""
    body = f"110105{(NOON - timedelta(days=365 * 40)).date():%Y%m%d}{number:03}"
    return body + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True)) % 11]
