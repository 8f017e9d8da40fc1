"""Withdrawing stops a running sync within the page: nothing leaves after the commit, nothing in flight is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import insert

from hub.connect import Quota
from hub.consent import grants as consents
from hub.domain.enums import SourceKind, Verdict
from hub.domain.identifiers import new_id
from hub.store.tables import connection
from tests.hub.sync.platform import Refunds, connector, raw, refund
from tests.hub.sync.world import NOW, QUICK, TODAY, World, consented, new_customer


async def test_the_page_in_flight_is_not_stored_and_no_further_request_leaves(world: World) -> None:
    world = world.with_connector(connector(Refunds(window_count=3)))
    world.platform.rows[TODAY] = [refund(str(number)) for number in range(9)]

    async def second(request: Mapping[str, str]) -> None:
        if request["page"] == "2":
            await world.has_committed(3)
            await world.withdraw()

    world.platform.before = second
    assert await world.sync(replace(QUICK, windows_at_once=1)) is Verdict.INCOMPLETE
    assert [(one["day"], one["page"]) for one in world.platform.asked()][-1] == (TODAY, "2")
    assert len(await world.facts()) == 2, "page 1 was committed before the withdrawal"
    assert (await world.one("connection"))["last_fault_detail"] == "a window was not read to its end"


async def test_a_request_that_waits_for_its_turn_does_not_leave_any_more(world: World) -> None:
    """The gate stands behind the quota: what queued while the consent was good is asked again before it leaves."""
    world = world.with_connector(connector(Refunds(window_count=6), quota=Quota(20, 1, 1)))

    async def first(request: Mapping[str, str]) -> None:
        await world.withdraw()

    world.platform.before = first
    assert await world.sync(replace(QUICK, windows_at_once=6)) is Verdict.INCOMPLETE
    assert len(world.platform.heard) == 1
    assert await world.count("raw_page") == 0


async def test_no_token_is_refreshed_any_more(world: World) -> None:
    world.platform.access = {"another"}

    async def first(request: Mapping[str, str]) -> None:
        await world.withdraw()

    world.platform.before = first
    await world.sync()
    assert [one["path"] for one in world.platform.heard] == ["/refunds"]
    assert (await world.one("credential"))["state"] != "valid" or world.platform.exchanges == 0


async def test_another_source_of_the_connection_goes_on(world: World) -> None:
    other = await consented(world.database, world.time, world.customer_id, SourceKind.SETTLEMENT)
    both = connector(Refunds(), Refunds(name="settlements", source=SourceKind.SETTLEMENT))
    world = world.with_connector(both)
    await world.withdraw()
    world.platform.rows[TODAY] = [refund("1")]
    assert await world.sync() is Verdict.COMPLETE
    assert [fact["consent_id"] for fact in await world.facts()] == [other]
    assert len(world.platform.asked()) == 1


async def test_a_consent_that_runs_out_in_the_middle_stops_it_too(world: World) -> None:
    world.platform.rows[TODAY] = [refund(str(number)) for number in range(9)]

    async def second(request: Mapping[str, str]) -> None:
        if request["page"] == "2":
            await world.has_committed(1)
            world.time.turn(days=400)

    world.platform.before = second
    assert await world.sync() is Verdict.INCOMPLETE
    assert len(world.platform.asked()) == 2
    assert len(await world.facts()) == 2


async def test_a_new_consent_of_a_smaller_range_is_not_stretched_by_an_old_window(world: World) -> None:
    """A window that was left open under an older consent is read only if the new one asks for it."""
    world = world.with_connector(connector(Refunds(window_count=3)))
    world.platform.says("/refunds", *(raw("{}", 429, Retry_After="99") for _ in range(3)))
    assert await world.sync() is Verdict.PARKED
    await world.withdraw()
    again = await consented(world.database, world.time, world.customer_id, SourceKind.SHOP)
    await world.do("UPDATE consent SET data_from = '2026-01-15' WHERE consent_id = :again", again=again)
    world.platform.heard.clear()
    world.platform.script.clear()
    await world.pause_is_over()
    assert await world.sync() is Verdict.EMPTY_EXPECTED
    assert [one["day"] for one in world.platform.asked()] == [TODAY]
    assert {window["state"] for window in await world.windows()} == {"DONE", "NOT_SERVED"}


async def test_a_new_authorisation_during_the_run_is_not_forgotten_by_its_end(world: World) -> None:
    """Whoever makes the connection due while it is being synced finds it due afterwards, and ACTIVE."""

    async def on_its_way(request: Mapping[str, str]) -> None:
        await world.make_due()

    world.platform.before = on_its_way
    world.platform.says("/refunds", raw("{}", 403))
    assert await world.sync() is Verdict.FAILED
    row = await world.one("connection")
    assert (row["status"], row["last_fault"]) == ("ACTIVE", "Reauthorise")
    world.platform.before = None
    assert await world.engine().run(world.customer_id, world.connection_id) is Verdict.EMPTY_EXPECTED


async def test_two_customers_do_not_disturb_each_other(world: World) -> None:
    other = await new_customer(world.equipment, "110101199003070003")
    row = {"customer_id": other, "connection_id": new_id(), "connector": "scripted", "status": "ACTIVE", "created_at": NOW}
    async with world.database.work() as tx:
        await tx.execute(insert(connection), row)
        theirs = await consents.consents_of(tx, other)
    assert theirs == []
    world.platform.rows[TODAY] = [refund("1")]
    ended = await asyncio.gather(world.sync(), world.engine().run(other, row["connection_id"]))
    assert ended == [Verdict.COMPLETE, None], "the other is not due"
