"""A process that is told to stop: no new call, the page in hand is committed, the lease is given back, the next run goes on from there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from hub.domain.enums import Verdict
from hub.sync.engine import Engine
from hub.sync.halting import HandedBack
from tests.hub.sync.platform import raw, refund
from tests.hub.sync.working import dispatcher, jobs, until, verdict
from tests.hub.sync.world import QUICK, TODAY, World

Before = Callable[[Mapping[str, str]], Awaitable[None]]


@asynccontextmanager
async def running(world: World, engine: Engine) -> AsyncIterator[asyncio.Task[Verdict | None]]:
    await world.make_due()
    task = asyncio.create_task(engine.run(world.customer_id, world.connection_id))
    yield task
    task.cancel()
    await asyncio.wait([task])


async def asked(world: World, count: int) -> None:
    """Until the platform has been asked so often."""
    async with asyncio.timeout(10):
        while len(world.platform.asked()) < count:  # noqa: ASYNC110 -- the platform's book has no event to wait for
            await asyncio.sleep(0.005)


def holding(page: str, let_go: asyncio.Event) -> Before:
    """The platform answers this page only when it is let go."""

    async def before(heard: Mapping[str, str]) -> None:
        if heard.get("page") == page:
            await let_go.wait()

    return before


async def given_back(world: World) -> None:
    row, run = await world.one("connection"), await world.one("sync_run")
    assert (row["lease_until"], row["last_verdict"], row["due_at"] is not None) == (None, None, True)
    assert (run["verdict"], run["fault"], run["ended_at"] is not None) == (None, "HandedBack", True)


async def test_the_page_in_hand_is_committed_and_no_other_is_asked_for(world: World) -> None:
    world.platform.rows[TODAY] = [refund(str(number)) for number in range(9)]
    let_go, engine = asyncio.Event(), world.engine()
    world.platform.before = holding("2", let_go)
    async with running(world, engine) as task:
        await asked(world, 2)
        engine.halt.tell()
        await asyncio.sleep(0.5)
        assert not task.done(), "a page is in hand"
        let_go.set()
        with pytest.raises(HandedBack):
            await task
    assert [one["page"] for one in world.platform.asked()] == ["1", "2"]
    assert (await world.one("sync_window"))["cursor"] == {"page": 3}
    await given_back(world)
    world.platform.before = None
    assert await world.engine().run(world.customer_id, world.connection_id) is Verdict.COMPLETE
    assert [one["page"] for one in world.platform.asked()] == ["1", "2", "3", "4", "5"], "no page was asked for twice"
    assert await world.count("fact_refund") == 9


async def test_a_run_that_only_waits_ends_at_once(world: World) -> None:
    world.platform.says("/refunds", raw("{}", 429, Retry_After="20"))
    engine = world.engine(replace(QUICK, longest_wait=30))
    async with running(world, engine) as task:
        await asked(world, 1)
        await asyncio.sleep(0.1)
        engine.halt.tell()
        with pytest.raises(HandedBack):
            async with asyncio.timeout(3):
                await task
    await given_back(world)


async def test_told_twice_it_does_not_wait_for_the_platform(world: World) -> None:
    let_go, engine = asyncio.Event(), world.engine()
    world.platform.before = holding("1", let_go)
    async with running(world, engine) as task:
        await asked(world, 1)
        engine.halt.tell()
        await asyncio.sleep(0.5)
        assert not task.done()
        engine.halt.tell()
        with pytest.raises(HandedBack):
            async with asyncio.timeout(3):
                await task
    await given_back(world)
    let_go.set()


async def test_a_platform_that_hangs_is_waited_for_only_so_long(world: World) -> None:
    let_go, engine = asyncio.Event(), world.engine()
    engine.halt.grace = 0.3
    world.platform.before = holding("1", let_go)
    async with running(world, engine) as task:
        await asked(world, 1)
        engine.halt.tell()
        with pytest.raises(HandedBack):
            async with asyncio.timeout(3):
                await task
    await given_back(world)
    let_go.set()


async def test_nothing_is_claimed_any_more(world: World) -> None:
    engine = world.engine()
    engine.halt.tell()
    await world.make_due()
    with pytest.raises(HandedBack):
        await engine.run(world.customer_id, world.connection_id)
    assert (await world.one("connection"))["epoch"] == 0


async def test_cancelled_outright_it_gives_its_lease_back_too(world: World) -> None:
    let_go = asyncio.Event()
    world.platform.before = holding("1", let_go)
    async with running(world, world.engine()) as task:
        await asked(world, 1)
    assert task.cancelled()
    await given_back(world)
    let_go.set()


async def test_a_worker_hands_over_to_another_at_once(alone: World) -> None:
    """By a nudge of its own: the reconcilers look only once in this test."""
    world = alone
    world.platform.rows[TODAY] = [refund(str(number)) for number in range(9)]
    let_go = asyncio.Event()
    world.platform.before = holding("2", let_go)
    async with dispatcher(world) as first, dispatcher(world) as second:
        leaving = asyncio.create_task(first.work(world.engine(), concurrency=2))
        await world.make_due()
        await first.nudge(world.customer_id, world.connection_id)
        await asked(world, 2)
        leaving.cancel()
        await asyncio.sleep(0.1)
        let_go.set()
        await asyncio.wait([leaving])
        # On a busy machine the second one may look only now, and nudge as well.
        assert {*await until(lambda: jobs(world))} == {"todo"}
        staying = asyncio.create_task(second.work(world.engine(), concurrency=2))
        assert await verdict(world) == "COMPLETE"
        staying.cancel()
        await asyncio.wait([staying])
    assert [one["page"] for one in world.platform.asked()] == ["1", "2", "3", "4", "5"]
