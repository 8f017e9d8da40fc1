"""The database's own law: nothing is deleted but what a tombstone of the same transaction names, and a tombstone names only what is due."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import create_engine, pool, text
from sqlalchemy.exc import DBAPIError

from hub.store.database import Scope, Write
from hub.store.erasure import erase_due
from hub.store.security import ERASED
from tests.hub.erasure.side import erase, held, on, stones, today
from tests.hub.sync.world import World

_STONE = text("""
    INSERT INTO tombstone (customer_id, tombstone_id, reason, due_on, done_on, rows, pages, pages_sha256)
    SELECT customer_id, gen_random_uuid(), 'CONSENT_REVOKED', CAST(:on AS date), CAST(:on AS date), '{}', array_agg(page_id), '' FROM raw_page GROUP BY customer_id
""")
_DAY = text("SELECT set_config('hub.today', :on, true)")


async def _named(tx: Write, day: date) -> None:
    """A tombstone of this transaction that names all pages, on a day."""
    await tx.execute(_DAY, {"on": day.isoformat()})
    await tx.execute(_STONE, {"on": day})


async def _withdrawn(world: World, days: int) -> date:
    await world.sync()
    await world.withdraw()
    await on(world, days)
    return today(world)


@pytest.mark.parametrize("table", ["fact_refund", "raw_page"])
async def test_what_no_tombstone_names_cannot_be_deleted(world: World, table: str) -> None:
    """Though it is due, and though a tombstone of an earlier transaction named it."""
    day = await _withdrawn(world, 7)
    before = await held(world)
    async with world.database.work() as tx:
        assert (await tx.execute(text(f"DELETE FROM {table}"))).rowcount == 0
    async with world.database.work() as tx:
        await _named(tx, day)
    async with world.database.work() as tx:
        await tx.execute(_DAY, {"on": day.isoformat()})
        assert (await tx.execute(text(f"DELETE FROM {table}"))).rowcount == 0
    assert await held(world) == {**before, "tombstone": 1}


async def test_what_one_names_can_facts_before_pages(world: World) -> None:
    """The control: the law is not that nothing can be deleted."""
    day = await _withdrawn(world, 7)
    async with world.database.work() as tx:
        await _named(tx, day)
        assert (await tx.execute(text("DELETE FROM fact_refund"))).rowcount == 5
        assert (await tx.execute(text("DELETE FROM raw_page"))).rowcount == 3


async def test_a_page_does_not_go_before_its_facts(world: World) -> None:
    day = await _withdrawn(world, 7)
    async with world.database.worker.connect() as connection:
        await _named(Write(connection), day)
        with pytest.raises(DBAPIError, match="a page goes with its facts or after them"):
            await connection.execute(text("DELETE FROM raw_page"))


async def test_a_tombstone_names_nothing_that_is_not_due(world: World) -> None:
    day = await _withdrawn(world, 6)
    for wrong in (day, date(2026, 1, 22)):
        async with world.database.worker.connect() as connection:
            await connection.execute(_DAY, {"on": day.isoformat()})
            with pytest.raises(DBAPIError, match="row-level security"):
                await connection.execute(_STONE, {"on": wrong})
    async with world.database.work() as tx:
        await _named(tx, date(2026, 1, 22))
        # Whose day it is, the transaction says: an hour that is set wrong is an operator's to answer for (ADR 28).


async def test_a_tombstone_stays(world: World) -> None:
    await _withdrawn(world, 7)
    await erase(world)
    for change in ("UPDATE tombstone SET note = 'x'", "DELETE FROM tombstone"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with world.database.work() as tx:
                await tx.execute(text(change))
    with pytest.raises(DBAPIError, match="permission denied"):
        async with world.database.write(Scope("test", "CREDIT_APPROVAL")) as tx:
            await tx.execute(_STONE, {"on": today(world)})
    assert len(await stones(world)) == 1


async def test_a_client_may_erase_nothing(world: World) -> None:
    for statement in (one for table in sorted(ERASED) for one in (f"DELETE FROM {table}", f"UPDATE {table} SET customer_id = customer_id")):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with world.database.write(Scope("test", "CREDIT_APPROVAL")) as tx:
                await tx.execute(text(statement))


async def test_without_the_law_the_tests_above_would_find_it(world: World) -> None:
    """The control of them all: with the policies gone, a stray DELETE deletes."""
    await _withdrawn(world, 6)
    engine = create_engine(world.database.urls.owner, poolclass=pool.NullPool)
    with engine.begin() as connection:
        connection.execute(text("DROP POLICY erased_only ON fact_refund"))
    engine.dispose()
    async with world.database.work() as tx:
        assert (await tx.execute(text("DELETE FROM fact_refund"))).rowcount == 5
    assert await erase_due(world.database, world.customer_id, today(world)) == {}
