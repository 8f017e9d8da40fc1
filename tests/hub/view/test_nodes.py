"""Nodes and cursors (Relay): every global id is found again, what may not be seen is nothing; a cursor belongs to its list."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from sqlalchemy import insert, text, update

from hub.domain.caller import Caller
from hub.errors import InvalidInput
from hub.store.database import Database
from hub.store.fact_tables import FACT_TABLES
from hub.store.tables import consent, party
from hub.store.view import CATALOGUE
from hub.store.view.catalogue import NodeOf
from schema.access import AUDIENCES
from tests.hub.view.test_reading import SCHEMA, ask
from tests.hub.view.world import KNOWN, PARTNER, RISK, World, build, order_row

NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"


async def kinds(database: Database, ids: list[str], caller: Caller = RISK) -> list[str | None]:
    found = (await ask(database, NODES, caller, ids=ids))["nodes"]
    assert all(one is None or one["id"] == asked for one, asked in zip(found, ids, strict=True))
    return [one and one["__typename"] for one in found]


async def everything(database: Database, world: World) -> dict[str, str]:
    """An id of each type that the small world has, as it is handed out."""
    person = {"party_id": World().tax, "role": "OPERATOR", "name_masked": "白*", "id_hash": "h", "id_masked": "3301**", "identity": b"x"}
    async with database.work() as tx:
        await tx.execute(insert(party), {"customer_id": world.mine, **person})
    query = """query ($id: ID!) { customer(id: $id) { id parties { id } consents { id } connections { id runs { id } }
        evaluations { nodes { id } } orders(first: 1) { nodes { id } } taxReturns { nodes { id } } accessLog { nodes { id } } } }"""
    await ask(database, query, id=world.id)
    found = (await ask(database, query, id=world.id))["customer"]
    ids = [one.split('"')[3] for one in json.dumps(found).split("{") if one.startswith('"id"')]
    return {one.partition(":")[0] if ":" in one else "Customer": one for one in ids}


async def test_every_id_that_is_handed_out_is_a_node(database: Database) -> None:
    ids = await everything(database, await build(database))
    assert set(ids) >= {"Customer", "Party", "Consent", "PlatformConnection", "SyncRun", "Evaluation", "Order", "TaxReturn", "AccessRecord"}
    assert await kinds(database, list(ids.values())) == list(ids)
    assert await kinds(database, [*reversed(ids.values()), *ids.values()]) == [*reversed(ids), *ids], "in the order they were asked for"


async def test_each_node_needs_what_its_type_needs() -> None:
    """What the store asks for is what the contract declares."""
    for name in ("node", "nodes"):
        member = CATALOGUE["Query"].members[name]
        assert isinstance(member, NodeOf)
        possible = {one.name for one in SCHEMA.core.get_possible_types(SCHEMA.core.type_map["Node"])}  # type: ignore[arg-type]
        assert set(member.rows) == possible
        rules = {kind: SCHEMA.rules.by_coordinate[kind, "id"] for kind in member.rows}
        assert {kind: row.scope for kind, row in member.rows.items()} == {kind: rule and rule.scope for kind, rule in rules.items()}


async def test_what_is_asked_of_an_abstract_type_needs_no_less_than_of_each() -> None:
    """The plan asks for the abstract type's scope where nothing is asked of a concrete one by its name. Nodes are gated in the store, each by its own."""
    fact = SCHEMA.core.type_map["Fact"]
    for one in SCHEMA.core.get_possible_types(fact):  # type: ignore[arg-type]
        for name in fact.fields:  # type: ignore[attr-defined]
            own, shared = (SCHEMA.rules.by_coordinate[owner, name] for owner in (one.name, "Fact"))
            assert own and shared and own.scope == shared.scope == "facts:read"


async def test_what_may_not_be_seen_and_what_is_not_are_alike(database: Database) -> None:
    world = await build(database)
    ids = await everything(database, world)
    theirs = {kind: one.replace(world.id, str(world.theirs)) for kind, one in ids.items()}
    assert await kinds(database, list(theirs.values())) == [None] * len(theirs)
    forged = [
        "",
        "x",
        "Order",
        f"Order:{world.id}",
        f"Order:{world.id}:x",
        f"Nothing:{world.id}:{world.page}",
        ids["Order"] + "0",
        f"Order:{ids['Evaluation']}",
    ]
    assert await kinds(database, forged) == [None] * len(forged)
    stranger = Caller("stranger", "INTERNAL", AUDIENCES["INTERNAL"], "CREDIT_APPROVAL")
    assert await kinds(database, list(ids.values()), stranger) == [None] * len(ids)


async def test_a_partner_finds_results_and_no_facts(database: Database) -> None:
    """It asks for nothing but the id, which every node has: no scope is missing, and what needs one is not there."""
    ids = await everything(database, await build(database))
    found = dict(zip(ids, await kinds(database, list(ids.values()), PARTNER), strict=True))
    assert {kind for kind, one in found.items() if one is None} == {"Order", "TaxReturn", "AccessRecord"}, (
        "the record is of another one's read"
    )
    reader = Caller("partner-app", "PARTNER", frozenset({"customers:read"}), "CREDIT_APPROVAL")
    assert await kinds(database, [ids["Evaluation"], ids["Customer"]], reader) == [None, "Customer"]


async def test_a_fact_is_found_while_a_consent_lets_it_be_read(database: Database) -> None:
    world = await build(database)
    ids = await everything(database, world)
    row = order_row(world, 9, (KNOWN.date().replace(year=2023)), "5.00")
    async with database.work() as tx:
        await tx.execute(insert(FACT_TABLES["Order"]), row)
    assert await kinds(database, [f"Order:{world.id}:{row['fact_id']}", ids["Order"]]) == [None, "Order"], "its day is not consented"
    async with database.work() as tx:
        await tx.execute(update(consent).where(consent.c.source == "SHOP").values(status="REVOKED"))
    assert await kinds(database, [ids["Order"], ids["TaxReturn"]]) == [None, "TaxReturn"]


async def test_what_is_there_for_another_use_is_told_to_nobody_else(database: Database) -> None:
    """By whatever id: consents, that a platform is linked at all, and how many records it had of somebody."""
    world = await build(database)
    ids = await everything(database, world)
    link = {kind: ids[kind] for kind in ("Consent", "PlatformConnection", "SyncRun")}
    query = "query ($id: ID!) { customer(id: $id) { consents { id } connections { id status runs { fetched } } } }"
    for purpose in ("POST_LOAN", ""):
        other = Caller("risk-desk", "INTERNAL", AUDIENCES["INTERNAL"], purpose)
        assert await kinds(database, list(link.values()), other) == [None] * 3
        assert (await ask(database, query, other, id=world.id))["customer"] == {"consents": [], "connections": []}
    assert await kinds(database, list(link.values()), RISK) == list(link), "control"


async def test_how_much_was_fetched_is_hidden_with_what_was_fetched(database: Database) -> None:
    world = await build(database)
    ids = await everything(database, world)
    query = "query ($id: ID!) { customer(id: $id) { connections { connector status runs { fetched } } } }"

    async def shop() -> Any:
        found = (await ask(database, query, PARTNER, id=world.id))["customer"]["connections"]
        return next(one for one in found if one["connector"] == "market")

    assert await shop() == {"connector": "market", "status": "ACTIVE", "runs": [{"fetched": 5}]}
    async with database.work() as tx:
        await tx.execute(update(consent).where(consent.c.source == "SHOP").values(status="REVOKED"))
    assert await shop() == {"connector": "market", "status": "ACTIVE", "runs": []}
    assert await kinds(database, [ids["SyncRun"]], PARTNER) == [None]


async def test_what_is_found_by_its_id_is_logged_under_its_consent(database: Database) -> None:
    world = await build(database)
    ids = await everything(database, world)
    await ask(
        database, "query ByIds($ids: [ID!]!) { nodes(ids: $ids) { ... on Order { paidAmount } ... on Shop { name } } }", ids=[ids["Order"]]
    )
    query = text("select fields, consents, withheld from access_log where operation = 'ByIds'")
    async with database.work() as tx:
        (row,) = (await tx.execute(query)).all()
    assert row.fields == ["Query.nodes", "Order.paidAmount", "Shop.name"] and row.consents == [world.shop_consent] and row.withheld == []


async def test_a_node_as_it_was(database: Database) -> None:
    world = await build(database)
    query = "query ($id: ID!, $d: Date) { node(id: $id, asOf: $d) { ... on Customer { orders { totalCount } } } }"
    counts = [(await ask(database, query, id=world.id, d=day))["node"]["orders"]["totalCount"] for day in ("2025-12-02", None)]
    assert counts == [2, 5]


async def test_ids_are_bounded(database: Database) -> None:
    with pytest.raises(InvalidInput, match="At most 100 ids"):
        await ask(database, NODES, ids=["x"] * 101)
    assert await kinds(database, []) == []


ORDERS = "query ($id: ID!, $after: String) { customer(id: $id) { orders(first: 2, after: $after) { nodes { orderNumber } edges { cursor } pageInfo { endCursor } } } }"


async def orders(database: Database, world: World, after: str | None = None) -> Any:
    return (await ask(database, ORDERS, id=world.id, after=after))["customer"]["orders"]


async def test_a_cursor_stays_where_it_is_while_rows_come_and_go(database: Database) -> None:
    """Rows before it are added, the row it was made of ends, and the page after it is the same."""
    world = await build(database)
    end = (await orders(database, world))["pageInfo"]["endCursor"]
    before = await orders(database, world, end)
    async with database.work() as tx:
        await tx.execute(insert(FACT_TABLES["Order"]), [order_row(world, n, KNOWN.date().replace(day=n), "5.00") for n in (11, 12, 13)])
        await tx.execute(text("update fact_order set known_to = now() where order_number = 'N4'"))
    assert [one["orderNumber"] for one in (await orders(database, world))["nodes"]] == ["N13", "N12"]
    assert (await orders(database, world, end))["nodes"] == before["nodes"] == [{"orderNumber": "N3"}, {"orderNumber": "N2"}]


async def test_a_cursor_of_another_list_or_a_changed_one_is_told(database: Database) -> None:
    world = await build(database)
    own = (await orders(database, world))["pageInfo"]["endCursor"]
    other = (await ask(database, "{ customers(first: 1) { pageInfo { endCursor } } }"))["customers"]["pageInfo"]["endCursor"]
    with pytest.raises(InvalidInput, match="belongs to another list"):
        await orders(database, world, other)
    moved = base64.b64encode(base64.b64decode(own).replace(b"2025-12-04", b"2025-12-02")).decode()
    assert moved != own
    with pytest.raises(InvalidInput, match="was changed"):
        await orders(database, world, moved)
