"""Nudges wake workers, rows decide: a lost nudge is made good, a doubled one costs nothing."""

from __future__ import annotations

import asyncio

import pytest
import structlog

from hub.domain.enums import Verdict
from hub.sync.dispatch import _ONE_AT_A_TIME, Dispatcher
from tests.hub.sync.platform import refund
from tests.hub.sync.working import as_owner, dispatcher, in_queue, jobs, queue_is_empty, until, verdict, working
from tests.hub.sync.world import TODAY, World


@pytest.fixture
def world(alone: World) -> World:
    return alone


async def test_a_nudge_runs_a_connection_and_leaves_nothing_behind(world: World) -> None:
    world.platform.rows[TODAY] = [refund("1")]
    async with dispatcher(world) as made, working(made, world.engine()):
        await until(lambda: world.rows("SELECT 1 FROM queue.procrastinate_workers"))
        await world.make_due()
        await made.nudge(world.customer_id, world.connection_id)
        assert await verdict(world) == "COMPLETE"
        await queue_is_empty(world)


async def test_a_lost_nudge_is_made_good_by_the_reconciler(world: World) -> None:
    await world.make_due()
    assert await jobs(world) == []
    async with dispatcher(world) as made, working(made, world.engine()):
        assert await verdict(world) == "EMPTY_EXPECTED"


async def test_a_nudge_that_cannot_be_written_costs_its_sender_nothing(world: World) -> None:
    """Whoever nudges has committed already: a platform's push, a customer's authorisation."""
    async with dispatcher(world) as made:
        for table in ("connection", "queue.procrastinate_jobs"):
            as_owner(world, f"ALTER TABLE {table} RENAME TO away")
            try:
                with structlog.testing.capture_logs() as logged:
                    await made.nudge(world.customer_id, world.connection_id)
            finally:
                schema, _, name = table.rpartition(".")
                as_owner(world, f"ALTER TABLE {schema and schema + '.'}away RENAME TO {name}")
            assert [one["event"] for one in logged] == ["nudge_lost"], table
        await made.nudge(world.customer_id, world.connection_id)
    assert len(await jobs(world)) == 1


async def test_the_reconciler_nudges_what_is_due_and_nobodys_once(world: World) -> None:
    async with dispatcher(world) as made:
        assert await made.reconcile() == 0, "not due"
        await world.make_due()
        assert await made.reconcile() == 1
        assert await made.reconcile() == 0, "the nudge is still waiting for a worker"
        await in_queue(world, "UPDATE procrastinate_jobs SET status = 'doing'")
        assert await made.reconcile() == 1, "a job that is being done proves nothing"
        await in_queue(world, "DELETE FROM procrastinate_jobs")
        run = await world.claimed()
        assert await made.reconcile() == 0, "claimed"
        await world.do("UPDATE connection SET lease_until = now() - interval '1 second' WHERE connection_id = :connection")
        assert await made.reconcile() == 1, f"the worker of epoch {run.epoch} is dead"


async def test_one_reconciler_at_a_time(world: World) -> None:
    await world.make_due()
    async with dispatcher(world) as made:
        async with world.database.work() as tx:
            await tx.execute(_ONE_AT_A_TIME)
            assert await made.reconcile() == 0
        assert await made.reconcile() == 1


async def test_a_reconciler_survives_a_database_in_trouble(world: World) -> None:
    """A look that fails in the database is followed by the next one."""
    looks: list[int] = []

    class Watched(Dispatcher):
        async def reconcile(self) -> int:
            looks.append(1)
            return await super().reconcile()

    await world.make_due()
    made = Watched(world.database, period=0.01)
    as_owner(world, "ALTER TABLE connection RENAME TO away")
    async with made.app.open_async():
        looking = asyncio.create_task(made._reconcile_on())

        async def looked() -> bool:
            return len(looks) > 2

        await until(looked)
        as_owner(world, "ALTER TABLE away RENAME TO connection")
        assert await until(lambda: jobs(world)) == ["todo"]
        looking.cancel()
        await asyncio.wait([looking])


async def test_two_workers_and_many_nudges_make_one_run(world: World) -> None:
    world.platform.rows[TODAY] = [refund(str(number)) for number in range(9)]
    await world.make_due()
    async with dispatcher(world) as first, dispatcher(world) as second:
        for _ in range(6):
            await first.nudge(world.customer_id, world.connection_id)
        async with working(first, world.engine()), working(second, world.engine()):
            assert await verdict(world) == "COMPLETE"
            await queue_is_empty(world)
    assert await world.count("sync_run") == 1
    assert [one["page"] for one in world.platform.asked()] == ["1", "2", "3", "4", "5"]


async def test_two_workers_on_one_connection_one_runs(world: World) -> None:
    await world.make_due()
    runs = await asyncio.gather(*(world.engine().run(world.customer_id, world.connection_id) for _ in range(5)))
    assert sorted(runs, key=str) == [Verdict.EMPTY_EXPECTED, None, None, None, None]
    assert len(world.platform.asked()) == 1
