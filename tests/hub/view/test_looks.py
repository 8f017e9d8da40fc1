"""What a look for changes reads: the latest of each customer, however many there are."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import text

from hub.store.database import Database, Write
from hub.store.view.profiles import _BY_KEY, _LOOK, LATEST
from tests.hub.view.world import KNOWN, World, build

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
    plan = (await tx.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {look.text}"), values)).scalar_one()
    todo, found = [plan[0]["Plan"]], 0
    while todo:
        node = todo.pop()
        todo += node.get("Plans", [])
        if node.get("Relation Name") == "profile_change":
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
