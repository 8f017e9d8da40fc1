"""When a connection is due again: at its own point of the period, or soon after a failure, and less soon after each further one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from sqlalchemy import text

from hub.domain.enums import Verdict
from hub.domain.identifiers import new_id
from hub.store.database import Write
from hub.store.pages import Run
from hub.sync.claim import Again, finish
from hub.sync.engine import Engine
from tests.hub.sync.platform import raw, refund
from tests.hub.sync.world import QUICK, TODAY, World

PATIENCE = replace(QUICK, again=100, longest_again=1500, period=1000)


async def wait(world: World) -> float:
    """Seconds until the connection is due."""
    (due,) = await world.rows(
        "SELECT extract(epoch FROM due_at - clock_timestamp())::float8 AS wait FROM connection WHERE connection_id = :connection"
    )
    return float(due["wait"])


async def test_what_was_read_to_its_end_is_due_within_a_period_and_a_tenth(world: World) -> None:
    assert await world.sync(PATIENCE) is Verdict.EMPTY_EXPECTED
    assert 99 <= await wait(world) <= 1100


async def test_a_connection_keeps_its_point_of_the_period(world: World) -> None:
    """Two ends that are far apart in time lead to the same point, a whole number of periods apart."""
    points = []
    for _ in range(2):
        run = await world.claimed()
        async with world.database.work() as tx:
            await finish(tx, run, Verdict.COMPLETE, again=world.engine(PATIENCE)._next(run))
        (row,) = await world.rows("SELECT extract(epoch FROM due_at)::float8 AS at FROM connection WHERE connection_id = :connection")
        points.append(row["at"] % 1000)
        await world.do("SELECT pg_sleep(0.2)")
    assert min(abs(points[0] - points[1]), 1000 - abs(points[0] - points[1])) < 0.01


async def phases_of(engine: Engine, world: World, count: int) -> list[float]:
    """When so many connections of one second would be due, each by its own id."""
    found = []
    for _ in range(count):
        again = engine._next(Run(world.customer_id, new_id(), new_id(), 1))
        assert again is not None and again.phase is not None
        found.append(again.phase)
    return found


def fullest(phases: list[float]) -> float:
    """The share of the fullest tenth of the period."""
    return max(Counter(int(phase * 10) for phase in phases).values()) / len(phases)


async def test_what_was_connected_together_is_spread_over_the_whole_period(world: World) -> None:
    assert fullest(await phases_of(world.engine(PATIENCE), world, 2000)) < 0.15


def test_the_spread_is_seen_to_be_missing() -> None:
    assert fullest([0.5 + place / 1e6 for place in range(2000)]) == 1.0


async def end(world: World, verdict: Verdict, again: Again | None) -> float:
    run = await world.claimed()
    async with world.database.work() as tx:
        await finish(tx, run, verdict, fault="Test", again=again)
    return await wait(world)


@pytest.mark.parametrize("verdict", [Verdict.INCOMPLETE, Verdict.FAILED])
async def test_each_further_failure_is_tried_later_but_within_a_bound(world: World, verdict: Verdict) -> None:
    again = world.engine(PATIENCE)._soon()
    assert again == Again(100, longest=1000), "never later than the timetable has it"
    waits = [await end(world, verdict, again) for _ in range(7)]
    for expected, seen in zip([100, 200, 400, 800, 1000, 1000, 1000], waits, strict=True):
        assert 0.74 * expected < seen <= 1.25 * expected
    assert any(abs(one - other) > 1 for one, other in pairwise(waits[4:])), "those that failed together do not come together for ever"
    assert (await world.one("connection"))["failures"] == 7


async def test_parking_is_no_failure_and_an_end_forgets_them(world: World) -> None:
    soon = Again(100, longest=1000)
    await end(world, Verdict.FAILED, soon)
    await end(world, Verdict.INCOMPLETE, soon)
    assert 119 < await end(world, Verdict.PARKED, Again(120)) <= 120
    assert (await world.one("connection"))["failures"] == 2
    await end(world, Verdict.COMPLETE, Again(1000, phase=0.5))
    assert (await world.one("connection"))["failures"] == 0


async def test_an_incomplete_run_comes_again_soon(world: World) -> None:
    world.platform.rows[TODAY], world.platform.declared[TODAY] = [refund("1")], 2
    assert await world.sync(PATIENCE) is Verdict.INCOMPLETE
    assert 74 < await wait(world) <= 125
    world.platform.says("/refunds", raw('{"error": "no"}', 405))
    assert await world.sync(PATIENCE) is Verdict.INCOMPLETE
    assert 149 < await wait(world) <= 250


async def test_without_a_timetable_nothing_is_due_again(world: World) -> None:
    world.platform.rows[TODAY], world.platform.declared[TODAY] = [refund("1")], 2
    assert await world.sync(QUICK) is Verdict.INCOMPLETE
    assert (await world.one("connection"))["due_at"] is None


async def test_what_became_due_meanwhile_is_not_put_off(world: World) -> None:
    run = await world.claimed()
    await world.make_due()
    async with world.database.work() as tx:
        await finish(tx, run, Verdict.COMPLETE, again=Again(1000, phase=0.5))
        assert await _is_due(tx, world)


async def _is_due(tx: Write, world: World) -> bool:
    statement = text("SELECT due_at <= clock_timestamp() FROM connection WHERE connection_id = :connection")
    return bool((await tx.execute(statement, {"connection": world.connection_id})).scalar())


async def test_a_run_whose_worker_died_is_seen_to_be_over(world: World) -> None:
    await world.claimed()
    await world.do("UPDATE connection SET lease_until = now() - interval '1 second' WHERE connection_id = :connection")
    assert await world.engine().run(world.customer_id, world.connection_id) is Verdict.EMPTY_EXPECTED
    first, second = await world.rows("SELECT * FROM sync_run WHERE connection_id = :connection ORDER BY epoch")
    assert (first["verdict"], first["fault"], first["ended_at"] is not None) == (None, "LeaseExpired", True)
    assert (second["verdict"], second["fault"]) == ("EMPTY_EXPECTED", None)
