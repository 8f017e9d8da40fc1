"""The database goes away under a run or a worker: nothing crashes, nothing is said that is not so, and what is due is done once it is back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from hub.domain.enums import Verdict
from hub.store.database import is_away
from hub.sync import engine as engines
from tests.hub.sync.platform import refund
from tests.hub.sync.working import apart, as_owner, break_connections, dispatcher, queue_is_empty, until, working
from tests.hub.sync.world import QUICK, TODAY, World


@pytest.fixture
def world(alone: World) -> World:
    return alone


def break_at_page(world: World, number: str) -> list[int]:
    """Cuts every connection to the database while the platform answers a page, once."""
    broken: list[int] = []

    async def before(heard: Mapping[str, str]) -> None:
        if heard.get("page") == number and not broken:
            broken.append(await asyncio.to_thread(break_connections, world))

    world.platform.before = before
    return broken


async def test_a_run_that_the_database_breaks_off_says_so_and_is_tried_again(world: World) -> None:
    world.platform.rows[TODAY] = [refund(str(number)) for number in range(5)]
    broken = break_at_page(world, "2")
    assert await world.sync() is Verdict.PARKED
    assert broken and broken[0] > 0
    row, run = await world.one("connection"), await world.one("sync_run")
    assert (row["last_verdict"], row["last_fault"], row["lease_until"], row["failures"]) == ("PARKED", "StoreUnavailable", None, 0)
    # The page before is committed while the next one is asked for: the break may have taken it along, or come too late for it. A lane that was cut while nothing was under
    # way is opened anew, so that the page at hand may be committed, too; the last one goes over the pool.
    assert (run["verdict"], run["fault"]) == ("PARKED", "StoreUnavailable") and run["fetched"] in (0, 2, 4)
    (due,) = await world.rows("SELECT due_at - now() AS wait FROM connection WHERE connection_id = :connection")
    assert 0 < due["wait"].total_seconds() <= engines.STORE_BACK
    assert await world.sync() is Verdict.COMPLETE
    went_on = ["1", "2", "3"][run["fetched"] // 2 :]
    # Where the second page was committed, the third may have been asked for, or not.
    before = [["1", "2"], *([["1", "2", "3"]] if run["fetched"] == 4 else [])]
    assert [one["page"] for one in world.platform.asked()] in [[*one, *went_on] for one in before], (
        "it went on from its last committed page"
    )
    assert await world.count("fact_refund") == 5


async def test_a_run_that_was_broken_off_before_it_planned_skips_no_cycle(world: World) -> None:
    """What is to be read again in each cycle is read by the next run."""
    world.platform.rows[TODAY] = [refund("1")]
    assert await world.sync() is Verdict.COMPLETE
    as_owner(world, "ALTER TABLE sync_window RENAME TO away")
    try:
        assert await world.sync(replace(QUICK, again=100)) is Verdict.FAILED
    finally:
        as_owner(world, "ALTER TABLE away RENAME TO sync_window")
    assert await world.sync() is Verdict.COMPLETE
    assert len(world.platform.asked()) == 2


async def test_a_statement_that_the_database_refuses_is_a_failure(world: World) -> None:
    world.platform.rows[TODAY] = [refund("1")]
    as_owner(world, "ALTER TABLE fact_refund RENAME TO away")
    try:
        assert await world.sync(replace(QUICK, again=100)) is Verdict.FAILED
    finally:
        as_owner(world, "ALTER TABLE away RENAME TO fact_refund")
    row = await world.one("connection")
    assert (row["last_fault"], row["failures"], row["due_at"] is not None) == ("StoreRefused", 1, True)


async def test_a_verdict_is_said_when_the_database_is_back(world: World) -> None:
    """The end of the run fails in the database, until it does not."""

    class Watched(engines.Engine):
        async def _until_told(self, run: engines.Run) -> engines.Ending:
            ending = await super()._until_told(run)
            as_owner(world, "ALTER TABLE connection RENAME TO away")
            asyncio.get_running_loop().call_later(0.3, as_owner, world, "ALTER TABLE away RENAME TO connection")
            return ending

    await world.make_due()
    assert await Watched(world.equipment, world.calls, QUICK).run(world.customer_id, world.connection_id) is Verdict.EMPTY_EXPECTED
    assert (await world.one("connection"))["last_verdict"] == "EMPTY_EXPECTED"


async def test_a_run_that_cannot_say_its_verdict_is_left_to_its_lease(world: World) -> None:
    class Watched(engines.Engine):
        async def _until_told(self, run: engines.Run) -> engines.Ending:
            ending = await super()._until_told(run)
            as_owner(world, "ALTER TABLE connection RENAME TO away")
            return ending

    await world.make_due()
    try:
        patience = replace(QUICK, lease=1.0)
        assert await Watched(world.equipment, world.calls, patience).run(world.customer_id, world.connection_id) is None
    finally:
        as_owner(world, "ALTER TABLE away RENAME TO connection")
    row = await world.one("connection")
    assert (row["last_verdict"], row["lease_until"] is not None) == (None, True)

    async def again() -> Verdict | None:
        return await world.engine().run(world.customer_id, world.connection_id)

    assert await until(again) is Verdict.EMPTY_EXPECTED


async def test_a_heartbeat_survives_a_missed_one(world: World) -> None:
    """The lease of a run that waits is renewed after the database was away for a moment."""
    await world.make_due()
    let_go = asyncio.Event()

    async def before(_: Mapping[str, str]) -> None:
        await let_go.wait()

    world.platform.before = before
    running = asyncio.create_task(world.engine(replace(QUICK, lease=1.0, heartbeat=0.1)).run(world.customer_id, world.connection_id))
    await until(lambda: asyncio.sleep(0, bool(world.platform.heard)))
    await asyncio.to_thread(break_connections, world)
    await asyncio.sleep(1.5)
    assert await world.rows("SELECT 1 FROM connection WHERE connection_id = :connection AND lease_until > now()")
    let_go.set()
    assert await running is Verdict.EMPTY_EXPECTED


async def test_a_worker_goes_on_after_all_its_connections_broke(world: World) -> None:
    """Procrastinate's worker ends; the process does not, and what is due afterwards is done. Whether the run that is cut survives depends on who meets the
    broken connections first; that it ends does not. A nudge whose end could not be written is swept once its worker has been silent for a while.
    """
    world.platform.rows[TODAY] = [refund(str(number)) for number in range(9)]
    broken = break_at_page(world, "3")
    async with dispatcher(world, period=0.2, stalled=3.0) as made, working(made, world.engine(QUICK)):
        await world.make_due()
        await until(looking_at(world, "SELECT 1 FROM connection WHERE last_verdict IS NOT NULL"))
        assert broken
        for _ in range(3):
            await asyncio.to_thread(break_connections, world)
        ((epoch,),) = apart(world, "UPDATE connection SET due_at = clock_timestamp() RETURNING epoch")
        await until(looking_at(world, f"SELECT 1 FROM sync_run WHERE epoch > {epoch} AND verdict = 'COMPLETE'"))
        await queue_is_empty(world)
    assert await world.count("fact_refund") == 9


def looking_at(world: World, statement: str) -> Callable[[], Awaitable[list[tuple[Any, ...]]]]:
    return lambda: asyncio.to_thread(apart, world, statement)


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (NoConnectionFree("no connection free"), True),
        (psycopg.errors.AdminShutdown("gone"), True),
        (DBAPIError("SELECT", {}, psycopg.errors.QueryCanceled("too slow")), True),
        (DBAPIError("SELECT", {}, psycopg.errors.UndefinedTable("no such table")), False),
        (psycopg.errors.NumericValueOutOfRange("too large"), False),
        (SQLAlchemyError("misused"), False),
    ],
)
def test_what_counts_as_away(error: Exception, away: bool) -> None:
    assert is_away(error) is away
