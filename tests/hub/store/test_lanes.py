"""The lanes of pages: all statements in one go, all or nothing, and none that anything went wrong in is used again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from hub.store import lanes as lanes_module
from hub.store.database import Database, is_away
from hub.store.driver import pipelined
from hub.store.embedded import Urls

ONE = ("SELECT %(number)s::int AS number", {"number": 1})
BROKEN = ("SELECT 1 / %(number)s::int", {"number": 0})


@pytest.fixture
async def database(urls: Urls) -> AsyncIterator[Database]:
    made = Database(urls, worker_pool=3)
    yield made
    await made.close()


async def driver(database: Database) -> psycopg.AsyncConnection[Any]:
    """That of the one lane there is."""
    assert await database.glance("SELECT 1", {}) == (1,)
    (lane,) = database._lanes._free
    return lane.driver


async def test_values_come_back_as_the_driver_has_them(database: Database) -> None:
    values = {"id": uuid4(), "at": datetime(2026, 1, 2, tzinfo=UTC), "text": "中'\\", "none": None, "bytes": b"\0\xff", "number": 70_000}
    statement = (
        "SELECT %(id)s::uuid, %(at)s::timestamptz, %(text)s::text, %(none)s::text, %(bytes)s::bytea, %(number)s::bigint, ARRAY['a', NULL]"
    )
    for _ in range(3):
        assert await database.glance(statement, values) == (*values.values(), ["a", None])
    assert await database.glance(statement, {**values, "number": 2}) == (*list(values.values())[:5], 2, ["a", None])
    assert await database.glance("SELECT 1 WHERE false", {}) is None


async def test_a_lane_keeps_no_plan_for_long(database: Database) -> None:
    """A plan made before anything was there would look through all that came since. The first is used once, the next one twice, up to LONGEST times."""
    of_it = "FROM pg_prepared_statements WHERE statement LIKE %(like)s::text"
    seen, ages = ("SELECT name, generic_plans, custom_plans " + of_it, {"like": "%FROM grows%"}), Counter[str]()
    await database.glance("CREATE TEMP TABLE grows (a int, b int, PRIMARY KEY (a, b))", {})
    for _ in range(3 * lanes_module.LONGEST):
        assert await database.glance("SELECT count(*) FROM grows WHERE a = %(a)s::int", {"a": 1}) == (0,)
        name, generic, custom = await database.glance(*seen)
        ages[name] = generic
        assert custom == 0, "a plan is made when it is due, not each time"
    assert list(ages.values()) == [1, 2, 4, 8, 16, 32, 64, 64, 1], "what was planned before is gone from the session"


async def test_a_statement_that_could_not_be_prepared_can_be_later(database: Database) -> None:
    """The lane that knows its name, and has it not, is gone."""
    asked = ("SELECT count(*) FROM comes_later WHERE a = %(a)s::int", {"a": 1})
    for _ in range(2):
        with pytest.raises(DBAPIError, match="comes_later"):
            await database.glance(*asked)
        assert database._lanes._free == []
    await database.glance("CREATE TEMP TABLE comes_later (a int)", {})
    assert await database.glance(*asked) == (0,)


async def test_a_transaction_is_whole_or_not_at_all(database: Database) -> None:
    begun, key = database.begun(), str(uuid4())
    put = (
        "INSERT INTO record_shape (connector, stream, path, type, sightings, drifted, first_seen, last_seen) VALUES (%(key)s, 's', '$', 'x', 1, false, now(), now())",
        {"key": key},
    )
    count = ("SELECT count(*) FROM record_shape WHERE connector = %(key)s", {"key": key})
    rows, error = await begun.exchange((*begun.first, put, BROKEN, *begun.last))
    assert error is not None and error.sqlstate == "22012"
    assert len(rows) == 3, "what was answered before"
    assert database._lanes._free == [], "a lane within a transaction that failed is not used again"
    assert await database.glance(*count) == (0,)
    rows, error = await begun.exchange((*begun.first, put, *begun.last))
    assert error is None
    assert await database.glance(*count) == (1,)


async def test_both_ways_answer_alike(database: Database) -> None:
    for statements in ((ONE, ONE), (ONE, BROKEN, ONE)):
        over = await database._exchange(statements)
        async with database.open() as opened:
            through = await pipelined(opened.driver, statements)
            await opened.driver.rollback()
        assert over.rows == through.rows
        assert (over.error and over.error.sqlstate) == (through.error and through.error.sqlstate)


async def test_a_lane_is_used_again_and_one_that_was_cut_is_not(database: Database) -> None:
    first = await driver(database)
    assert await driver(database) is first
    async with await psycopg.AsyncConnection.connect(_plain(database), autocommit=True) as other:
        await other.execute("SELECT pg_terminate_backend(%s)", (first.info.backend_pid,))
    await asyncio.sleep(0.1)
    assert await driver(database) is not first
    assert first.closed


async def test_a_cut_under_way_is_the_database_s_absence(database: Database) -> None:
    first = await driver(database)
    asleep = asyncio.create_task(database.glance("SELECT pg_sleep(5)", {}))
    await asyncio.sleep(0.1)
    async with await psycopg.AsyncConnection.connect(_plain(database), autocommit=True) as other:
        await other.execute("SELECT pg_terminate_backend(%s)", (first.info.backend_pid,))
    with pytest.raises(DBAPIError) as gone:
        await asleep
    assert is_away(gone.value)
    assert await database.glance(*ONE) == (1,)


async def test_what_is_cancelled_is_given_up_by_the_server_too(database: Database) -> None:
    first = await driver(database)
    pid = first.info.backend_pid
    asleep = asyncio.create_task(database.glance("SELECT pg_sleep(20)", {}))
    await asyncio.sleep(0.1)
    asleep.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asleep
    assert first.closed
    for _ in range(50):
        if (await database.glance("SELECT count(*) FROM pg_stat_activity WHERE pid = %(pid)s", {"pid": pid}))[0] == 0:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it sleeps on")


async def test_a_large_page_is_heard_while_it_is_sent(database: Database) -> None:
    text = "x" * 3_000_000
    rows, error = await database._exchange([("SELECT %(text)s::text", {"text": text})] * 4)
    assert error is None
    assert rows == [[(text,)]] * 4


async def test_who_waits_for_too_long_is_told(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes_module, "WAIT", 0.05)
    asleep = asyncio.create_task(database.glance("SELECT pg_sleep(0.5)", {}))
    await asyncio.sleep(0.05)
    with pytest.raises(NoConnectionFree):
        await database.glance(*ONE)
    await asleep
    assert await database.glance(*ONE) == (1,)


async def test_through_a_pooler_nothing_is_prepared(urls: Urls) -> None:
    count = ("SELECT count(*)::int FROM pg_prepared_statements", {})
    for pooled, prepared in ((True, 0), (False, 2)):
        database = Database(replace(urls, pooled=pooled), worker_pool=3)
        for _ in range(3):
            await database.glance(*ONE)
        assert await database.glance(*count) == (prepared,)
        await database.close()


def _plain(database: Database) -> str:
    return database.worker.url.set(drivername="postgresql").render_as_string(hide_password=False)
