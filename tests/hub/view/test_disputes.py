"""A value is shown with what is objected to in it: a fact in every version, a value of an evaluation, its result; and what an evaluation was made by."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import insert, select

from hub.store import tables
from hub.store.database import Database
from hub.store.fact_tables import FACT_TABLES
from tests.hub.view.test_reading import ask
from tests.hub.view.world import KNOWN, World, build
from tests.schema.lending import lend

FACTS = "query ($id: ID!) { customer(id: $id) { orders(first: 20) { nodes { orderNumber version disputes { state dueOn about } } } } }"
EVALUATION = """query ($id: ID!) { customer(id: $id) { evaluation(scenario: "S03") { disputes { state featureId } features { id disputes { state dueOn resolvedBy } }
    references { name version source } relations { toUscc type weight source } codeVersion resultSha256 } } }"""


async def _object(database: Database, world: World, number: str) -> dict[str, Any]:
    order = FACT_TABLES["Order"]
    async with database.work() as tx:
        fact = (await tx.execute(select(order).where(order.c.order_number == number, order.c.known_to.is_(None)))).one()
        row = {"customer_id": world.mine, "dispute_id": fact.fact_id, "kind": "Order", "about": fact.fact_id, "source_key": fact.source_key}
        told = {"state": "OPEN", "statement": b"x", "raised_at": KNOWN, "raised_by": "partner-app", "due_on": date(2026, 2, 9)}
        await tx.execute(insert(tables.dispute), {**row, **told})
    return {"state": "OPEN", "dueOn": "2026-02-09", "about": f"Order:{world.mine}:{fact.fact_id}"}


@pytest.mark.law("征信业管理条例 25: marked")
async def test_a_fact_is_shown_with_what_is_objected_to(database: Database) -> None:
    world = await build(database)
    wanted = await _object(database, world, "N4")
    found = (await ask(database, FACTS, id=world.id))["customer"]["orders"]["nodes"]
    assert {one["orderNumber"]: one["disputes"] for one in found} == {
        one["orderNumber"]: [wanted] if one["orderNumber"] == "N4" else [] for one in found
    }
    node = f'{{ node(id: "{wanted["about"]}") {{ ... on Fact {{ disputes {{ about }} }} }} }}'
    assert (await ask(database, node))["node"]["disputes"] == [{"about": wanted["about"]}]


async def test_every_fact_of_a_kind_shows_what_is_objected_to_in_the_kind(database: Database) -> None:
    world = await build(database)
    row = {"customer_id": world.mine, "dispute_id": world.mine, "kind": "Order", "about": world.mine, "state": "OPEN", "statement": b"x"}
    async with database.work() as tx:
        await tx.execute(insert(tables.dispute), {**row, "raised_at": KNOWN, "raised_by": "customer", "due_on": date(2026, 2, 9)})
    wanted = [{"state": "OPEN", "dueOn": "2026-02-09", "about": f"Order:{world.mine}:{world.mine}"}]
    found = (await ask(database, FACTS, id=world.id))["customer"]["orders"]["nodes"]
    assert len(found) > 1 and all(one["disputes"] == wanted for one in found)
    assert (await ask(database, f'{{ node(id: "{wanted[0]["about"]}") {{ id }} }}'))["node"] is None
    other = FACTS.replace("orders", "shops").replace("orderNumber", "id")
    assert all(one["disputes"] == [] for one in (await ask(database, other, id=world.id))["customer"]["shops"]["nodes"]), (
        "another kind does not"
    )


async def test_an_evaluation_shows_it_by_its_values_and_what_it_was_made_by(database: Database) -> None:
    world = await build(database)
    async with database.work() as tx:
        await lend(tx, world)
    found = (await ask(database, EVALUATION, id=world.id))["customer"]["evaluation"]
    assert found["disputes"] == [{"state": "OPEN", "featureId": None}]
    disputed = {one["id"]: one["disputes"] for one in found["features"] if one["disputes"]}
    assert disputed == {"ss_gmv_mean": [{"state": "KEPT", "dueOn": "2026-02-09", "resolvedBy": "admin"}]}
    assert found["references"] == [{"name": "lender", "version": 1, "source": "board"}], "the version that it names, not the newest"
    assert {(one["toUscc"], one["weight"]) for one in found["relations"]} == {
        ("91330203MA2DEMKX15", "0.3000"),
        ("91999900MA9XXXX34X", None),
    }
    assert (found["codeVersion"], found["resultSha256"]) == ("1.0", "r")
