"""A backfill reads a past range again and leaves alone what a sync goes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from hub.domain.enums import Verdict
from hub.errors import ConsentMissing, GrantRevoked, InvalidInput
from hub.store import pages
from hub.sync.backfill import Backfill, Backfilled, Past, Wanted
from tests.hub.sync.platform import Refunds, connector, page_of, raw, refund
from tests.hub.sync.world import QUICK, TODAY, World

FIRST, MIDDLE, LAST = date(2026, 1, 10), date(2026, 1, 11), date(2026, 1, 12)


class EveryDay(Refunds):
    """A window per day of whatever range is asked for."""

    def windows(self, context: Any, first: date, last: date) -> Any:
        from hub.connect.windows import days

        return days(self.name, first, last)


def asked_for(world: World, first: date = FIRST, last: date = LAST, wait: float = 0.0) -> Wanted:
    return Wanted(world.customer_id, world.connection_id, "refunds", first, last, wait)


async def backfilled(world: World, wanted: Wanted | None = None) -> Backfilled:
    told: list[list[Past]] = []
    done = await Backfill(world.equipment, world.calls, wanted or asked_for(world), QUICK, lambda windows: told.append(list(windows))).run()
    assert not told or len(told[-1]) == len(done.windows)
    return done


def daily(world: World) -> World:
    return world.with_connector(connector(EveryDay()))


LIVE = "SELECT status, due_at, last_verdict, last_fault, last_fault_detail FROM connection WHERE connection_id = :connection"


async def state(world: World) -> list[Any]:
    return [await world.rows(LIVE), await world.windows()]


async def synced(world: World) -> World:
    """A live sync of the last day, at its end."""
    world.platform.rows[TODAY] = [refund("live")]
    assert await world.sync(replace(QUICK, period=1000)) is Verdict.COMPLETE
    world.platform.heard.clear()
    return daily(world)


async def test_it_reads_the_range_and_leaves_live_state_alone(world: World) -> None:
    world = await synced(world)
    before = await state(world)
    for day in (FIRST, MIDDLE, LAST):
        world.platform.rows[str(day)] = [refund(f"{day}-{number}") for number in range(3)]
    done = await backfilled(world)
    assert (done.verdict, [(one.window.first, one.state, one.stored) for one in done.windows]) == (
        Verdict.COMPLETE,
        [(day, "DONE", 3) for day in (FIRST, MIDDLE, LAST)],
    )
    assert await state(world) == before
    assert len(await world.facts()) == 10
    runs = await world.rows("SELECT kind, verdict, batch_id FROM sync_run WHERE customer_id = :customer AND kind <> 'SYNC'")
    assert [(run["kind"], run["verdict"]) for run in runs] == [("BACKFILL", "COMPLETE")] * 3
    assert len({run["batch_id"] for run in runs}) == 1
    assert (await world.one("connection"))["lease_until"] is None
    assert await world.count("window_keys") == 0


async def test_its_windows_are_what_leaves_live_ones_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: a backfill that moved the live windows would fail, or be seen by the test above."""
    world = await synced(world)
    write = pages._write
    monkeypatch.setattr(pages, "_write", lambda kinds, windows, move: write(kinds, "sync_window", move))
    done = await backfilled(world, asked_for(world, date(2026, 1, 15), date(2026, 1, 15)))
    assert done.verdict is not Verdict.COMPLETE


async def test_a_change_becomes_a_new_version_and_a_second_one_writes_nothing(world: World) -> None:
    world = daily(world)
    world.platform.rows[str(FIRST)] = [refund("1", "5.00")]
    await backfilled(world)
    world.platform.rows[str(FIRST)] = [refund("1", "6.00")]
    assert sum(one.stored for one in (await backfilled(world)).windows) == 1
    done = await backfilled(world)
    assert [(one.stored, one.unchanged) for one in done.windows] == [(0, 1), (0, 0), (0, 0)]
    assert [(fact["version"], str(fact["amount"])) for fact in await world.facts()] == [(1, "5.00"), (2, "6.00")]


async def test_a_parked_cycle_goes_on_after_a_backfill_as_if_there_was_none(world: World) -> None:
    """Its verdict is no end of the cycle, and the half-read live window keeps its cursor and its keys."""
    world.platform.rows[TODAY] = [refund("1"), refund("2"), refund("3")]
    world.platform.says("/refunds", page_of([refund("1"), refund("2")], 2, total=3), raw("{}", 429, Retry_After="60"))
    assert await world.sync() is Verdict.PARKED
    before = await world.windows()
    await world.pause_is_over()
    today = date.fromisoformat(TODAY)
    assert (await backfilled(daily(world), asked_for(world, today, today))).verdict is Verdict.COMPLETE
    assert await world.windows() == before
    world.platform.heard.clear()
    assert await world.sync() is Verdict.COMPLETE
    assert [one["page"] for one in world.platform.asked()] == ["2"]


async def test_one_that_was_interrupted_goes_on_and_says_so_meanwhile(world: World) -> None:
    world = daily(world)
    world.platform.rows[str(FIRST)] = [refund("a")]
    world.platform.rows[str(MIDDLE)] = [refund("1"), refund("2"), refund("3")]
    first, second = page_of([refund("a")], total=1), page_of([refund("1"), refund("2")], 2, total=3)
    world.platform.says("/refunds", first, second, raw("{}", 429, Retry_After="60"))
    done = await backfilled(world)
    assert (done.verdict, [one.state for one in done.windows]) == (Verdict.PARKED, ["DONE", "OPEN", "OPEN"])
    await world.pause_is_over()
    world.platform.heard.clear()
    done = await backfilled(world)
    assert (done.verdict, [one.state for one in done.windows]) == (Verdict.COMPLETE, ["DONE"] * 3)
    assert [(one["day"], one["page"]) for one in world.platform.asked()] == [(str(MIDDLE), "2"), (str(LAST), "1")]


async def test_what_failed_stays_visible_and_its_neighbours_are_read(world: World) -> None:
    world = daily(world)
    world.platform.says("/refunds", raw("no", 400))
    done = await backfilled(world)
    assert (done.verdict, [one.state for one in done.windows]) == (Verdict.INCOMPLETE, ["FAILED", "DONE", "DONE"])
    assert (await backfilled(world)).verdict is Verdict.EMPTY_EXPECTED


async def test_only_consented_days_are_asked_for(world: World) -> None:
    await world.do("UPDATE consent SET data_from = :first WHERE customer_id = :customer", first=MIDDLE)
    world = daily(world)
    done = await backfilled(world)
    assert (done.first, done.last) == (MIDDLE, LAST)
    assert [one["day"] for one in world.platform.asked()] == [str(MIDDLE), str(LAST)]
    with pytest.raises(ConsentMissing):
        await backfilled(world, asked_for(world, FIRST - timedelta(days=9), FIRST))


async def test_a_withdrawal_stops_it_within_a_page(world: World) -> None:
    world = daily(world)
    world.platform.rows[str(FIRST)] = [refund("1"), refund("2"), refund("3")]

    async def withdraws(request: Mapping[str, str]) -> None:
        if request["page"] == "2":
            world.platform.before = None
            await world.has_committed()
            await world.withdraw()

    world.platform.before = withdraws
    done = await backfilled(world)
    assert (done.verdict, len(world.platform.asked())) == (Verdict.FAILED, 2)
    assert len(await world.facts()) == 2


async def test_it_is_nobody_that_is_waited_for(world: World) -> None:
    """Its calls queue behind those of customers who wait, though this connection was never read."""
    world, seen = daily(world), []
    turn = world.calls.turn

    def watched(*args: Any, **options: Any) -> Any:
        seen.append(options["interactive"])
        return turn(*args, **options)

    world.calls.turn = watched  # type: ignore[method-assign]
    await backfilled(world)
    assert seen == [False] * 3


async def test_a_sync_comes_in_between_two_windows(world: World) -> None:
    """The connection is held for one window at a time."""
    world, verdicts = daily(world), []

    def told(windows: Any) -> None:
        import asyncio

        verdicts.append(asyncio.ensure_future(world.with_connector(connector(Refunds())).sync()))

    await Backfill(world.equipment, world.calls, asked_for(world, wait=5.0), replace(QUICK, heartbeat=1.0), told).run()
    assert Verdict.EMPTY_EXPECTED in [await one for one in verdicts]


@pytest.mark.parametrize(
    ("status", "stream", "error"),
    [("ACTIVE", "nothing", InvalidInput), ("REAUTHORISE", "refunds", GrantRevoked), ("DISCONNECTED", "refunds", GrantRevoked)],
)
async def test_what_cannot_be_backfilled_is_said_at_once(world: World, status: str, stream: str, error: type[Exception]) -> None:
    await world.do("UPDATE connection SET status = :status WHERE connection_id = :connection", status=status)
    with pytest.raises(error):
        await backfilled(world, replace(asked_for(world), stream=stream))
