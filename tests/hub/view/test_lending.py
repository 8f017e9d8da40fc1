"""Loans, warnings, hints and the limit of a group, as they are read: each by its own rule of who sees it, and when."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from msgspec import structs
from sqlalchemy import insert, select, update

from hub.domain.caller import Caller
from hub.store import tables
from hub.store.database import Database
from tests.hub.view.test_reading import ask
from tests.hub.view.world import KNOWN, PARTNER, RISK, World, _id, build

QUERY = """query ($id: ID!, $asOf: Date, $knownAt: DateTime, $over: Boolean! = false) { customer(id: $id, asOf: $asOf, knownAt: $knownAt) {
    loans { number balance statusOn daysPastDue } monitoringSignals(over: $over) { totalCount nodes { trigger evidence { name value } until } }
    hints { kind code } groupLimit { limit scenario } } }"""
OTHERS = structs.replace(PARTNER, client_id="other-app")
POST_LOAN = structs.replace(RISK, purpose="POST_LOAN")


async def seen(database: Database, world: World, caller: Caller = RISK, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await ask(database, QUERY, caller, id=world.id, **more))["customer"]
    return found


async def add(database: Database, table: Any, like: Any, **changes: Any) -> None:
    """A row like another one, but for some values."""
    async with database.work() as tx:
        row = dict((await tx.execute(select(table).where(like))).mappings().one())
        await tx.execute(insert(table), {**row, **changes})


async def test_of_each_loan_the_latest_word_in_both_times(database: Database) -> None:
    world = await build(database)
    own = tables.loan_status.c.status_id == _id(61)
    later = {"status_id": _id(62), "status_on": date(2026, 1, 20), "balance": Decimal(40_000)}
    await add(database, tables.loan_status, own, **later, known_from=KNOWN - timedelta(minutes=5))
    before = {"status_id": _id(63), "balance": Decimal(60_000), "known_from": KNOWN - timedelta(days=1), "known_to": KNOWN}
    await add(database, tables.loan_status, own, **before)
    await add(database, tables.loan_status, own, status_id=_id(64), number="L-2", recorded_by="another")

    async def balances(caller: Caller = RISK, **at: Any) -> list[tuple[str, str]]:
        return sorted((one["number"], one["balance"]) for one in (await seen(database, world, caller, **at))["loans"])

    assert await balances() == [("L-1", "40000.00"), ("L-2", "50000.00")]
    assert await balances(asOf="2026-01-19") == [("L-1", "50000.00"), ("L-2", "50000.00")]
    assert await balances(asOf="2026-01-19", knownAt=(KNOWN - timedelta(hours=1)).isoformat()) == [("L-1", "60000.00")]
    assert await balances(PARTNER) == [("L-1", "40000.00")], "a partner sees its own words"


async def test_a_signal_shows_for_the_purpose_it_was_raised_for(database: Database) -> None:
    world = await build(database)
    mine = await seen(database, world)
    assert [one["trigger"] for one in mine["monitoringSignals"]["nodes"]] == ["T1"]
    assert mine["monitoringSignals"]["nodes"][0]["evidence"] == [{"name": "latest_sales_ratio", "value": "0.6"}]
    async with database.work() as tx:
        await tx.execute(update(tables.monitoring_signal).values(use_purpose="POST_LOAN"))
    assert (await seen(database, world))["monitoringSignals"]["nodes"] == []
    other = await seen(database, world, POST_LOAN)
    assert other["monitoringSignals"]["nodes"] == [], "nobody consented to it for that purpose"
    async with database.work() as tx:
        await tx.execute(update(tables.consent).values(purpose="POST_LOAN"))
    assert [one["trigger"] for one in (await seen(database, world, POST_LOAN))["monitoringSignals"]["nodes"]] == ["T1"]


async def test_what_was_derived_goes_with_its_consents(database: Database) -> None:
    """Loans are the lender's own, and stay."""
    world = await build(database)
    async with database.work() as tx:
        await tx.execute(update(tables.consent).values(status="REVOKED"))
    found = await seen(database, world)
    assert (found["monitoringSignals"]["totalCount"], found["hints"], found["groupLimit"]) == (0, [], None)
    assert len(found["loans"]) == 1


async def test_a_signal_that_is_over_stands_apart_and_stood_before(database: Database) -> None:
    world = await build(database)
    over = {"until": date(2026, 1, 20), "ended_at": KNOWN}
    async with database.work() as tx:
        await tx.execute(update(tables.monitoring_signal).values(**over, known_at=KNOWN - timedelta(hours=2)))
    counts = [(await seen(database, world, over=one))["monitoringSignals"]["totalCount"] for one in (False, True)]
    assert counts == [0, 1]
    then = [(await seen(database, world, knownAt=(KNOWN - timedelta(hours=ago)).isoformat()))["monitoringSignals"] for ago in (1, 3)]
    assert [one["totalCount"] for one in then] == [1, 0], "it lasted then, and had not come before that"


async def test_another_client_sees_nothing(database: Database) -> None:
    world = await build(database)
    assert (await ask(database, QUERY, OTHERS, id=world.id))["customer"] is None


async def test_several_limits_are_the_largest_and_never_a_sum(database: Database) -> None:
    """223,000 by S03; 198,000 by S02; a newer one of S06 that offers nothing takes nothing away; a what-if of a million is none."""
    world = await build(database)
    own = tables.evaluation.c.evaluation_id == world.evaluation
    await add(database, tables.evaluation, own, evaluation_id=_id(52), scenario="S02", final_limit=Decimal(198_000))
    await add(database, tables.evaluation, own, evaluation_id=_id(53), scenario="S06", final_limit=None, outcome="REFER_MANUAL")
    await add(database, tables.evaluation, own, evaluation_id=_id(54), scenario="S01", final_limit=Decimal(1_000_000), what_if=True)
    assert (await seen(database, world))["groupLimit"] == {"limit": "223000.00", "scenario": "S03"}
    newer = {"created_at": KNOWN + timedelta(minutes=1), "final_limit": Decimal(100_000)}
    await add(database, tables.evaluation, own, evaluation_id=_id(55), **newer)
    found = await seen(database, world)
    assert (found["groupLimit"], found["hints"]) == ({"limit": "198000.00", "scenario": "S02"}, []), (
        "hints are those of the latest decision"
    )
