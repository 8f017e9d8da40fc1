"""Facts are never overwritten: a change closes one version and adds the next, and each instant reads its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hub.domain.enums import Verdict
from tests.hub.sync.platform import refund
from tests.hub.sync.world import NOW, TODAY, World


async def known_at(world: World, **delta: float) -> list[str]:
    """Number and amount of the refunds in force at an instant."""
    rows = await world.rows(
        "SELECT refund_number, amount FROM fact_refund WHERE customer_id = :customer AND known_from <= :at "
        "AND (known_to IS NULL OR known_to > :at) ORDER BY refund_number",
        at=NOW + timedelta(**delta),
    )
    return [f"{row['refund_number']} {row['amount']}" for row in rows]


async def test_unchanged_data_writes_no_new_version(world: World) -> None:
    world.platform.rows[TODAY] = [refund("1"), refund("2"), refund("3")]
    assert await world.sync() is Verdict.COMPLETE
    before = await world.facts()
    world.time.turn(hours=1)
    assert await world.sync() is Verdict.COMPLETE
    assert await world.facts() == before
    run = await world.one("sync_run")
    assert (run["fetched"], run["stored"], run["unchanged"]) == (3, 0, 3)
    assert await world.count("raw_page") == 4, "every answer is kept, also one that brings nothing new"


async def test_the_same_amount_written_otherwise_is_no_change(world: World) -> None:
    world.platform.rows[TODAY] = [refund("1", "10.00")]
    await world.sync()
    world.platform.rows[TODAY] = [refund("1", "10.0")]
    assert await world.sync() is Verdict.COMPLETE
    assert [fact["version"] for fact in await world.facts()] == [1]


async def test_a_change_closes_the_old_version_and_both_can_be_read(world: World) -> None:
    world.platform.rows[TODAY] = [refund("1", "10.00"), refund("2", "5.00")]
    await world.sync()
    world.time.turn(minutes=60)
    world.platform.rows[TODAY] = [refund("1", "12.50"), refund("2", "5.00")]
    assert await world.sync() is Verdict.COMPLETE
    old, new, other = await world.facts()
    assert (old["version"], old["known_to"]) == (1, new["known_from"])
    assert (new["version"], new["supersedes"], new["known_to"]) == (2, old["fact_id"], None)
    assert other["version"] == 1
    assert new["page_id"] != old["page_id"]
    assert await known_at(world, minutes=-1) == []
    assert await known_at(world, minutes=59) == ["1 10.00", "2 5.00"]
    assert await known_at(world, minutes=60) == ["1 12.50", "2 5.00"]


async def test_the_run_counts_only_what_changed(world: World) -> None:
    world.platform.rows[TODAY] = [refund("1"), refund("2")]
    await world.sync()
    world.platform.rows[TODAY] = [refund("1"), refund("2", "99.00"), refund("3")]
    await world.sync()
    run = await world.one("sync_run")
    assert (run["fetched"], run["stored"], run["unchanged"]) == (3, 2, 1)


async def test_every_run_that_ends_is_told_of_and_one_that_was_not_claimed_is_not(world: World) -> None:
    """The rows say what follows, so a run that stored nothing is told of, too: it may be the last one others waited for."""
    told: list[Any] = []

    async def ended(customer_id: Any) -> None:
        told.append(customer_id)

    world.platform.rows[TODAY] = [refund("1")]
    for expected in (1, 2):
        await world.make_due()
        await world.engine(ended=ended).run(world.customer_id, world.connection_id)
        assert len(told) == expected
    await world.engine(ended=ended).run(world.customer_id, world.connection_id)
    assert told == [world.customer_id] * 2


async def test_one_live_version_per_key_is_a_law_of_the_database(world: World) -> None:
    world.platform.rows[TODAY] = [refund("1", "1.00")]
    for amount in ("2.00", "3.00", "1.00"):
        await world.sync()
        world.platform.rows[TODAY] = [refund("1", amount)]
    await world.sync()
    live: list[Mapping[str, Any]] = [fact for fact in await world.facts() if fact["known_to"] is None]
    assert [(fact["version"], str(fact["amount"])) for fact in live] == [(4, "1.00")]
