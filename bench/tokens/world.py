"""The store of a run: an embedded PostgreSQL, and customers with a connection each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from bench.kit.ground import connect, enlist
from bench.tokens.connector import NAME
from bench.tokens.platform import Family
from bench.tokens.settings import Post, Target
from bench.tokens.worker import equipment, urls
from hub.connect import Grant
from hub.store.database import Database
from hub.store.embedded import Embedded
from hub.store.migrate import migrate
from hub.sync import credentials, grants

_STATES = text("""
    SELECT k.customer_id, k.connection_id, k.state, k.sealed, c.status, c.last_fault, c.last_fault_detail
    FROM credential k JOIN connection c ON c.customer_id = k.customer_id AND c.connection_id = k.connection_id
    WHERE k.connection_id = ANY(:ids)
""")
# The limit after which an exchange counts as killed is 90 seconds: they pass at once.
_AGE = text("""
    UPDATE credential SET exchanging_since = exchanging_since - CAST(:limit AS interval), keep_alive_at = keep_alive_at - CAST(:limit AS interval)
    WHERE connection_id = ANY(:ids) AND state = 'exchanging'
""")


@dataclass(frozen=True, slots=True)
class Kept:
    """What the hub holds for a connection: the credential's state, the tokens, and what the connection says of it."""

    state: str
    grant: Grant
    status: str
    told: str | None


class World:
    """See the module. ``post`` is the processes'."""

    def __init__(self, embedded: Embedded, post: Post) -> None:
        self.embedded, self.post = embedded, post
        self.database = Database(urls(post), app_pool=1, worker_pool=12)
        self.equipment = equipment(post, self.database)

    @staticmethod
    async def open(home: Path, base_url: str, broken: str | None) -> World:
        embedded = await asyncio.to_thread(Embedded, home / "postgres")
        found = await embedded.prepare()
        await migrate(found)
        return World(embedded, Post(home, found.owner, found.app, found.worker, base_url, broken))

    async def close(self) -> None:
        await self.database.close()
        await asyncio.to_thread(self.embedded.stop)

    async def connect(self, family: Family) -> Target:
        """A customer who consented, and a connection with the family's first tokens. Nothing is due."""
        access, refresh = family.pair()
        async with self.database.work() as tx:
            customer_id = await enlist(self.equipment, tx, family.number)
            connection_id = await connect(self.equipment, tx, customer_id, NAME, Grant(access, refresh, 7200, 2_592_000))
        return Target(family.number, str(customer_id), str(connection_id))

    async def kept(self, targets: Sequence[Target]) -> Mapping[int, Kept]:
        numbers = {UUID(one.connection_id): one.number for one in targets}
        async with self.database.work() as tx:
            rows = (await tx.execute(_STATES, {"ids": list(numbers)})).all()
            sealers = {row.customer_id: await self.equipment.vault.sealer(tx, row.customer_id) for row in rows}
        return {
            numbers[row.connection_id]: Kept(
                row.state,
                credentials.opened(sealers[row.customer_id], row.connection_id, row.sealed),
                row.status,
                row.last_fault_detail if row.last_fault == "Reauthorise" else None,
            )
            for row in rows
        }

    async def let_the_limit_pass(self, targets: Sequence[Target]) -> None:
        limit = grants.EXCHANGE_LIMIT + timedelta(seconds=1)
        await self.do(_AGE, ids=[UUID(one.connection_id) for one in targets], limit=limit)

    async def do(self, statement: Any, **values: Any) -> None:
        async with self.database.work() as tx:
            await tx.execute(statement, values)
