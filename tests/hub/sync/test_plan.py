"""Which windows a run reads: what was never finished, and in a new cycle the look-back once more."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest

from hub.domain.enums import Verdict
from tests.hub.sync.platform import Refunds, connector, page_of, raw, refund
from tests.hub.sync.world import QUICK, TODAY, World

ONE = replace(QUICK, windows_at_once=1)


async def days_asked(world: World) -> list[str]:
    asked = [one["day"] for one in world.platform.asked()]
    world.platform.heard.clear()
    return asked


async def test_a_new_cycle_asks_only_the_look_back_again(world: World) -> None:
    world = world.with_connector(connector(Refunds(window_count=3, look_back_days=1)))
    await world.sync(ONE)
    assert await days_asked(world) == ["2026-01-13", "2026-01-14", "2026-01-15"]
    await world.sync(ONE)
    assert await days_asked(world) == ["2026-01-14", "2026-01-15"]


async def test_a_new_day_is_a_new_window(world: World) -> None:
    world = world.with_connector(connector(Refunds(window_count=3, look_back_days=0)))
    await world.sync(ONE)
    world.platform.heard.clear()
    world.time.turn(days=1)
    await world.sync(ONE)
    assert await days_asked(world) == ["2026-01-16"]


async def test_a_crashed_run_is_continued_and_its_finished_windows_are_not_asked_again(world: World) -> None:
    """A run that died without a verdict, in the middle of a later cycle: what it finished stays finished."""
    world = world.with_connector(connector(Refunds(window_count=3)))
    assert await world.sync(ONE) is Verdict.EMPTY_EXPECTED
    world.platform.heard.clear()

    async def dies(request: Mapping[str, str]) -> None:
        if request["day"] == "2026-01-15":
            running.cancel()

    world.platform.before = dies
    running = asyncio.create_task(world.sync(ONE))
    with pytest.raises(asyncio.CancelledError):
        await running
    world.platform.before = None
    assert await days_asked(world) == ["2026-01-13", "2026-01-14", "2026-01-15"]
    assert (await world.one("sync_run"))["verdict"] is None
    assert await world.sync(ONE) is Verdict.EMPTY_EXPECTED
    assert await days_asked(world) == ["2026-01-15"]


async def test_a_run_that_is_told_to_stop_hands_over_at_once(world: World) -> None:
    """Its lease is released, the connection is still due: the next worker need not wait for the lease to run out."""
    on_its_way, forever = asyncio.Event(), asyncio.Event()

    async def hang(request: Mapping[str, str]) -> None:
        on_its_way.set()
        await forever.wait()

    world.platform.before = hang
    running = asyncio.create_task(world.sync())
    await on_its_way.wait()
    assert await world.engine().run(world.customer_id, world.connection_id) is None, "the lease is held"
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    world.platform.before = None
    forever.set()
    assert await world.engine().run(world.customer_id, world.connection_id) is Verdict.EMPTY_EXPECTED


async def test_a_lease_that_ran_out_is_taken_over_and_the_first_run_writes_nothing_more(world: World) -> None:
    world.platform.rows[TODAY] = [refund(str(number)) for number in range(5)]

    async def overtaken(request: Mapping[str, str]) -> None:
        if request["page"] == "2":
            world.platform.before = None
            await world.has_committed()
            await world.do("UPDATE connection SET lease_until = now() - interval '1 second' WHERE connection_id = :connection")
            assert await world.engine().run(world.customer_id, world.connection_id) is Verdict.COMPLETE

    world.platform.before = overtaken
    assert await world.sync() is None
    assert len(await world.facts()) == 5
    row, run = await world.one("connection"), await world.one("sync_run")
    assert (row["last_verdict"], row["epoch"], run["verdict"]) == ("COMPLETE", 2, "COMPLETE")
    first = await world.rows("SELECT verdict, stored FROM sync_run WHERE customer_id = :customer AND epoch = 1")
    assert [(one["verdict"], one["stored"]) for one in first] == [(None, 2)]


async def test_a_slow_platform_does_not_cost_the_lease(world: World) -> None:
    """The heartbeat renews it while a request is on its way."""
    seen: list[float] = []

    async def slow(request: Mapping[str, str]) -> None:
        await world.do("UPDATE connection SET lease_until = now() + interval '2 seconds' WHERE connection_id = :connection")
        for _ in range(200):
            (row,) = await world.rows(
                "SELECT extract(epoch FROM lease_until - now()) AS rest FROM connection WHERE connection_id = :connection"
            )
            if row["rest"] > 30:
                break
            await asyncio.sleep(0.01)
        seen.append(float(row["rest"]))

    world.platform.before = slow
    assert await world.sync(replace(QUICK, heartbeat=0.02)) is Verdict.EMPTY_EXPECTED
    assert seen[0] > 30


async def test_the_last_window_grows_with_the_day(world: World) -> None:
    """A window whose last day moved is read anew, its figures start from nothing."""
    world.platform.says("/refunds", page_of([refund("1")], total=1))
    await world.sync()
    await world.do("UPDATE sync_window SET last_day = last_day - 1 WHERE customer_id = :customer")
    world = world.with_connector(connector(Refunds(look_back_days=-1)))
    world.platform.rows[TODAY] = [refund("1"), refund("2")]
    assert await world.sync() is Verdict.COMPLETE
    assert (await world.one("sync_window"))["fetched"] == 2


async def test_a_refused_window_does_not_stop_its_neighbours(world: World) -> None:
    world = world.with_connector(connector(Refunds(window_count=3)))
    world.platform.says("/refunds", raw("no", 400))
    assert await world.sync(ONE) is Verdict.INCOMPLETE
    assert [window["state"] for window in await world.windows()] == ["FAILED", "DONE", "DONE"]
