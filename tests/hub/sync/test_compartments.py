"""Bulkheads: runs that are stuck at one platform take no place from the others."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import insert

from bench.kit.ground import id_number
from hub.connect import Grant
from hub.domain.enums import SourceKind
from hub.domain.identifiers import CustomerId, new_id
from hub.store.tables import connection
from hub.sync import dispatch, grants
from hub.sync.calls import Calls
from hub.sync.compartments import QUEUE, Compartments, queue_of
from tests.hub.sync.platform import NAME
from tests.hub.sync.platform import connector as scripted
from tests.hub.sync.working import apart, dispatcher, in_queue, jobs, until, working
from tests.hub.sync.world import NOW, World, consented, new_customer

OTHER = "other"
SIZE = 2


def test_a_full_compartment_closes_its_queue_and_opens_it_again() -> None:
    made = Compartments(["a", "b"], 2)
    assert (made.open, made.places) == (["a", "b"], 4)
    seen = made.open
    made.enter("a")
    assert seen == ["a", "b"]
    made.enter("a")
    assert seen == ["b"], "the same list, which its reader keeps"
    made.enter("b")
    assert seen == ["b"]
    assert made.leave("a") is True
    assert sorted(seen) == ["a", "b"]
    assert made.leave("a") is False, "it was open already"


def test_a_queue_that_nobody_serves_is_not_opened() -> None:
    made = Compartments(["a"], 1)
    made.enter("elsewhere")
    assert made.leave("elsewhere") is False
    assert made.open == ["a"]


async def connect(world: World, number: int, name: str) -> tuple[CustomerId, UUID]:
    """One more customer, connected to the platform of this name, due now. The consent is for the scripted platform only."""
    customer_id, connection_id = await new_customer(world.equipment, id_number(number)), new_id()
    await consented(world.database, world.time, customer_id, SourceKind.SHOP)
    row = {"customer_id": customer_id, "connection_id": connection_id, "connector": name, "status": "ACTIVE", "created_at": NOW}
    async with world.database.work() as tx:
        await tx.execute(insert(connection), {**row, "due_at": NOW})
        await grants.keep(world.equipment, tx, customer_id, connection_id, Grant("access-0", "refresh-0", 7200))
    return customer_id, connection_id


async def beside_stuck_runs(world: World, seconds: float) -> Sequence[str | None]:
    """How connections to another platform ended while five runs are stuck at the scripted one, in a worker with two places for each."""
    let_go = asyncio.Event()

    async def before(_: Mapping[str, str]) -> None:
        await let_go.wait()

    world.platform.before = before
    both = {NAME: scripted(), OTHER: scripted()}
    equipment = replace(world.equipment, connectors=both, configs=dict.fromkeys(both, world.equipment.configs[NAME]))
    stuck = replace(world, equipment=equipment, calls=Calls(world.calls.http, world.calls.desks))
    for number in range(5):
        await connect(world, number, NAME)
    async with dispatcher(world, period=0.1) as made, working(made, stuck.engine()):
        await until(lambda: asyncio.sleep(0, len(world.platform.heard) >= SIZE))
        others = [await connect(world, number, OTHER) for number in range(10, 13)]

        async def faults() -> list[str | None]:
            rows = await world.rows("SELECT last_fault FROM connection WHERE connector = :other", other=OTHER)
            return [row["last_fault"] for row in rows]

        try:
            async with asyncio.timeout(seconds):
                while None in await faults():  # noqa: ASYNC110 -- it happens in the database
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pass
        found = await faults()
        assert len(world.platform.heard) == SIZE, "no more than its compartment holds"
        let_go.set()
    assert len(found) == len(others)
    return found


async def test_runs_stuck_at_one_platform_take_no_place_from_another(alone: World) -> None:
    assert await beside_stuck_runs(alone, 10) == ["ConsentMissing"] * 3


async def test_without_compartments_they_do(alone: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "queue_of", lambda connector: QUEUE)
    monkeypatch.setattr(dispatch, "Compartments", lambda queues, size: Compartments(dict.fromkeys(queues), size))
    assert await beside_stuck_runs(alone, 2) == [None] * 3


async def test_what_nobody_here_speaks_to_is_found_out(alone: World) -> None:
    """Its nudge goes where this worker looks: the run says what is missing."""
    _, connection_id = await connect(alone, 1, "elsewhere")
    async with dispatcher(alone, period=0.1) as made, working(made, alone.engine()):

        async def fault() -> str | None:
            (row,) = await alone.rows("SELECT last_fault FROM connection WHERE connection_id = :id", id=connection_id)
            return row["last_fault"]

        assert await until(fault) == "Misconfigured"


async def test_somebody_who_waits_goes_ahead_of_the_timetable(alone: World) -> None:
    await connect(alone, 1, NAME)
    async with dispatcher(alone) as made:
        assert await made.reconcile() == 1
        await made.nudge(alone.customer_id, alone.connection_id)
        rows = await alone.rows(
            "SELECT queue_name, priority, args ->> 'connection' AS id FROM queue.procrastinate_jobs ORDER BY priority DESC"
        )
    assert [row["queue_name"] for row in rows] == [queue_of(NAME)] * 2
    assert (rows[0]["id"], rows[0]["priority"]) == (str(alone.connection_id), dispatch.AWAITED)


async def test_jobs_that_nobody_is_at_are_deleted_and_so_are_ended_ones(alone: World) -> None:
    """Not retried: the row of the connection says that it is due, and a new nudge is made of that."""
    await alone.make_due()
    made = dispatch.Dispatcher(alone.database, stalled=1.0)
    async with made.app.open_async():
        await made.nudge(alone.customer_id, alone.connection_id)
        await in_queue(alone, "INSERT INTO procrastinate_workers DEFAULT VALUES")
        await in_queue(alone, "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM procrastinate_workers)")
        assert await made.reconcile() == 1
        assert sorted(await jobs(alone)) == ["doing", "todo"], "its worker was heard a moment ago"
        await in_queue(alone, "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '2 seconds'")
        assert await made.reconcile() == 0
        assert await jobs(alone) == ["todo"]
        await in_queue(alone, "UPDATE procrastinate_workers SET last_heartbeat = now() + interval '1 hour'")
        await in_queue(alone, "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM procrastinate_workers)")
        await in_queue(alone, "UPDATE procrastinate_events SET at = now() - interval '2 seconds'")
        apart(alone, "UPDATE connection SET lease_until = now() + interval '1 hour' RETURNING 1")
        assert await made.reconcile() == 0
        assert await jobs(alone) == ["doing"], "somebody is at it"
        apart(alone, "UPDATE connection SET lease_until = NULL RETURNING 1")
        assert await made.reconcile() == 1
        assert await jobs(alone) == ["todo"], "its end could not be written"
        for ended in ("succeeded", "failed"):
            await in_queue(alone, f"UPDATE procrastinate_jobs SET status = '{ended}'")
            assert await made.reconcile() == 1
            assert await jobs(alone) == ["todo"]


async def test_each_platform_has_a_backlog_of_its_own(alone: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "BACKLOG", 2)
    for number in range(4):
        await connect(alone, number, NAME)
    await connect(alone, 9, OTHER)
    async with dispatcher(alone) as made:
        assert await made.reconcile() == 3, "two of the one, and the other one's, however late it came"
        assert await made.reconcile() == 0, "bounded"
        await in_queue(alone, f"DELETE FROM procrastinate_jobs WHERE queue_name = '{queue_of(NAME)}'")
        assert await made.reconcile() == 2
