"""One page is one transaction, and only the right run, cursor and consent may write it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import zstandard

from hub.connect import Interval, Window
from hub.domain.facts.refund import Refund, RefundStatus
from hub.domain.identifiers import new_id
from hub.errors import ConsentMissing, LeaseLost, SecretMissing
from hub.store import pages
from hub.store.pages import PageCommit, RawPage, Refused, Run, Step, commit_page
from hub.sync.context import load
from hub.sync.plan import plan
from hub.vault import Place
from tests.hub.sync.world import NOW, World

DAY = date(2026, 1, 15)
BODY = b'{"rows": [{"no": "r-0123456789", "buyer": "canary-4711"}]}'
OWN = ("raw_page", "fact_refund", "quarantine")


async def opened(world: World) -> Run:
    """A claimed run whose window is open."""
    run = await world.claimed()
    async with world.database.work() as tx:
        await plan(tx, run, await load(world.equipment, tx, world.customer_id, world.connection_id), world.equipment.clock.now())
    return run


def page(world: World, run: Run, *, cursor: object = None, following: object = None, number: str = "r-1") -> PageCommit:
    fact = Refund(
        platform="scripted",
        refund_number=number,
        order_number="o",
        requested_at=NOW,
        succeeded_at=None,
        amount=Decimal("1.00"),
        status=RefundStatus.SUCCEEDED,
    )
    raw = RawPage(new_id(), {"path": "/refunds"}, 200, "application/json", hashlib.sha256(BODY).hexdigest(), BODY, datetime.now(UTC))
    end = None if following else "DONE"
    step = Step("refunds", DAY, cursor, following, end, fetched=2, covered=(Interval(DAY, DAY),))
    refused = (Refused(1, "no", "is missing", {"secret": "canary-4711"}),)
    return PageCommit(run, world.consent_id, raw, step, ((0, fact),), refused, NOW)


async def commit(world: World, made: PageCommit) -> None:
    sealer = await world.sealer()
    async with world.database.work() as tx:
        await commit_page(tx, sealer, world.equipment.blind, made)


async def test_a_page_is_written_whole(world: World) -> None:
    run = await opened(world)
    await commit(world, page(world, run, following={"page": 2}))
    window = await world.one("sync_window")
    assert (window["cursor"], window["fetched"], window["stored"], window["quarantined"]) == ({"page": 2}, 2, 1, 1)
    (fact,), raw = await world.facts(), await world.one("raw_page")
    assert (fact["page_id"], fact["consent_id"], fact["position"]) == (raw["page_id"], world.consent_id, 0)


async def test_a_page_is_stored_hashed_compressed_and_sealed(world: World) -> None:
    await commit(world, page(world, await opened(world)))
    raw, sealer = await world.one("raw_page"), await world.sealer()
    assert raw["sha256"] == hashlib.sha256(BODY).hexdigest()
    assert raw["size"] == len(BODY)
    packed = sealer.open(Place("raw_page", "body", str(raw["page_id"])), bytes(raw["body"]))
    assert zstandard.decompress(packed) == BODY
    quarantined = await world.one("quarantine")
    for sealed in (bytes(raw["body"]), bytes(quarantined["body"])):
        assert b"canary" not in sealed
        assert zstandard.FRAME_HEADER not in sealed[:64]
    with pytest.raises(SecretMissing):
        sealer.open(Place("raw_page", "body", str(new_id())), bytes(raw["body"]))


async def nothing_written(world: World) -> bool:
    return [await world.count(table) for table in OWN] == [0, 0, 0]


async def test_an_older_epoch_writes_nothing(world: World) -> None:
    run = await opened(world)
    await world.do("UPDATE connection SET epoch = epoch + 1 WHERE connection_id = :connection")
    with pytest.raises(LeaseLost):
        await commit(world, page(world, run))
    assert await nothing_written(world)
    assert (await world.one("sync_window"))["state"] == "OPEN"


async def test_the_fence_is_what_stops_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: without the epoch in the statement the stale page is written, which the test above would see."""
    run = await opened(world)
    await world.do("UPDATE connection SET epoch = epoch + 1 WHERE connection_id = :connection")
    monkeypatch.setattr(pages, "_COMMIT", pages._COMMIT.replace("AND epoch = %(epoch)s", ""))
    await commit(world, page(world, run))
    assert not await nothing_written(world)


async def test_a_moved_cursor_writes_nothing(world: World) -> None:
    run = await opened(world)
    await commit(world, page(world, run, following={"page": 2}))
    before = await world.count("raw_page")
    for asked_with in (None, {"page": 1}, {"page": "2"}, {}):
        with pytest.raises(LeaseLost, match="moved"):
            await commit(world, page(world, run, cursor=asked_with, number="r-2"))
    assert await world.count("raw_page") == before
    assert len(await world.facts()) == 1
    await commit(world, page(world, run, cursor={"page": 2}, number="r-2"))
    assert len(await world.facts()) == 2


async def test_a_finished_window_takes_no_further_page(world: World) -> None:
    run = await opened(world)
    await commit(world, page(world, run))
    with pytest.raises(LeaseLost):
        await commit(world, page(world, run, number="r-2"))
    assert len(await world.facts()) == 1


@pytest.mark.parametrize("ended", ["status = 'REVOKED'", "status = 'EXPIRED'", "status = 'PENDING'", "expires_at = '2026-01-15T03:59Z'"])
async def test_an_ended_consent_writes_nothing(world: World, ended: str) -> None:
    run = await opened(world)
    await world.do(f"UPDATE consent SET {ended} WHERE customer_id = :customer")
    with pytest.raises(ConsentMissing):
        await commit(world, page(world, run))
    assert await nothing_written(world)


async def test_another_customers_consent_is_none(world: World) -> None:
    run = await opened(world)
    with pytest.raises(ConsentMissing):
        await commit(world, replace(page(world, run), consent_id=new_id()))
    assert await nothing_written(world)


async def test_a_withdrawal_waits_for_the_page_and_the_page_for_a_withdrawal(world: World) -> None:
    """The page holds the consent until it is committed, so that the two come one after the other."""
    run, sealer = await opened(world), await world.sealer()
    async with world.database.work() as tx:
        await commit_page(tx, sealer, world.equipment.blind, page(world, run))
        held = await world.rows("SELECT 1 FROM consent WHERE customer_id = :customer FOR UPDATE SKIP LOCKED")
        assert held == [], "a withdrawal cannot commit between the check and the page"
    assert len(await world.rows("SELECT 1 FROM consent WHERE customer_id = :customer FOR UPDATE SKIP LOCKED")) == 1


async def test_a_lost_record_makes_the_figures_unequal(world: World) -> None:
    """Control of the arithmetic: a record that is neither stored nor refused nor known to be silent is missed."""
    run = await opened(world)
    made = page(world, run)
    await commit(world, replace(made, facts=()))
    ending = await world.engine()._tally(run, ["SHOP"])
    assert (ending.verdict, ending.detail) == ("INCOMPLETE", "the figures of a window do not add up")


async def test_a_page_renews_the_lease(world: World) -> None:
    run = await opened(world)
    await world.do("UPDATE connection SET lease_until = now() + interval '1 second' WHERE connection_id = :connection")
    await commit(world, page(world, run, following={"page": 2}))
    (lease,) = await world.rows("SELECT lease_until - now() AS rest FROM connection WHERE connection_id = :connection")
    assert lease["rest"].total_seconds() > 50


async def test_windows_are_planned_once_per_day(world: World) -> None:
    run = await opened(world)
    async with world.database.work() as tx:
        tasks = await plan(tx, run, await load(world.equipment, tx, world.customer_id, world.connection_id), world.equipment.clock.now())
    assert [(task.window, task.cursor, task.consent_id) for task in tasks] == [(Window("refunds", DAY, DAY), None, world.consent_id)]
