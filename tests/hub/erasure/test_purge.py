"""The access log goes by age: three years, on the day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import insert, text

from hub.domain.identifiers import new_id
from hub.domain.periods import CHINA
from hub.store.database import Database
from hub.store.erasure.purge import purge_access_log
from hub.store.tables import access_log


async def logged(database: Database, *days: date) -> None:
    row = {"client_id": "c", "purpose": "CREDIT_APPROVAL", "operation": "o", "document_sha256": "", "outcome": "ANSWERED"}
    times = [datetime(day.year, day.month, day.day, hour, 59, 59, tzinfo=CHINA) for day in days for hour in (0, 23)]
    async with database.work() as tx:
        await tx.execute(insert(access_log), [{"customer_id": new_id(), "log_id": new_id(), "at": at, **row} for at in times])


async def left(database: Database) -> list[str]:
    async with database.work() as tx:
        return [
            str(one)
            for one in (
                await tx.execute(text("SELECT DISTINCT (at AT TIME ZONE 'Asia/Shanghai')::date FROM access_log ORDER BY 1"))
            ).scalars()
        ]


async def test_a_day_goes_whole_when_it_is_three_years_ago(database: Database) -> None:
    await logged(database, date(2026, 1, 14), date(2026, 1, 15), date(2026, 1, 16))
    assert await purge_access_log(database, date(2029, 1, 13)) == 0
    assert await purge_access_log(database, date(2029, 1, 15)) == 4
    assert await left(database) == ["2026-01-16"]


@pytest.mark.parametrize(("logged_on", "goes_on"), [(date(2024, 2, 29), date(2027, 2, 28)), (date(2025, 2, 28), date(2028, 2, 28))])
async def test_leap_years(database: Database, logged_on: date, goes_on: date) -> None:
    await logged(database, logged_on)
    assert [await purge_access_log(database, goes_on - timedelta(days=1)), await purge_access_log(database, goes_on)] == [0, 2]


async def test_the_database_lets_nothing_younger_go(database: Database) -> None:
    """Whatever a worker asks for."""
    await logged(database, date(2026, 1, 15))
    async with database.work() as tx:
        await tx.execute(text("SELECT set_config('hub.today', '2029-01-14', true)"))
        assert (await tx.execute(text("DELETE FROM access_log"))).rowcount == 0
        await tx.execute(text("SELECT set_config('hub.today', '2029-01-15', true)"))
        assert (await tx.execute(text("DELETE FROM access_log"))).rowcount == 2
