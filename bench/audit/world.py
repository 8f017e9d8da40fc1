"""The store of a run: customers that one internal client may see."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from bench.audit.settings import CLIENT, CUSTOMERS, PURPOSE
from bench.kit.ground import enlist, equipment
from hub.access.caller import ClientSide
from hub.access.clients import NewClient, make_client_keys, register_client
from hub.domain.identifiers import CustomerId
from hub.store.database import Database
from hub.store.embedded import Urls
from hub.store.tables import customer_client
from hub.sync.context import Equipment
from schema.access import AUDIENCES


@dataclass(frozen=True)
class World:
    equipment: Equipment
    customers: list[CustomerId]
    key: Mapping[str, Any]

    def side(self, origin: str) -> ClientSide:
        return ClientSide(CLIENT, self.key, origin)


@asynccontextmanager
async def built(home: Path, urls: Urls) -> AsyncIterator[World]:
    database = Database(urls)
    made, (private, public) = equipment(home, database, {}, {}), make_client_keys()
    async with database.work() as tx:
        scopes = tuple(AUDIENCES["INTERNAL"])
        await register_client(tx, NewClient(CLIENT, CLIENT, "INTERNAL", scopes, (PURPOSE,), public, bearer=True), AUDIENCES)
        customers = [await enlist(made, tx, number) for number in range(CUSTOMERS)]
        await tx.execute(insert(customer_client), [{"customer_id": one, "client_id": CLIENT} for one in customers])
    try:
        yield World(made, customers, private)
    finally:
        await database.close()
