"""How often a consent lets its data be fetched: a cycle counts once, whatever becomes of it, and the next day is another day."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.domain.enums import SourceKind, Verdict
from tests.hub.sync.platform import Refunds, connector, raw, refund
from tests.hub.sync.world import QUICK, TODAY, World, consented

NOTED = "SELECT day, times FROM consent_fetch WHERE customer_id = :customer ORDER BY day"


async def limited(world: World, **terms: object) -> None:
    assigned = ", ".join(f"{name} = :{name}" for name in terms)
    await world.do(f"UPDATE consent SET {assigned} WHERE customer_id = :customer", **terms)


async def test_no_more_fetches_a_day_than_was_consented_to(world: World) -> None:
    await limited(world, fetches_per_day=2)
    for _ in range(2):
        assert await world.sync() is Verdict.EMPTY_EXPECTED
    assert await world.sync(replace(QUICK, again=1.0)) is Verdict.PARKED
    assert len(world.platform.asked()) == 2
    row = await world.one("connection")
    assert row["last_fault_detail"] == "no consent of this connection allows another fetch today"
    waits = await world.rows("SELECT extract(epoch FROM due_at - now()) AS wait FROM connection WHERE connection_id = :connection")
    assert 12 * 3600 - 60 < waits[0]["wait"] <= 12 * 3600, "noon in China: until midnight"
    world.time.turn(days=1)
    assert await world.sync() is Verdict.EMPTY_EXPECTED
    assert [row["times"] for row in await world.rows(NOTED)] == [2, 1]


async def test_a_consent_for_one_fetch_is_spent(world: World) -> None:
    await limited(world, fetch_type="ONETIME")
    assert await world.sync() is Verdict.EMPTY_EXPECTED
    world.time.turn(days=40)
    assert await world.sync() is Verdict.FAILED
    row = await world.one("connection")
    assert (row["last_fault"], row["due_at"]) == ("ConsentMissing", None)
    assert len(world.platform.asked()) == 1


async def test_going_on_is_no_further_fetch(world: World) -> None:
    await limited(world, fetch_type="ONETIME")
    world.platform.rows[TODAY] = [refund(str(number)) for number in range(4)]
    world.platform.says("/refunds", *(raw("{}", 429, Retry_After="99") for _ in range(3)))
    assert await world.sync() is Verdict.PARKED
    world.platform.script.clear()
    await world.pause_is_over()
    assert await world.sync() is Verdict.COMPLETE
    assert [row["times"] for row in await world.rows(NOTED)] == [1]


async def test_one_source_that_is_spent_does_not_keep_another(world: World) -> None:
    both = connector(Refunds(), Refunds(name="settlements", source=SourceKind.SETTLEMENT))
    world = world.with_connector(both)
    await limited(world, fetch_type="ONETIME")
    assert await world.sync() is Verdict.EMPTY_EXPECTED
    await consented(world.database, world.time, world.customer_id, SourceKind.SETTLEMENT)
    for _ in range(2):
        assert await world.sync() is Verdict.EMPTY_EXPECTED
    assert len(world.platform.asked()) == 3


@pytest.mark.parametrize(("kinds", "asked"), [(["Refund"], 1), (["Order", "Refund"], 1), (["Order"], 0), ([], 0)])
async def test_a_stream_is_fetched_only_with_all_the_kinds_it_brings(world: World, kinds: list[str], asked: int) -> None:
    await limited(world, kinds=kinds)
    await world.sync()
    assert len(world.platform.asked()) == asked
