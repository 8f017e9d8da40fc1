"""What a consent brought is gone on the day that its end and its data life say, none of it a day early, and a tombstone proves it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hub.consent import grants as consents
from hub.domain.enums import SourceKind, Verdict
from tests.hub.erasure.side import digest_of, erase, hashes, held, on, stones, today
from tests.hub.sync.platform import refund
from tests.hub.sync.world import World, consented

BROUGHT = {"fact_refund": 5, "raw_page": 3, "sync_window": 1}


async def test_withdrawn_it_is_gone_seven_days_later(world: World) -> None:
    assert await world.sync() is Verdict.COMPLETE
    before, pages = await held(world), await hashes(world)
    assert {name: before[name] for name in BROUGHT} == BROUGHT
    await world.withdraw()
    await on(world, 6)
    noted = {name: before[name] + 1 for name in ("consent_event", "profile_change")}
    assert (await erase(world), await held(world)) == (0, {**before, **noted}), "a day early: nothing"
    await on(world, 7)
    assert await erase(world) == 9
    left = await held(world)
    assert not BROUGHT.keys() & left.keys()
    assert left["consent"] == 1 and left["party"] == 1, "what was consented, and whom it is about, stays"
    (stone,) = await stones(world)
    assert (stone["reason"], stone["consent_id"], stone["kinds"], stone["rows"]) == (
        "CONSENT_REVOKED",
        world.consent_id,
        ["Refund"],
        BROUGHT,
    )
    assert (stone["due_on"], stone["done_on"]) == (date(2026, 1, 22), date(2026, 1, 22))
    assert stone["pages_sha256"] == digest_of(pages)
    assert await erase(world) == 0, "once is enough"


async def test_the_day_is_there_to_be_asked_for(world: World) -> None:
    """By its data life when it is written; earlier once the consent has been withdrawn."""
    await world.sync()
    asked = "SELECT DISTINCT erase_on, reason FROM page_due WHERE customer_id = :customer"
    # The consent ends with July; its data life of 1,095 days is longer.
    assert await world.rows(asked) == [{"erase_on": date(2026, 8, 30), "reason": "CONSENT_EXPIRED"}]
    assert {one["life_ends_on"] for one in await world.rows("SELECT life_ends_on FROM raw_page")} == {date(2026, 1, 15) + timedelta(1095)}
    await world.withdraw()
    assert await world.rows(asked) == [{"erase_on": date(2026, 1, 22), "reason": "CONSENT_REVOKED"}]


async def test_a_consent_that_ran_out_and_was_not_renewed(world: World) -> None:
    await world.sync()
    end = date(2026, 7, 31)
    await on(world, (end - today(world)).days + 29)
    assert await erase(world) == 0
    await on(world, (end - date(2026, 1, 15)).days + 30)
    assert await erase(world) == 9
    assert {one["reason"] for one in await stones(world)} == {"CONSENT_EXPIRED"}


async def test_one_that_was_renewed_keeps_what_it_brought(world: World) -> None:
    """For as long as the renewal stands; then it goes with it."""
    await world.sync()
    await on(world, 190)
    async with world.database.work() as tx:
        await consents.expire(tx, world.customer_id, world.consent_id, world.time.now())
    renewal = await consented(world.database, world.time, world.customer_id, SourceKind.SHOP)
    await on(world, 225)
    assert await erase(world) == 0
    async with world.database.work() as tx:
        await consents.withdraw(tx, world.customer_id, renewal, world.time.now())
    assert await erase(world) == 9, "nothing renews it any more, and its own time is over"


async def test_one_that_was_superseded_goes_with_what_stands_instead(world: World) -> None:
    await world.sync()
    await world.do("UPDATE consent SET status = 'SUPERSEDED', changed_at = :now", now=world.time.now())
    instead = await consented(world.database, world.time, world.customer_id, SourceKind.SHOP)
    await on(world, 100)
    assert await erase(world) == 0
    async with world.database.work() as tx:
        await consents.withdraw(tx, world.customer_id, instead, world.time.now())
    await on(world, 106)
    assert await erase(world) == 0
    await on(world, 107)
    assert await erase(world) == 9


async def test_a_life_that_was_shortened_later(world: World) -> None:
    await world.sync()
    await world.do("UPDATE consent SET data_life_days = 20, narrowed_at = :now", now=world.time.now())
    await on(world, 19)
    assert await erase(world) == 0
    await on(world, 20)
    assert await erase(world) == 9


async def test_the_end_of_a_data_life(world: World) -> None:
    """The consent stands: what is fetched again is fetched whole, since the windows went with their pages."""
    await world.do("UPDATE consent SET data_life_days = 10")
    await world.sync()
    await on(world, 9)
    assert await erase(world) == 0
    await on(world, 10)
    assert await erase(world) == 9
    (stone,) = await stones(world)
    assert (stone["reason"], stone["due_on"]) == ("LIFE_ENDED", date(2026, 1, 25))
    world.platform.rows[today(world).isoformat()] = [refund(f"r-{number}", day=today(world).isoformat()) for number in range(5)]
    assert await world.sync() is Verdict.COMPLETE
    assert await world.count("fact_refund") == 5


_COPY = """
INSERT INTO raw_page (customer_id, page_id, connection_id, consent_id, run_id, stream, first_day, request, status, content_type, fetched_at, sha256, size, body)
SELECT customer_id, gen_random_uuid(), connection_id, consent_id, run_id, stream, first_day, request, status, content_type, fetched_at, sha256, size, body
FROM raw_page WHERE customer_id = :customer
"""


async def test_a_page_of_the_version_before_has_a_day_too(world: World) -> None:
    """It wrote none: then the consent says how long, from the day of the fetch."""
    await world.sync()
    await world.do(_COPY)
    await world.do("UPDATE consent SET data_life_days = 3, expires_at = NULL, narrowed_at = :now", now=world.time.now())
    world.time.at = datetime.now(UTC) + timedelta(days=2)
    await erase(world)
    assert [one["life_ends_on"] for one in await world.rows("SELECT life_ends_on FROM raw_page")] == [None] * 3, (
        "those that have a day are gone"
    )
    world.time.turn(days=1)
    assert (await erase(world), await world.count("raw_page")) == (3, 0)


async def test_another_consents_pages_stay(world: World) -> None:
    await world.sync()
    other = await consented(world.database, world.time, world.customer_id, SourceKind.SETTLEMENT)
    await world.do(_COPY.replace("(), connection_id, consent_id", "(), connection_id, CAST(:other AS uuid)"), other=other)
    await world.withdraw()
    await on(world, 7)
    await erase(world)
    assert {one["consent_id"] for one in await world.rows("SELECT consent_id FROM raw_page")} == {other}
