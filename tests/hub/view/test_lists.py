"""Lists of facts: chosen by period, state and counterparty, counted and summed up to a bound, each with its access block."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, text, update

from hub.domain.facts import FieldType, all_specs
from hub.domain.facts.names import choosers, field_name, list_name, summed
from hub.store.database import Database
from hub.store.fact_tables import FACT_TABLES
from hub.store.tables import consent
from hub.store.view import paging
from tests.hub.view.test_reading import SCHEMA, ask
from tests.hub.view.world import KNOWN, World, build, order_row


async def orders(database: Database, world: World, given: str, selected: str) -> Any:
    return (await ask(database, f"query ($id: ID!) {{ customer(id: $id) {{ orders{given} {{ {selected} }} }} }}", id=world.id))["customer"][
        "orders"
    ]


NUMBERS = "totalCount nodes { orderNumber }"


@pytest.mark.parametrize(
    ("given", "numbers"),
    [
        ('(status: [COMPLETED], from: "2025-12-04")', ["N5", "N4"]),
        ("(status: PAID)", []),
        ("(status: [])", []),
        ("(status: null)", ["N5", "N4", "N3", "N2", "N1"]),
        ('(orderNumber: ["N1", "N3", "N6"])', ["N3", "N1"]),
        ('(platform: "market", to: "2025-12-01")', ["N1"]),
        ('(receiverCity: ["330101"])', []),
        ('(orderNumber: "N1\' or true --")', []),
    ],
)
async def test_rows_are_chosen(database: Database, given: str, numbers: list[str]) -> None:
    world = await build(database)
    found = await orders(database, world, given, NUMBERS)
    assert ([one["orderNumber"] for one in found["nodes"]], found["totalCount"]) == (numbers, len(numbers))


async def test_every_kind_takes_the_arguments_of_its_declaration() -> None:
    fields = SCHEMA.core.type_map["Customer"].fields  # type: ignore[attr-defined]
    for spec in all_specs():
        arguments = set(fields[list_name(spec)].args)
        days = {"from", "to"} if spec.occurred else set()
        assert arguments == {"first", "after", *days, *(field_name(field) for field in choosers(spec))}
        assert not [field for field in choosers(spec) if field.kind is FieldType.PERSONAL]
        assert ("totals" in SCHEMA.core.type_map[f"{spec.name}Connection"].fields) == bool(summed(spec))  # type: ignore[attr-defined]


async def test_what_sums_up_nothing_is_one_object_all_the_same(database: Database) -> None:
    world = await build(database)
    assert await orders(database, world, "", "totals { __typename }") == {"totals": {"__typename": "OrderTotals"}}


async def test_amounts_are_summed_over_all_pages(database: Database) -> None:
    world = await build(database)
    found = await orders(
        database, world, '(first: 1, from: "2025-12-02")', "totals { paidAmount discount } totalIsExact nodes { paidAmount }"
    )
    assert found == {"totals": {"paidAmount": "142.00", "discount": "0.00"}, "totalIsExact": True, "nodes": [{"paidAmount": "50.50"}]}


async def test_a_sum_of_nothing_is_null_and_the_access_block_says_why(database: Database) -> None:
    world = await build(database)
    shown = "totalCount totals { paidAmount } access { source status denial dataEnd ageDays staleAfterDays fetchedAt coverage { first last } consent { status } connection { connector } }"
    found = await orders(database, world, "", shown)
    covered = [{"first": "2025-01-01", "last": "2026-01-19"}]
    assert found["access"] == {
        **{"source": "SHOP", "status": "AVAILABLE", "denial": None, "dataEnd": "2026-01-19", "ageDays": 1, "staleAfterDays": 3},
        **{"fetchedAt": KNOWN.isoformat(), "coverage": covered, "consent": {"status": "ACTIVE"}, "connection": {"connector": "market"}},
    }
    async with database.work() as tx:
        await tx.execute(update(consent).where(consent.c.source == "SHOP").values(status="REVOKED"))
    found = await orders(database, world, "", shown)
    assert (found["totalCount"], found["totals"]) == (0, {"paidAmount": None})
    assert (found["access"]["status"], found["access"]["denial"]) == ("CONSENT_WITHDRAWN", "CONSENT_REVOKED")


async def test_what_no_row_says_is_null_and_not_zero(database: Database) -> None:
    world = await build(database)
    query = "query ($id: ID!) { customer(id: $id) { taxReturns { totals { declaredRevenue taxPayable } } } }"
    found = (await ask(database, query, id=world.id))["customer"]["taxReturns"]["totals"]
    assert found == {"declaredRevenue": "351250.00", "taxPayable": None}


async def test_counts_and_sums_stop_at_a_bound(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await build(database)
    monkeypatch.setattr(paging, "MOST_COUNTED", 4)
    shown = "totalCount totalIsExact totals { paidAmount }"
    assert await orders(database, world, "", shown) == {"totalCount": 4, "totalIsExact": False, "totals": {"paidAmount": None}}
    four = {"totalCount": 4, "totalIsExact": True, "totals": {"paidAmount": "102.00"}}
    assert await orders(database, world, '(to: "2025-12-04")', shown) == four


async def test_a_sum_follows_the_time_asked_for(database: Database) -> None:
    world = await build(database)
    query = "query ($id: ID!, $d: Date) { customer(id: $id, asOf: $d) { orders { totals { paidAmount } } } }"
    async with database.work() as tx:
        await tx.execute(insert(FACT_TABLES["Order"]), order_row(world, 9, KNOWN.date().replace(day=2), "7.00"))
        await tx.execute(text("analyze fact_order"))
    sums = [(await ask(database, query, id=world.id, d=day))["customer"]["orders"]["totals"]["paidAmount"] for day in ("2025-12-02", None)]
    assert sums == ["31.00", "159.50"]
