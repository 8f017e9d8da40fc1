"""Who may write: one claim at a time, and whoever holds an older epoch renews, hands back and ends nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from hub.domain.enums import Verdict
from hub.errors import LeaseLost
from hub.store.pages import LEASE_SECONDS, Run
from hub.sync.claim import claim, finish, release, renew
from tests.hub.sync.world import World


async def lease(world: World) -> float | None:
    """Seconds that the lease still holds. None: nobody's."""
    (row,) = await world.rows(
        "SELECT extract(epoch FROM lease_until - clock_timestamp())::float8 AS rest FROM connection WHERE connection_id = :connection"
    )
    return None if row["rest"] is None else float(row["rest"])


async def claimed(world: World, *more: float, due: bool = True) -> Run | None:
    if due:
        await world.make_due()
    async with world.database.work() as tx:
        return await claim(tx, world.customer_id, world.connection_id, *more)


async def test_only_the_holder_of_the_epoch_renews_releases_and_finishes(world: World) -> None:
    run = await world.claimed()
    late = replace(run, epoch=run.epoch - 1)
    async with world.database.work() as tx:
        with pytest.raises(LeaseLost):
            await renew(tx, late)
        with pytest.raises(LeaseLost):
            await finish(tx, late, Verdict.COMPLETE)
        await release(tx, late)
    assert (await world.one("connection"))["lease_until"] is not None
    async with world.database.work() as tx:
        assert await claim(tx, world.customer_id, world.connection_id) is None
        await renew(tx, run)
        await finish(tx, run, Verdict.COMPLETE)
    assert ((await world.one("connection"))["lease_until"], (await world.one("sync_run"))["verdict"]) == (None, "COMPLETE")


@pytest.mark.parametrize("status", ["LINKING", "REAUTHORISE", "DISCONNECTED"])
async def test_only_an_active_connection_is_claimed(world: World, status: str) -> None:
    await world.do("UPDATE connection SET status = :status WHERE connection_id = :connection", status=status)
    assert await world.sync() is None


async def test_a_claim_raises_the_epoch_and_holds_as_long_as_it_says(world: World) -> None:
    run = await claimed(world, 7)
    assert run is not None and run.lease == 7
    connection, begun = await world.one("connection"), await world.one("sync_run")
    assert run == Run(world.customer_id, world.connection_id, begun["run_id"], connection["epoch"], 7)
    assert (begun["epoch"], begun["connection_id"], begun["ended_at"]) == (run.epoch, world.connection_id, None)
    assert 5 < (await lease(world) or 0) <= 7


async def test_a_claim_that_says_nothing_holds_as_long_as_leases_do(world: World) -> None:
    run = await claimed(world)
    assert run is not None and run.lease == LEASE_SECONDS
    assert LEASE_SECONDS - 5 < (await lease(world) or 0) <= LEASE_SECONDS


async def test_of_many_that_claim_at_once_one_does(world: World) -> None:
    runs = [run for run in await asyncio.gather(*(claimed(world) for _ in range(8))) if run]
    assert len(runs) == 1
    assert runs[0].epoch == (await world.one("connection"))["epoch"]
    assert len(await world.rows("SELECT 1 FROM sync_run WHERE connection_id = :connection")) == 1


@pytest.mark.parametrize("due", ["now() + interval '1 minute'", "NULL"])
async def test_what_is_not_due_is_not_claimed(world: World, due: str) -> None:
    await world.do(f"UPDATE connection SET due_at = {due} WHERE connection_id = :connection")
    assert await claimed(world, due=False) is None


async def test_a_lease_that_ran_out_is_anothers_and_the_first_holder_writes_nothing(world: World) -> None:
    first = await claimed(world)
    await world.do("UPDATE connection SET lease_until = now() - interval '1 second' WHERE connection_id = :connection")
    second = await claimed(world)
    assert first and second and second.epoch == first.epoch + 1
    async with world.database.work() as tx:
        with pytest.raises(LeaseLost):
            await renew(tx, first)
        await renew(tx, second)


async def test_a_renewed_lease_holds_as_long_as_its_run_says(world: World) -> None:
    run = await claimed(world, 1)
    assert run is not None
    async with world.database.work() as tx:
        await renew(tx, replace(run, lease=50))
    assert 45 < (await lease(world) or 0) <= 50


async def test_a_run_that_is_handed_back_says_so_and_may_be_claimed_at_once(world: World) -> None:
    run = await claimed(world)
    assert run is not None
    async with world.database.work() as tx:
        await release(tx, run)
    over = await world.one("sync_run")
    assert (await lease(world), over["fault"], over["verdict"], over["ended_at"] is not None) == (None, "HandedBack", None, True)
    after = await claimed(world)
    assert after is not None and after.epoch == run.epoch + 1


async def test_whoever_holds_an_older_epoch_hands_nothing_back(world: World) -> None:
    run = await claimed(world)
    assert run is not None
    async with world.database.work() as tx:
        await release(tx, replace(run, epoch=run.epoch - 1))
    assert await lease(world) is not None
    assert (await world.one("sync_run"))["ended_at"] is None


async def test_an_end_is_told_by_the_run_and_by_the_connection(world: World) -> None:
    run = await claimed(world)
    assert run is not None
    async with world.database.work() as tx:
        await finish(tx, run, Verdict.FAILED, fault="Broken", detail="the list has no end", status="REAUTHORISE")
    over, connection = await world.one("sync_run"), await world.one("connection")
    assert (over["verdict"], over["fault"], over["fault_detail"], over["ended_at"] is not None) == (
        "FAILED",
        "Broken",
        "the list has no end",
        True,
    )
    told = ("last_verdict", "last_fault", "last_fault_detail", "status", "due_at", "lease_until")
    assert [connection[one] for one in told] == ["FAILED", "Broken", "the list has no end", "REAUTHORISE", None, None]
