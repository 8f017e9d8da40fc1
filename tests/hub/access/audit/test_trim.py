"""Old rows leave from the beginning; what stays still holds, and only the hub can have taken them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random

import pytest
from sqlalchemy import text

from hub.access.audit import AccessLog, trim, trim_old
from hub.access.audit.chain import EVENTS
from hub.access.audit.diagnose import Fault
from hub.access.audit.trim import kept_from
from hub.domain.periods import CHINA, china_day
from hub.errors import InvalidInput
from hub.store.database import Database
from hub.store.embedded import Urls
from tests.hub.access.audit.logs import KEYS, Secrets, accessed, customer_in, fill, heads_now, owner_of_everything, verified


def later(years: int = 3) -> datetime:
    """A day on which what is written now is old enough."""
    return datetime.now(UTC) + timedelta(days=366 * years)


async def middle(database: Database) -> datetime:
    """Between two fills."""
    async with database.work() as tx:
        return (await tx.execute(text("SELECT clock_timestamp()"))).scalar_one()


async def test_a_prefix_leaves_and_the_rest_holds(database: Database) -> None:
    await fill(database, Random(1), rows=10, events=4)
    early, cut = await heads_now(database), await middle(database)
    await fill(database, Random(2), rows=5, events=2)
    published = await heads_now(database, early)
    assert await trim(database, Secrets(), cut, later()) == {3: 10, 9: 10, EVENTS: 4}
    found = await verified(database, published)
    assert (found.findings, found.rows) == ([], 13), "five and five, two events, and that it was trimmed"
    assert await trim(database, Secrets(), cut, later()) == {}, "once"
    await fill(database, Random(3), rows=1, events=1)
    assert await trim(database, Secrets(), await middle(database), later()) == {3: 6, 9: 6, EVENTS: 4}
    await fill(database, Random(4), rows=2, events=0)
    found = await verified(database, published)
    assert (found.findings, found.rows) == ([], 5), "a chain that lost all its rows goes on from its anchor"


async def test_nothing_younger_than_three_years_leaves(database: Database) -> None:
    await fill(database, Random(1), rows=2, events=1)
    now = datetime.now(UTC)
    with pytest.raises(InvalidInput, match="three years"):
        await trim(database, Secrets(), now - timedelta(days=3 * 365 - 2), now)
    assert await trim(database, Secrets(), now - timedelta(days=3 * 366), now) == {}
    assert (await verified(database)).rows == 5


@pytest.mark.parametrize(
    ("today", "first"),
    [
        (date(2029, 1, 31), date(2026, 1, 31)),
        (date(2027, 2, 28), date(2024, 2, 28)),
        (date(2027, 3, 1), date(2024, 3, 1)),
        (date(2028, 2, 29), date(2025, 2, 28)),
        (date(2029, 12, 31), date(2026, 12, 31)),
    ],
)
def test_the_first_day_that_stays(today: date, first: date) -> None:
    for moment in (time.min, time.max):
        assert kept_from(datetime.combine(today, moment, CHINA)) == datetime.combine(first, time.min, CHINA)


async def test_a_day_leaves_whole_when_it_is_more_than_three_years_ago(database: Database) -> None:
    await fill(database, Random(1), shards=(3,), rows=4, events=0)
    logged = china_day(datetime.now(UTC))
    day = datetime.combine(logged + timedelta(days=3 * 365), time.max, CHINA)
    while kept_from(day).date() < logged:
        day += timedelta(days=1)
    assert await trim_old(database, Secrets(), lambda: day) == 0, "on the day itself it stays"
    assert await trim_old(database, Secrets(), lambda: day + timedelta(days=2)) == 4


async def test_what_does_not_hold_does_not_leave(urls: Urls, database: Database) -> None:
    await fill(database, Random(1), rows=6, events=0)
    with owner_of_everything(urls) as admin:
        admin.execute("UPDATE access_log SET purpose = 'x' WHERE shard = 9 AND sequence = 4")
    with pytest.raises(InvalidInput, match="Chain 9 breaks at row 4"):
        await trim(database, Secrets(), await middle(database), later())
    assert [(one.shard, one.sequence) for one in (await verified(database)).findings] == [(9, 4)]


async def test_an_anchor_that_is_not_the_hub_s_is_found(urls: Urls, database: Database) -> None:
    """Whoever deletes a prefix can say that it was trimmed, and cannot seal it."""
    await fill(database, Random(1), shards=(3,), rows=6, events=0)
    with owner_of_everything(urls) as admin:
        admin.execute(
            "INSERT INTO audit_anchor SELECT shard, sequence, hash, sha256(hash), at FROM access_log WHERE shard = 3 AND sequence = 4"
        )
        admin.execute("DELETE FROM access_log WHERE shard = 3 AND sequence <= 4")
    found = (await verified(database)).findings
    assert [(one.shard, one.sequence, one.fault) for one in found] == [(3, 1, Fault.MISSING), (3, 4, Fault.EDITED)]


async def test_what_is_deleted_behind_an_anchor_is_missing(urls: Urls, database: Database) -> None:
    await fill(database, Random(1), shards=(3,), rows=4, events=0)
    cut = await middle(database)
    await fill(database, Random(2), shards=(3,), rows=4, events=0)
    await trim(database, Secrets(), cut, later())
    with owner_of_everything(urls) as admin:
        admin.execute("DELETE FROM access_log WHERE shard = 3 AND sequence = 5")
    assert [(one.sequence, one.fault) for one in (await verified(database)).findings] == [(5, Fault.MISSING)]


async def test_a_trim_that_was_cut_short_is_ended_by_the_next(urls: Urls, database: Database) -> None:
    """The anchor was there and the rows were not gone yet."""
    log, random = AccessLog(database, KEYS), Random(1)
    for number in range(5):
        await log.write([accessed(customer_in(3, random), number)])
    with owner_of_everything(urls) as admin:
        admin.execute("CREATE TEMPORARY TABLE kept AS TABLE access_log")
        assert await trim(database, Secrets(), await middle(database), later()) == {3: 5}
        admin.execute("INSERT INTO access_log SELECT * FROM pg_temp.kept")
    assert (await verified(database)).findings == []
    assert await trim(database, Secrets(), datetime.now(UTC) - timedelta(days=2000), datetime.now(UTC)) == {3: 5}


async def test_rows_in_no_chain_leave_by_age_too(urls: Urls, database: Database) -> None:
    """They were logged before there was one. What is younger stays, and so does a row of a chain that lost its place: that is for the verification to tell."""
    old = "INSERT INTO access_log (customer_id, log_id, client_id, purpose, operation, document_sha256, fields, outcome, at) SELECT gen_random_uuid(), gen_random_uuid(),"
    with owner_of_everything(urls) as admin:
        admin.execute(f"{old} 'c', 'p', 'o', 'd', '{{}}', 'ANSWERED', now() - interval '1000 days' FROM generate_series(1, 4)")
        admin.execute(f"{old} 'c', 'p', 'o', 'd', '{{}}', 'ANSWERED', now() - interval '2000 days' FROM generate_series(1, 3)")
        assert await trim_old(database, Secrets()) == 3
        assert await trim_old(database, Secrets()) == 0
        assert admin.execute("SELECT count(*) FROM access_log").fetchone() == (4,)
        assert admin.execute("SELECT after -> 'rows' FROM audit_event WHERE action = 'audit.trim'").fetchone() == ({"-1": 3},)
