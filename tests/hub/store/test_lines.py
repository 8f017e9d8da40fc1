"""The lines that reads are answered over: a read is one transaction that leaves nothing behind, and whoever goes away leaves nothing running."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import psycopg
import pytest
import uvloop
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from hub.store import lines
from hub.store.database import Database, Scope, is_away
from hub.store.embedded import Urls

MINE = Scope("app-1", "CREDIT_APPROVAL")
WHO = "select current_setting('hub.client', true), current_setting('hub.operator', true), current_setting('transaction_read_only'), pg_backend_pid()::text"


async def told(database: Database, statement: str = WHO, **values: Any) -> tuple[Any, ...]:
    (row,) = await database.ask(MINE, statement, values)
    return tuple(None if value is None else value.decode() for value in row)


async def active(database: Database) -> int:
    """Sleepers, as the superuser sees them."""
    assert database.urls.admin is not None
    dsn = make_url(database.urls.admin).set(drivername="postgresql").render_as_string(hide_password=False)
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as admin:
        found = await admin.execute(
            "select count(*) from pg_stat_activity where usename = 'hub_app' and query like '%pg_sleep%' and state = 'active'"
        )
        return int((await found.fetchone() or (0,))[0])


async def test_who_asks_is_told_for_one_transaction_that_only_reads(database: Database) -> None:
    for _ in range(3):
        assert (await told(database))[:3] == ("app-1", "", "on")
    (line,) = database.lines._free
    asked = line.ask([("select current_setting('hub.client', true), current_setting('transaction_read_only')", {})], lambda _: False)
    assert await asked.answer == [[(b"", b"off")]]


async def test_a_read_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError, match="read-only transaction"):
        await told(database, "insert into used_token_id (kind, issuer, jti, expires_at) values ('DPOP', 'a', 'b', now()) returning jti")


async def test_after_an_error_the_next_read_is_answered(database: Database) -> None:
    await told(database)
    with pytest.raises(DBAPIError, match="division by zero"):
        await told(database, "select (1 / %(by)s::int)::text", by=0)
    assert await told(database, "select (1 / %(by)s::int)::text", by=1) == ("1",)


async def test_whoever_goes_away_leaves_nothing_running(database: Database) -> None:
    asking = asyncio.create_task(told(database, "select pg_sleep(20)::text"))
    while not await active(database):  # noqa: ASYNC110 -- only asking tells
        await asyncio.sleep(0.01)
    asking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asking
    async with asyncio.timeout(5):
        while await active(database) or database.lines._open:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert (await told(database))[0] == "app-1"


async def test_a_line_that_the_server_ended_is_replaced(database: Database) -> None:
    before = (await told(database))[3]
    (line,) = database.lines._free
    line.libpq.finish()
    assert (await told(database))[3] != before


async def test_a_line_is_used_again_and_never_more_are_open_than_may_be(database: Database) -> None:
    database.lines.size = 2
    found = await asyncio.gather(*(told(database) for _ in range(20)))
    assert len({one[3] for one in found}) == 2 == database.lines._open


async def test_a_large_question_and_a_large_answer(database: Database) -> None:
    long = "数" * 2_000_000
    assert await told(database, "select %(text)s::text", text=long) == (long,)


async def test_statements_are_prepared_until_there_are_too_many(database: Database) -> None:
    for _ in range(2):
        for number in range(70):
            assert await told(database, f"select '{number}' || %(v)s::text", v="x") == (f"{number}x",)
    assert await told(database, "select count(*)::text from pg_prepared_statements") <= ("64",)


async def test_what_was_begun_and_not_committed_is_nobody_s(database: Database) -> None:
    """A line that was left within a transaction goes to nobody else."""
    async with database.lines.held() as say:
        ((pid,),), _ = await say(("select pg_backend_pid()::text", {}), ("BEGIN", {}))
    assert pid is not None and (await told(database))[3] != pid.decode()
    async with database.lines.held() as say:
        await say(("BEGIN", {}), ("COMMIT", {}))
    (line,) = database.lines._free
    assert line.is_idle


FEW = "select a.attname::text from pg_attribute a join pg_attribute b using (attnum) limit %(few)s::int"
PLANS = "select generic_plans::text, custom_plans::text from pg_prepared_statements where statement like 'select a.attname%'"


async def test_a_statement_is_planned_once(database: Database) -> None:
    """Also one whose plan for these values PostgreSQL takes to be cheaper, as it takes those of a view in a large store: left to itself it plans it anew each time."""
    for _ in range(10):
        await told(database, FEW, few=1)
    generic, custom = map(int, await told(database, PLANS))
    assert generic >= 8 and custom == 0
    (line,) = database.lines._free
    await line.ask([("select set_config('plan_cache_mode', 'auto', false)", {})], lambda _: False).answer
    for _ in range(10):
        await told(database, FEW, few=1)
    assert int((await told(database, PLANS))[1]) == 10, "control"


async def warm(database: Database) -> str:
    """One line is there, and what it is asked is prepared."""
    await told(database)
    return (await told(database))[3]


async def test_short_reads_go_behind_each_other(database: Database) -> None:
    """Each is a transaction by itself all the same."""
    pid = await warm(database)
    found = await asyncio.gather(*(told(database) for _ in range(lines.DEPTH)))
    assert [one[3] for one in found] == [pid] * lines.DEPTH and database.lines._open == 1
    assert {one[:3] for one in found} == {("app-1", "", "on")}
    await asyncio.gather(*(told(database) for _ in range(lines.DEPTH + 1)))
    assert database.lines._open == 2, "no more than so many"


async def test_one_that_fails_fails_alone(database: Database) -> None:
    await warm(database)
    divided = "select (1 / %(by)s::int)::text"
    found = await asyncio.gather(*(told(database, divided, by=by) for by in (1, 0, 1, 0)), return_exceptions=True)
    assert [found[0], found[2]] == [("1",)] * 2 and isinstance(found[1], DBAPIError) and isinstance(found[3], DBAPIError)
    assert database.lines._open == 1, "nobody lost the line"


@pytest.mark.parametrize("long", [lines.LONG, 3_600.0])
async def test_nobody_waits_behind_one_that_takes_long(database: Database, long: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONG", long)
    pid = await warm(database)
    slow = asyncio.create_task(told(database, "select pg_sleep(0.6)::text"))
    await asyncio.sleep(0)
    quick = await told(database)
    if long == lines.LONG and long < 1:
        assert not slow.done() and quick[3] != pid
    else:
        assert slow.done() and quick[3] == pid, "control"
    await slow


async def test_whoever_waits_behind_one_who_goes_away_is_answered(database: Database) -> None:
    pid = await warm(database)
    slow = asyncio.create_task(told(database, "select pg_sleep(20)::text"))
    await asyncio.sleep(0)
    behind = [asyncio.create_task(told(database)) for _ in range(2)]
    await asyncio.sleep(0)
    slow.cancel()
    async with asyncio.timeout(5):
        assert pid not in {one[3] for one in await asyncio.gather(*behind)}
        while await active(database):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert slow.cancelled()


async def test_what_writes_has_its_line_for_itself(database: Database) -> None:
    """It waits for the disk: nobody goes behind it."""
    pid = await warm(database)
    writing = asyncio.create_task(database.do(MINE, "select pg_sleep(0.2)::text, pg_backend_pid()::text", {}))
    await asyncio.sleep(0)
    assert (await told(database))[3] != pid and not writing.done()
    assert (await writing)[0][1] == pid.encode()


async def test_whoever_waits_for_a_line_is_not_overtaken(database: Database) -> None:
    """As long as somebody waits for a line of his own nobody goes behind others: else a line that is never at rest would keep him waiting."""
    await warm(database)
    database.lines.size = 1
    reading = asyncio.create_task(told(database))
    await asyncio.sleep(0)
    writing = asyncio.create_task(database.do(MINE, "select 'written'", {}))
    await asyncio.sleep(0)
    order: list[str] = []
    writing.add_done_callback(lambda _: order.append("written"))
    later = asyncio.create_task(told(database))
    later.add_done_callback(lambda _: order.append("read"))
    await asyncio.gather(reading, writing, later)
    assert order == ["written", "read"]


async def test_a_statement_that_cannot_be_prepared_is_refused_each_time(database: Database) -> None:
    await warm(database)
    for _ in range(4):
        with pytest.raises(DBAPIError, match="syntax error"):
            await told(database, "select from where")
    (line,) = database.lines._free
    assert not any("from where" in name for name in line._names)


async def test_when_the_server_ends_a_line_all_who_wait_for_it_are_told(database: Database) -> None:
    pid = await warm(database)
    waiting = [asyncio.create_task(told(database, "select pg_sleep(20)::text")) for _ in range(2)]
    while not await active(database):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert database.urls.admin is not None
    dsn = make_url(database.urls.admin).set(drivername="postgresql").render_as_string(hide_password=False)
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as admin:
        await admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'hub_app'")
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(one, DBAPIError) and is_away(one) for one in found), found
    assert (await told(database))[3] != pid


@pytest.mark.parametrize("behind", [WHO, "select length(%(long)s::text)::text"])
@pytest.mark.parametrize("loop", [asyncio.run, uvloop.run])
def test_on_either_loop_whoever_asks_is_told_of_a_server_that_goes_away_with_unread_questions(urls: Urls, behind: str, loop: Any) -> None:
    """uvloop is what the hub runs on. A question that is longer than what a socket takes is still being sent."""
    long = "数" * 2_000_000

    async def told_of_it(others: int) -> BaseException | None:
        database = Database(urls)
        await warm(database)
        slow = asyncio.create_task(told(database, "select pg_sleep(20)::text"))
        await asyncio.sleep(0)
        await asyncio.gather(*(told(database, behind, long=long) for _ in range(others)))
        assert urls.admin is not None and not slow.done()
        dsn = make_url(urls.admin).set(drivername="postgresql").render_as_string(hide_password=False)
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as admin:
            await admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'hub_app'")
        async with asyncio.timeout(3):
            while not slow.done() or database.lines._reading:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await database.close()
        return slow.exception()

    # Which of them goes unnoticed, where it is not looked twice, is chance.
    for others in (1, 2, 3, 1):
        found = loop(told_of_it(others))
        assert isinstance(found, DBAPIError) and is_away(found)


async def test_whoever_still_waits_when_the_lines_are_closed_is_told(database: Database) -> None:
    await warm(database)
    database.lines.size = 1
    reading = asyncio.create_task(told(database, "select pg_sleep(20)::text"))
    await asyncio.sleep(0)
    writing = asyncio.create_task(database.do(MINE, "select 'written'", {}))
    await asyncio.sleep(0.05)
    await database.lines.close()
    found = await asyncio.gather(reading, writing, return_exceptions=True)
    assert all(isinstance(one, DBAPIError) and is_away(one) for one in found), found
    assert not database.lines._reading and not database.lines._free
