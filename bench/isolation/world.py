"""The store of a run: two partners, customers of each, and each customer's consent to the sessions that its partner sends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

from sqlalchemy import insert

from bench.isolation.settings import CUSTOMERS
from bench.kit.ground import GRANTEE, NOON, id_number
from hub.access.clients import NewClient, make_client_keys, register_client
from hub.app.services import HubServices
from hub.cli.runtime import Runtime, open_runtime
from hub.consent import grants, handing
from hub.consent.terms import Handing, Offer
from hub.domain.caller import Caller
from hub.domain.clock import Clock
from hub.domain.enums import SourceKind
from hub.domain.identifiers import CustomerId, new_id
from hub.link.service import PARTNER_APP
from hub.settings import Settings
from hub.store.customers import NewCustomer, NewPerson, create_customer
from hub.store.database import Write
from hub.store.embedded import Urls
from hub.store.tables import connection
from hub.store.view import CATALOGUE, Reader, ViewSettings
from schema.access import AUDIENCES

PARTNERS = ("north", "south")
ORIGIN = "https://hub.example"


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer of a partner. ``name`` is what every session number of it begins with."""

    name: str
    customer_id: CustomerId
    connection_id: UUID


@dataclass(frozen=True, slots=True)
class Partner:
    """One client and whom it was given."""

    caller: Caller
    customers: tuple[Customer, ...]


@dataclass(frozen=True, slots=True)
class World:
    """What the requests are made with."""

    runtime: Runtime
    services: HubServices
    reader: Reader
    partners: tuple[Partner, ...]


@asynccontextmanager
async def open_world(urls: Urls, home: Path) -> AsyncIterator[World]:
    """On a migrated store."""
    async with open_runtime(Settings(home=home, grantee=GRANTEE), urls, clock=Clock.frozen(NOON), configs={}) as runtime:
        async with runtime.database.work() as tx:
            partners = tuple([await _partner(runtime, tx, number, name) for number, name in enumerate(PARTNERS)])
        services = HubServices(runtime.equipment, runtime.links(ORIGIN))
        reader = Reader(runtime.database, CATALOGUE, ViewSettings(GRANTEE, {}, {}), runtime.clock, services.log)
        yield World(runtime, services, reader, partners)


async def _partner(runtime: Runtime, tx: Write, number: int, name: str) -> Partner:
    scopes, jwks = tuple(sorted(AUDIENCES["PARTNER"])), make_client_keys()[1]
    await register_client(
        tx,
        NewClient(name, name, "PARTNER", scopes, ("CREDIT_APPROVAL",), jwks, listed_from=date(2020, 1, 1), listed_in="the bench"),
        AUDIENCES,
    )
    made = [await _customer(runtime, tx, name, number * CUSTOMERS + one) for one in range(CUSTOMERS)]
    return Partner(Caller(name, "PARTNER", AUDIENCES["PARTNER"], "CREDIT_APPROVAL"), tuple(made))


async def _customer(runtime: Runtime, tx: Write, partner: str, number: int) -> Customer:
    new = NewCustomer("PERSON", "甲某", None, NewPerson("甲某", id_number(number)))
    customer_id = await create_customer(tx, runtime.vault, runtime.blind, new, [partner], NOON)
    offer = Offer(SourceKind.DEVICE, partner, partner, GRANTEE, "CREDIT_APPROVAL", ("S03",), runtime.clock.today())
    consent_id = await grants.ask(tx, customer_id, PARTNER_APP, offer, NOON, "test")
    await grants.give(tx, customer_id, consent_id, {"how": "test"}, NOON)
    await handing.hand_over(tx, customer_id, consent_id, partner, Handing(offer, partner), {"how": "test"}, NOON)
    connection_id = new_id()
    row = {"customer_id": customer_id, "connection_id": connection_id, "connector": PARTNER_APP, "status": "ACTIVE", "created_at": NOON}
    await tx.execute(insert(connection), row)
    return Customer(f"{partner}-{number}", customer_id, connection_id)
