"""A real store with a real engine and the real reader, for one life after another."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import orjson
from sqlalchemy import insert, text

from bench.consent.platform import NAME, Platform, connector
from bench.kit.ground import GRANTEE, NOON, enlist
from hub.access.audit import AccessLog, ChainKeys
from hub.connect import Grant
from hub.consent import grants as consents
from hub.consent.terms import Offer
from hub.domain.caller import Caller
from hub.domain.clock import Clock
from hub.domain.enums import SourceKind
from hub.domain.identifiers import CustomerId, new_id
from hub.http import Http
from hub.store.database import Database, Scope
from hub.store.tables import connection
from hub.store.view import CATALOGUE, Reader, ViewSettings
from hub.sync import grants
from hub.sync.calls import Calls
from hub.sync.context import Equipment
from hub.sync.desk import Unmetered
from hub.sync.engine import Engine
from hub.sync.settings import Patience
from hub.vault import Blind, FileKeys, Vault
from schema.access import AUDIENCES
from schema.contract import build_schema

CLIENT, PURPOSES, SHOP = "test", ("CREDIT_APPROVAL", "POST_LOAN"), SourceKind.SHOP
ASKS = "query ($id: ID!) { customer(id: $id) { refunds(first: 100) { nodes { occurredOn } } sources(only: SHOP) { denial } } }"
PATIENCE = Patience(windows_at_once=1, again=None, period=None)
_STORED = text("SELECT occurred_on, known_from FROM fact_refund WHERE customer_id = :customer")
_DUE = text("UPDATE connection SET due_at = clock_timestamp() WHERE customer_id = :customer")

Stored = list[tuple[date, datetime]]


@dataclass
class World:
    """``now`` is business time; a life moves it."""

    database: Database
    home: Path
    platform: Platform = field(default_factory=Platform)
    now: datetime = NOON
    number: int = 0

    def __post_init__(self) -> None:
        keys = FileKeys(self.home / "keys.json")
        clock, connectors, configs = Clock(lambda: self.now), {NAME: connector()}, {NAME: {"base_url": "https://calendar.example"}}
        self.equipment = Equipment(self.database, Vault(keys), Blind(keys.blind), clock, GRANTEE, connectors, configs)
        self.engine = Engine(self.equipment, Calls(cast(Http, self.platform), Unmetered()), PATIENCE)
        self.reader = Reader(self.database, CATALOGUE, ViewSettings(GRANTEE), clock, AccessLog(self.database, ChainKeys.of(keys)))
        self.schema = build_schema()
        plan = self.schema.documents.plan(self.schema.documents.of(ASKS, introspecting=False), None, {"id": ""})
        assert plan.read is not None
        self.plan, self.asks = plan, plan.read

    async def enter(self) -> tuple[CustomerId, UUID]:
        """Another customer, connected, with nothing consented."""
        self.now, self.number, connection_id = NOON, self.number + 1, new_id()
        async with self.database.work() as tx:
            customer_id = await enlist(self.equipment, tx, self.number)
            row = {"customer_id": customer_id, "connection_id": connection_id, "connector": NAME, "status": "ACTIVE", "created_at": NOON}
            await tx.execute(insert(connection), row)
            await grants.keep(self.equipment, tx, customer_id, connection_id, Grant("access", "refresh", 7_200))
        return customer_id, connection_id

    async def grant(self, customer_id: CustomerId, purpose: str, *, renew: bool) -> Mapping[str, Any]:
        """Asks, and gives what there is to give. Returns the row that counts."""
        offer = Offer(SHOP, NAME, NAME, GRANTEE, purpose, ("S03", "S01"), self.equipment.clock.today())
        async with self.database.work() as tx:
            consent_id = await consents.ask(tx, customer_id, NAME, offer, self.now, "test", renew=renew)
            rows = {row["consent_id"]: row for row in await consents.consents_of(tx, customer_id)}
            if rows[consent_id]["status"] == "PENDING":
                await consents.give(tx, customer_id, consent_id, {"how": "test"}, self.now)
        return dict(rows[consent_id])

    async def sync(self, customer_id: CustomerId, connection_id: UUID) -> None:
        async with self.database.work() as tx:
            await tx.execute(_DUE, {"customer": customer_id})
        await self.engine.run(customer_id, connection_id)

    async def stored(self, customer_id: CustomerId) -> Stored:
        """What is in the store, whoever may see it."""
        async with self.database.work() as tx:
            return [(row.occurred_on, row.known_from) for row in await tx.execute(_STORED, {"customer": customer_id})]

    async def read(self, customer_id: CustomerId, purpose: str) -> tuple[list[date], str | None]:
        """The days that the contract's own way shows, and the denial it tells."""
        values = self.plan.values(self.schema.core, {"id": str(customer_id)})
        body = await self.reader.read(Caller(CLIENT, "INTERNAL", AUDIENCES["INTERNAL"], purpose), self.asks, values)
        found = orjson.loads(body)["customer"]
        days = sorted(date.fromisoformat(node["occurredOn"]) for node in found["refunds"]["nodes"])
        return days, found["sources"][0]["denial"]

    async def select(self, customer_id: CustomerId, purpose: str) -> list[date]:
        """The days that a statement without any gate of its own shows to the role that answers clients."""
        async with self.database.read(Scope(CLIENT, purpose, now=self.now, inside=True)) as tx:
            return sorted(row.occurred_on for row in await tx.execute(_STORED, {"customer": customer_id}))


@asynccontextmanager
async def opened(urls: Any, home: Path) -> Any:
    database = Database(urls, app_pool=2, worker_pool=6)
    try:
        yield World(database, home)
    finally:
        await database.close()
