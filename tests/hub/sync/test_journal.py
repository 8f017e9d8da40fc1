"""What is kept of a run beside its pages: a row for each attempt that failed, each wait, each park; nothing where nothing goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from hub.domain.enums import Verdict
from hub.sync.journal import KEPT, LONGEST, QUEUED, Attempt, Journal, Place, forget
from hub.sync.quota import LONGEST_PARK
from hub.sync.settings import Patience
from tests.hub.sync.platform import page_of, raw, refund
from tests.hub.sync.world import QUICK, TODAY, World


async def noted(world: World) -> list[Mapping[str, Any]]:
    return await world.rows("SELECT * FROM sync_event WHERE customer_id = :customer ORDER BY at")


async def test_a_refusal_and_the_pause_after_it_are_one_row(world: World) -> None:
    world.platform.rows[TODAY] = [refund("1")]
    world.platform.says("/refunds", raw("{}", 429, Retry_After="1"))
    assert await world.sync(replace(QUICK, longest_wait=5.0)) is Verdict.COMPLETE
    (row,) = await noted(world)
    run = await world.one("sync_run")
    assert (row["kind"], row["fault"], row["detail"], row["status"], row["repeated"]) == ("ATTEMPT", "RetryAt", "too fast", 429, False)
    assert (row["seconds"], (row["until"] - row["at"]).total_seconds()) == (1.0, 1.0)
    assert (row["run_id"], row["connection_id"], row["stream"], str(row["first_day"])) == (
        run["run_id"],
        world.connection_id,
        "refunds",
        TODAY,
    )
    first, second = (one["header:x-interaction-id"] for one in world.platform.asked())
    (page,) = await world.rows(
        "SELECT request ->> 'interaction' AS interaction, request -> 'repeated' AS again FROM raw_page WHERE customer_id = :customer"
    )
    assert page["again"] is True, "the page says that it was the second try"
    assert (row["interaction"], page["interaction"]) == (first, second), "both sides can tell which request is meant"


async def test_an_error_of_the_platform_is_a_row_without_a_pause(world: World) -> None:
    world.platform.says("/refunds", raw("{}", 503))
    assert await world.sync() is Verdict.INCOMPLETE
    (row,) = await noted(world)
    assert (row["kind"], row["fault"], row["detail"], row["status"]) == ("ATTEMPT", "ContractBroken", "status 503", 503)
    assert (row["seconds"], row["until"]) == (None, None)


async def test_repetitions_and_the_park_that_ends_them_are_told_apart(world: World) -> None:
    world.platform.says("/refunds", *(raw("{}", 429) for _ in range(3)))
    assert await world.sync() is Verdict.PARKED
    rows = await noted(world)
    assert [(row["kind"], row["repeated"]) for row in rows] == [("ATTEMPT", False), ("ATTEMPT", True), ("ATTEMPT", True), ("PARK", False)]
    assert [row["seconds"] is None for row in rows] == [False, False, True, False], "after the last one it did not pause, it was parked"
    (due,) = await world.rows("SELECT due_at FROM connection WHERE connection_id = :connection")
    assert abs((rows[-1]["until"] - due["due_at"]).total_seconds()) < 5, "parked until it is due again"


async def test_a_platform_that_does_not_answer_is_a_row_without_a_status(world: World) -> None:
    await world.server.stop()
    assert await world.sync() is Verdict.FAILED
    rows = await noted(world)
    assert [(row["fault"], row["status"]) for row in rows] == [("PlatformUnreachable", None)] * QUICK.attempts
    assert [row["repeated"] for row in rows] == [False, True, True]


async def test_a_pause_that_comes_with_a_page_is_a_wait(world: World) -> None:
    world.platform.says("/refunds", page_of([refund("1")], 2, wait=1.1), page_of([refund("2")]))
    assert await world.sync(Patience.short()) is Verdict.COMPLETE
    (row,) = await noted(world)
    assert (row["kind"], row["detail"], row["seconds"], row["status"]) == ("WAIT", "the platform works on it", 1.1, None)


async def test_where_nothing_goes_wrong_nothing_is_written(world: World) -> None:
    """And no statement is sent for it: ingestion does not pay for being watched."""
    world.platform.rows[TODAY] = [refund(str(n)) for n in range(7)]
    sent: list[str] = []
    heard = lambda *call: sent.append(call[2])  # noqa: E731
    event.listen(world.database.worker.sync_engine, "before_cursor_execute", heard)
    try:
        assert await world.sync() is Verdict.COMPLETE
        world.platform.says("/refunds", raw("{}", 503))
        control = len(sent)
        await world.sync()
    finally:
        event.remove(world.database.worker.sync_engine, "before_cursor_execute", heard)
    assert not [one for one in sent[:control] if "sync_event" in one]
    assert [one for one in sent[control:] if "sync_event" in one], "control: the same ear hears it when something does"


@pytest.mark.parametrize("seconds", [0.0, QUEUED - 0.1, QUEUED])
async def test_only_a_long_stay_in_the_queue_is_worth_a_row(world: World, seconds: float) -> None:
    journal = Journal(world.database, await world.claimed())
    await journal.queued(Place("refunds", world.time.at.date()), seconds)
    assert [row["fault"] for row in await noted(world)] == (["Quota"] if seconds >= QUEUED else [])


async def test_what_a_platform_says_is_cut_to_what_can_be_kept(world: World) -> None:
    journal = Journal(world.database, await world.claimed())
    await journal.failed(Place("refunds", world.time.at.date()), Attempt("i", 500), ValueError("\0" + "x" * 10_000), 1e300)
    (row,) = await noted(world)
    assert (row["detail"], row["seconds"]) == ("x" * LONGEST, LONGEST_PARK)


async def test_what_nobody_looks_back_at_is_forgotten(alone: World) -> None:
    """A batch at a time, the oldest first; what is younger stays."""
    alone.platform.rows[TODAY] = [refund("1")]
    alone.platform.says("/refunds", raw("{}", 503))
    await alone.sync()
    assert await forget(alone.database) == 0
    (row,) = await noted(alone)
    await alone.do(f"UPDATE sync_event SET at = at - interval '{KEPT.days} days' WHERE customer_id = :customer")
    alone.platform.says("/refunds", raw("{}", 503))
    await alone.sync()
    assert await forget(alone.database) == 1
    (left,) = await noted(alone)
    assert left["event_id"] != row["event_id"]
