"""How a run ended is computed, never believed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.domain.enums import Verdict
from tests.hub.sync.platform import Refunds, connector, page_of, raw, refund
from tests.hub.sync.world import QUICK, TODAY, World

YESTERDAY, BEFORE = "2026-01-14", "2026-01-13"


async def test_complete(world: World) -> None:
    world.platform.rows[TODAY] = [refund("1"), refund("2"), refund("3")]
    assert await world.sync() is Verdict.COMPLETE
    run, window = await world.one("sync_run"), await world.one("sync_window")
    assert (run["fetched"], run["stored"], run["unchanged"], run["requests"]) == (3, 3, 0, 2)
    assert (window["state"], window["declared_total"], window["pages"]) == ("DONE", 3, 2)
    assert [fact["refund_number"] for fact in await world.facts()] == ["1", "2", "3"]
    assert str(window["covered"]) == "{[2026-01-15, 2026-01-16)}"


async def test_a_platform_that_has_nothing(world: World) -> None:
    assert await world.sync() is Verdict.EMPTY_EXPECTED
    assert (await world.one("connection"))["last_verdict"] == "EMPTY_EXPECTED"


async def test_records_without_facts_are_counted(world: World) -> None:
    world.platform.rows[TODAY] = [refund("1"), {"kind": "note"}]
    assert await world.sync() is Verdict.COMPLETE
    assert ((await world.one("sync_run"))["stored"], (await world.one("sync_run"))["unchanged"]) == (1, 1)


@pytest.mark.parametrize("total", [0, 1, 3, 99])
async def test_a_lying_total_is_incomplete(world: World, total: int) -> None:
    world.platform.rows[TODAY], world.platform.declared[TODAY] = [refund("1"), refund("2")], total
    assert await world.sync() is Verdict.INCOMPLETE
    assert (await world.one("connection"))["last_fault_detail"] == "the figures of a window do not add up"
    assert await world.count("fact_refund") == 2


async def test_a_window_with_a_lying_total_is_asked_again_in_the_next_cycle(world: World) -> None:
    world = world.with_connector(connector(Refunds(look_back_days=-1)))
    world.platform.rows[TODAY], world.platform.declared[TODAY] = [refund("1")], 2
    assert await world.sync() is Verdict.INCOMPLETE
    del world.platform.declared[TODAY]
    assert await world.sync() is Verdict.COMPLETE
    assert await world.sync() is Verdict.COMPLETE
    assert len(world.platform.asked()) == 2, "a window that adds up is not asked again without a look-back"


async def test_a_failed_window_in_the_middle_stays_visible(world: World) -> None:
    world = world.with_connector(connector(Refunds(window_count=3)))
    for day in (BEFORE, YESTERDAY, TODAY):
        world.platform.rows[day] = [refund(day)]
    one_at_a_time = replace(QUICK, windows_at_once=1)
    world.platform.says("/refunds", page_of([refund(BEFORE)]), raw('{"error": "no"}', 405))
    assert await world.sync(one_at_a_time) is Verdict.INCOMPLETE
    assert [window["state"] for window in await world.windows()] == ["DONE", "FAILED", "DONE"]
    failed = (await world.windows())[1]
    assert failed["reason"] == "NotPermitted: not for this hub"
    assert failed["covered"] is None
    assert (await world.one("connection"))["last_fault_detail"] == "NotPermitted: not for this hub"
    assert await world.sync(one_at_a_time) is Verdict.COMPLETE
    assert [window["state"] for window in await world.windows()] == ["DONE", "DONE", "DONE"]


async def test_out_of_reach_is_not_the_same_as_nothing(world: World) -> None:
    world.platform.says("/refunds", raw("{}", 404))
    assert await world.sync() is Verdict.EMPTY_EXPECTED
    window = await world.one("sync_window")
    assert (window["state"], str(window["covered"])) == ("NOT_SERVED", "{}")


async def test_a_long_wait_parks_and_goes_on_from_the_cursor(world: World) -> None:
    world = world.with_connector(connector(Refunds(window_count=2)))
    world.platform.rows[YESTERDAY] = [refund("a")]
    world.platform.rows[TODAY] = [refund("1"), refund("2"), refund("3")]
    one_at_a_time = replace(QUICK, windows_at_once=1)
    first, second = page_of([refund("a")], total=1), page_of([refund("1"), refund("2")], 2, total=3)
    world.platform.says("/refunds", first, second, raw('{"error": "slow"}', 429, Retry_After="120"))
    assert await world.sync(one_at_a_time) is Verdict.PARKED
    assert [window["state"] for window in await world.windows()] == ["DONE", "OPEN"]
    assert (await world.windows())[1]["cursor"] == {"page": 2}
    assert len(await world.facts()) == 3, "what was committed is kept"
    (due,) = await world.rows("SELECT due_at - now() AS wait FROM connection WHERE connection_id = :connection")
    assert 110 < due["wait"].total_seconds() <= 120
    world.platform.heard.clear()
    await world.pause_is_over()
    assert await world.sync(one_at_a_time) is Verdict.COMPLETE
    assert [(one["day"], one["page"]) for one in world.platform.asked()] == [(TODAY, "2")]
    assert [fact["refund_number"] for fact in await world.facts()] == ["1", "2", "3", "a"]


async def test_a_parked_connection_is_not_claimed_early(world: World) -> None:
    world.platform.says("/refunds", raw("{}", 429, Retry_After="120"))
    assert await world.sync() is Verdict.PARKED
    assert await world.engine().run(world.customer_id, world.connection_id) is None


async def test_an_absurd_wait_is_asked_again_after_a_day(world: World) -> None:
    world.platform.says("/refunds", raw("{}", 429, Retry_After="99999999999999"))
    assert await world.sync() is Verdict.PARKED
    (due,) = await world.rows("SELECT due_at - now() AS wait FROM connection WHERE connection_id = :connection")
    assert due["wait"].total_seconds() <= 86_400


async def test_a_platform_that_is_gone_fails_the_run_and_is_tried_again(world: World) -> None:
    await world.server.stop()
    assert await world.sync(replace(QUICK, again=900)) is Verdict.FAILED
    row = await world.one("connection")
    assert (row["last_fault"], row["status"], row["lease_until"]) == ("PlatformUnreachable", "ACTIVE", None)
    assert row["due_at"] is not None
    assert (await world.one("sync_window"))["state"] == "OPEN"


async def test_without_any_consent_nothing_is_asked_and_nothing_is_called_empty(world: World) -> None:
    await world.withdraw()
    assert await world.sync() is Verdict.FAILED
    assert (await world.one("connection"))["last_fault"] == "ConsentMissing"
    assert world.platform.heard == []


async def test_an_unknown_connector_is_a_matter_for_the_operator(world: World) -> None:
    world.equipment = replace(world.equipment, connectors={})
    assert await world.sync() is Verdict.FAILED
    assert (await world.one("connection"))["last_fault"] == "Misconfigured"
