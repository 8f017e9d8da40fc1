"""A store in which nothing of the contract is empty: a customer with a row of every kind, and the same again for three customers that stand otherwise.

The values are invented by their columns' types; what the matrix asks is whether they are shown, not what they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Table, insert, text
from sqlalchemy import types as sql

from hub.domain.enums import SourceKind
from hub.domain.facts import all_specs
from hub.store import tables
from hub.store.database import Database, Write
from hub.store.fact_tables import FACT_TABLES
from hub.store.metadata import metadata
from hub.store.security import owned_tables
from tests.hub.view.world import KNOWN, World, consent_row, fact_row
from tests.schema.lending import object_to_facts
from tests.schema.test_random_operations import enrich, uid

THERE = ("Order", "TaxReturn", "FinancialStatement")
"""Facts that the small world has."""
ALONE = frozenset({"customer", "customer_client", "customer_merge", "access_log", "tombstone", "shop_month"})
"""What is not copied: who sees whom is what differs, the log is a chain, and months are touched by the facts that come."""
FIRST = ("connection", "consent", "raw_page")


class Standing(StrEnum):
    """How a customer stands to the clients that ask."""

    OWN = "own"
    FOREIGN = "granted to another client"
    NOT_GRANTED = "granted to nobody"
    NO_CONSENT = "own, every consent withdrawn"


CUSTOMERS = {standing: uid(200 + n) if n else World().mine for n, standing in enumerate(Standing)}


async def fill(database: Database, world: World) -> None:
    async with database.work() as tx:
        await enrich(tx, world)
        await _more(tx, world)
        await _facts(tx, world)
        await object_to_facts(tx, world)
    async with database.work() as tx:
        for standing, customer in CUSTOMERS.items():
            if standing is not Standing.OWN:
                await _copy(tx, world, customer, standing)


async def _more(tx: Write, world: World) -> None:
    mine, of = {"customer_id": world.mine}, {"customer_id": world.mine, "evaluation_id": world.evaluation}
    had = {"SHOP", "TAX", "FINANCIALS"}
    consents = [consent_row(world, uid(300 + n), kind) for n, kind in enumerate(SourceKind) if kind not in had]
    await tx.execute(insert(tables.consent), consents)
    await tx.execute(insert(tables.party), [{**_row(tables.party), **mine, "party_id": uid(340 + n), **end} for n, end in enumerate(_ENDS)])
    rows: tuple[tuple[Table, dict[str, Any]], ...] = (
        (tables.identity_event, {"event_id": uid(350), "kind": "PARTY_ADDED"}),
        (tables.check_result, of),
        (tables.reason_text, {**of, "customer_visible": True, "ordinal": 5}),
        (
            tables.consent_event,
            {"event_id": uid(351), "consent_id": world.shop_consent, "changes": {"data_to": ["2026-01-01", "2025-01-01"]}},
        ),
    )
    for table, more in rows:
        row = {**_row(table), **mine, **more}
        await tx.execute(insert(table), {name: value for name, value in row.items() if name in table.c})


_ENDS: tuple[dict[str, Any], ...] = (
    {"ended_at": None, "valid_to": None, "role": "SUBJECT"},
    {"ended_at": KNOWN, "valid_to": date(2025, 1, 1), "role": "SPOUSE"},
)


async def _facts(tx: Write, world: World) -> None:
    for n, spec in enumerate(all_specs()):
        if spec.name not in THERE:
            table = FACT_TABLES[spec.name]
            row = {**_row(table), **fact_row(world, 400 + n), "occurred_on": date(2025, 12, 3)}
            await tx.execute(insert(table), {name: value for name, value in row.items() if name in table.c})


def _row(table: Table) -> dict[str, Any]:
    """A value for every column that takes one."""
    return {column.name: _value(column.type) for column in table.c if column.computed is None and column.identity is None}


def _value(kind: Any) -> Any:
    match kind:
        case ARRAY():
            return []
        case sql.JSON():
            return {}
        case sql.Boolean():
            return True
        case sql.DateTime():
            return KNOWN - timedelta(days=2)
        case sql.Date():
            return date(2025, 12, 3)
        case sql.Numeric():
            return Decimal(1)
        case sql.Integer() | sql.Double():
            return 1
        case sql.LargeBinary():
            return b"x"
        case sql.String():
            return "2025-12"
    return uid(390)


async def _copy(tx: Write, world: World, customer: UUID, standing: Standing) -> None:
    row = {"customer_id": customer, "kind": "ORG", "name_masked": "绿*", "subject_hash": str(customer), "created_at": KNOWN}
    await tx.execute(insert(tables.customer), row)
    for client in _clients(standing):
        await tx.execute(insert(tables.customer_client), {"customer_id": customer, "client_id": client})
    names = sorted(set(owned_tables()) - ALONE, key=lambda name: (name not in FIRST, name))
    for name in names:
        kept = [
            column.name for column in metadata.tables[name].c if column.name != "customer_id" and not (column.identity or column.computed)
        ]
        listed = ", ".join(kept)
        copied = f"INSERT INTO {name} (customer_id, {listed}) SELECT :new, {listed} FROM {name} WHERE customer_id = :old"
        await tx.execute(text(copied), {"new": customer, "old": world.mine})
    if standing is Standing.NO_CONSENT:
        await tx.execute(text("UPDATE consent SET status = 'REVOKED' WHERE customer_id = :one"), {"one": customer})


def _clients(standing: Standing) -> Iterator[str]:
    if standing is Standing.FOREIGN:
        yield "another"
    if standing is Standing.NO_CONSENT:
        yield from ("partner-app", "risk-desk")
