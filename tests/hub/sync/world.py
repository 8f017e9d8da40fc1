"""One customer with one connection to the scripted platform, in a real store."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from connectors.sandbox.serve import Server
from hub.connect import Connector, Grant
from hub.consent import grants as consents
from hub.consent.terms import Offer
from hub.domain.clock import Clock
from hub.domain.enums import SourceKind, Verdict
from hub.domain.identifiers import CustomerId, new_id
from hub.http import Http
from hub.store.customers import NewCustomer, NewPerson, create_customer
from hub.store.database import Database
from hub.store.pages import Run
from hub.store.tables import connection
from hub.sync import grants
from hub.sync.calls import Calls
from hub.sync.claim import claim
from hub.sync.context import Equipment
from hub.sync.desk import Desks
from hub.sync.engine import Ended, Engine
from hub.sync.quota import Ledger
from hub.sync.settings import Patience
from hub.vault import Blind, FileKeys, Sealer, Vault
from tests.hub.sync.platform import NAME, Scripted

NOW = datetime(2026, 1, 15, 4, 0, tzinfo=UTC)
TODAY = "2026-01-15"
GRANTEE = "试验银行"
QUICK = Patience(attempts=3, first_wait=0.001, longest_wait=0.05, pending=0.2, windows_at_once=2, again=None, period=None, page_ceiling=20)


@dataclass
class Time:
    """A business clock that a test moves."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def turn(self, **delta: float) -> None:
        self.at += timedelta(**delta)


@dataclass
class World:
    """See the module. ``platform`` is the scripted side, ``server`` where it listens."""

    database: Database
    platform: Scripted
    server: Server
    equipment: Equipment
    calls: Calls
    time: Time
    customer_id: CustomerId
    connection_id: UUID
    consent_id: UUID

    def with_connector(self, connector: Connector) -> World:
        """The same world, its platform spoken to by another connector."""
        equipment = replace(self.equipment, connectors={NAME: connector})
        return replace(self, equipment=equipment, calls=Calls(self.calls.http, self.calls.desks))

    def engine(self, patience: Patience = QUICK, ended: Ended | None = None) -> Engine:
        return Engine(self.equipment, self.calls, patience, ended)

    async def sync(self, patience: Patience = QUICK) -> Verdict | None:
        """One run of the connection, due now."""
        await self.make_due()
        return await self.engine(patience).run(self.customer_id, self.connection_id)

    async def make_due(self) -> None:
        await self.do("UPDATE connection SET due_at = clock_timestamp() WHERE connection_id = :connection")

    async def pause_is_over(self) -> None:
        """What the platform asked everybody to wait has passed. The desk tells the ledger of it beside the run that heard it: that is waited for."""
        credential = Ledger(self.database, self.equipment.blind).key(self.equipment.connectors[NAME], self.equipment.config(NAME))
        heard = "SELECT 1 FROM quota_ledger WHERE credential = :credential AND parked_until IS NOT NULL"
        async with asyncio.timeout(5):
            while not await self.rows(heard, credential=credential):  # noqa: ASYNC110 -- it happens in the database
                await asyncio.sleep(0.01)
        await self.do("UPDATE quota_ledger SET parked_until = NULL WHERE credential = :credential", credential=credential)

    async def has_committed(self, pages: int = 1) -> None:
        """So many pages are committed: the next one is fetched meanwhile."""
        async with asyncio.timeout(5):
            while await self.count("raw_page") < pages:  # noqa: ASYNC110 -- it happens in the database
                await asyncio.sleep(0.01)

    async def claimed(self) -> Run:
        await self.make_due()
        async with self.database.work() as tx:
            run = await claim(tx, self.customer_id, self.connection_id)
        assert run is not None
        return run

    async def sealer(self) -> Sealer:
        async with self.database.work() as tx:
            return await self.equipment.vault.sealer(tx, self.customer_id)

    async def withdraw(self) -> None:
        async with self.database.work() as tx:
            await consents.withdraw(tx, self.customer_id, self.consent_id, self.time.now())

    async def do(self, statement: str, **values: Any) -> None:
        async with self.database.work() as tx:
            await tx.execute(text(statement), {"connection": self.connection_id, "customer": self.customer_id, **values})

    async def rows(self, statement: str, **values: Any) -> list[Mapping[str, Any]]:
        async with self.database.work() as tx:
            found = await tx.execute(text(statement), {"connection": self.connection_id, "customer": self.customer_id, **values})
            return [dict(row) for row in found.mappings()]

    async def one(self, table: str) -> Mapping[str, Any]:
        """The only row of a table that is this customer's, or of its latest version for runs."""
        order = " ORDER BY epoch DESC LIMIT 1" if table == "sync_run" else ""
        found = await self.rows(f"SELECT * FROM {table} WHERE customer_id = :customer{order}")
        assert len(found) == 1
        return found[0]

    async def windows(self) -> list[Mapping[str, Any]]:
        return await self.rows("SELECT * FROM sync_window WHERE customer_id = :customer ORDER BY first_day")

    async def facts(self) -> list[Mapping[str, Any]]:
        return await self.rows("SELECT * FROM fact_refund WHERE customer_id = :customer ORDER BY refund_number, version")

    async def count(self, table: str) -> int:
        return len(await self.rows(f"SELECT 1 FROM {table} WHERE customer_id = :customer"))


async def consented(world_database: Database, time: Time, customer_id: CustomerId, source: SourceKind) -> UUID:
    """A consent of the customer to a source of the scripted platform, given."""
    offer = Offer(source, "Scripted", "剧本", GRANTEE, "CREDIT_APPROVAL", ("S03",), Clock(time.now).today())
    async with world_database.work() as tx:
        consent_id = await consents.ask(tx, customer_id, NAME, offer, time.now(), "test")
        await consents.give(tx, customer_id, consent_id, {"how": "test"}, time.now())
        # The streams of the tests bring refunds, whatever source they are said to be of.
        await tx.execute(text("UPDATE consent SET kinds = NULL WHERE consent_id = :consent"), {"consent": consent_id})
    return consent_id


def equipment_of(database: Database, home: Path, time: Time, connector: Connector, base_url: str) -> Equipment:
    keys = FileKeys(home / "keys.json")
    config = {NAME: {"base_url": base_url}}
    return Equipment(database, Vault(keys), Blind(keys.blind), Clock(time.now), GRANTEE, {NAME: connector}, config)


async def new_customer(equipment: Equipment, number: str = "11010519491231002X") -> CustomerId:
    async with equipment.database.work() as tx:
        new = NewCustomer("PERSON", "甲某", None, NewPerson("甲某", number))
        return await create_customer(tx, equipment.vault, equipment.blind, new, ["test"], NOW)


async def build(database: Database, home: Path, platform: Scripted, server: Server, connector: Connector) -> World:
    time = Time()
    equipment = equipment_of(database, home, time, connector, server.origin)
    customer_id, connection_id = await new_customer(equipment), new_id()
    consent_id = await consented(database, time, customer_id, SourceKind.SHOP)
    row = {"customer_id": customer_id, "connection_id": connection_id, "connector": NAME, "status": "ACTIVE", "created_at": NOW}
    async with database.work() as tx:
        await tx.execute(insert(connection), row)
        grant = Grant("access-0", "refresh-0", 7200)
        await grants.keep(equipment, tx, customer_id, connection_id, grant)
    calls = Calls(Http([server.origin]), Desks(Ledger(database, equipment.blind)))
    return World(database, platform, server, equipment, calls, time, customer_id, connection_id, consent_id)
