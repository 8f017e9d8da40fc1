"""What a look for changes reads: the latest of each customer, however many there are. And what shows the newest facts: those, and no others."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from sqlalchemy import insert, text

from hub.store.database import Database, Write
from hub.store.fact_tables import FACT_TABLES
from hub.store.view import CATALOGUE, ViewSettings
from hub.store.view.binding import bind
from hub.store.view.environment import environment
from hub.store.view.profiles import _BY_KEY, _LOOK, LATEST
from hub.store.view.reader import Compiled
from tests.hub.view.test_reading import SCHEMA
from tests.hub.view.world import GRANTEE, KNOWN, RISK, World, build, order_row

MANY = 3_000
CHANGES = "INSERT INTO profile_change (customer_id, kind, of, known_at) SELECT :customer, 'FACTS', n::text, now() FROM generate_series(1, :count) n"
UNBOUNDED = text(re.sub(r"LIMIT \d+", "", _LOOK.text))


async def change(database: Database, world: World, count: int) -> None:
    async with database.work() as tx:
        await tx.execute(text(CHANGES), {"customer": world.mine, "count": count})


async def now(database: Database) -> str:
    async with database.work() as tx:
        return str((await tx.execute(text("SELECT pg_current_snapshot()::text"))).scalar_one())


def asked(world: World, since: str) -> dict[str, Any]:
    who = {"clients": ["risk-desk"], "tokens": ["t"], "issued": [0.0], "purposes": ["CREDIT_APPROVAL"]}
    return {"business": KNOWN, "places": [0], "customers": [world.mine], "sinces": [since], **who}


async def rows_read(tx: Write, look: Any, values: dict[str, Any]) -> int:
    """Of the changes, by the plan as it was run."""
    return rows_of((await tx.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {look.text}"), values)).scalar_one(), "profile_change")


def rows_of(plan: Any, table: str) -> int:
    todo, found = [plan[0]["Plan"]], 0
    while todo:
        node = todo.pop()
        todo += node.get("Plans", [])
        if node.get("Relation Name") == table:
            found += node["Actual Rows"] * node["Actual Loops"] + node.get("Rows Removed by Filter", 0) * node["Actual Loops"]
    return int(found)


async def test_a_look_reads_the_latest_changes_only(database: Database) -> None:
    world = await build(database)
    await change(database, world, MANY)
    values = asked(world, await now(database))
    async with database.work() as tx:
        await tx.execute(_BY_KEY)
        # A customer's own id stands among his parts, and among those of whoever he was merged with.
        assert 0 < await rows_read(tx, _LOOK, values) <= 2 * LATEST
        assert await rows_read(tx, UNBOUNDED, values) >= MANY, "control"


@pytest.mark.parametrize("count", [0, 1, LATEST, 5 * LATEST])
async def test_whatever_has_changed_since_is_seen(database: Database, count: int) -> None:
    world = await build(database)
    await change(database, world, 10 * LATEST)
    since = await now(database)
    await change(database, world, count)
    async with database.work() as tx:
        (row,) = (await tx.execute(_LOOK, asked(world, since))).all()
    assert row.changed is (count > 0)


NEWEST = {
    "a sample of evidence": 'evaluation(scenario: "S03") { features { evidence { sample(first: 1) { id } } } }',
    "a page of facts": "orders(first: 1) { nodes { id } pageInfo { hasNextPage } }",
}


@pytest.mark.parametrize("name", NEWEST)
async def test_the_newest_facts_are_found_without_the_others(database: Database, name: str) -> None:
    """A set of evidence, and a list, may hold all orders of a shop."""
    world = await build(database)
    document = SCHEMA.documents.of(f"query ($id: ID!) {{ customer(id: $id) {{ {NEWEST[name]} }} }}", introspecting=False)
    plan = SCHEMA.documents.plan(document, None, {})
    assert plan.read is not None
    given = {slot: value for slot, value in plan.values(SCHEMA.core, {"id": world.id}).items() if value is not None}
    compiled = Compiled.of(plan.read.selection, CATALOGUE, frozenset(given))
    bound = environment(RISK, ViewSettings(GRANTEE), KNOWN) | bind(compiled.statement.bindings, given)
    older = [order_row(world, 10_000 + n, date(2025, 12, 2), "1.00") for n in range(MANY)]
    endless = re.sub(r"fetch first \(.*?\) rows with ties", "", compiled.text)
    async with database.work() as tx:
        await tx.execute(insert(FACT_TABLES["Order"]), older)
        told = [
            (await tx.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {asked}", bound)).scalar_one() for asked in (compiled.text, endless)
        ]
    read, control = (rows_of(one, FACT_TABLES["Order"].name) for one in told)
    assert 0 < read < 10 and control >= MANY
