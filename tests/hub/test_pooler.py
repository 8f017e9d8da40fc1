"""Through a pooler in transaction mode: nobody sees another's rows, nothing is left behind, and the control finds both. ``make isolation`` is the same at full size."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bench.isolation import pooler
from bench.isolation.pooler import pooled
from bench.isolation.run import attacked
from bench.isolation.settings import Asked
from bench.kit.figures import Figure
from bench.kit.ground import folder
from bench.kit.show import Show
from hub.domain.caller import Caller
from hub.store.database import HUB, Database, Scope, driver_of
from hub.store.driver import Patient, send
from hub.store.embedded import Embedded, Urls

there = pytest.mark.skipif(pooler.program() is None, reason="pgbouncer is not installed: isolation through a pooler was not checked")
LEAKS = ("foreign rows in answers", "of them, with a setting or a row of somebody", "of the 6 server connections, with a setting left")


@pytest.fixture
def home() -> Iterator[Path]:
    """Where pgbouncer, which does not run as root, can go."""
    with folder() as made:
        yield made


def name_of(urls: Urls) -> str:
    return urls.owner.partition("@/")[2].partition("?")[0]


async def figures(asked: Asked, cluster: Embedded, urls: Urls, home: Path) -> dict[str, Figure]:
    with Show() as show:
        return {one.name: one for one in await attacked(asked, cluster, urls, name_of(urls), home, show)}


@there
async def test_two_partners_never_meet(cluster: Embedded, urls: Urls, home: Path) -> None:
    found = await figures(Asked(requests=400), cluster, urls, home)
    assert [one for one in found.values() if one.met is False] == []
    assert set(LEAKS) <= found.keys()


@there
async def test_a_plain_set_is_noticed(cluster: Embedded, urls: Urls, home: Path) -> None:
    """What is left behind is chance: a session may have been put right by whoever came last."""
    seen = set[str]()
    for _ in range(4):
        found = await figures(Asked(requests=400, broken="set"), cluster, urls, home)
        seen |= {name for name in LEAKS if int(found[name].seen) > 0}
        if seen == set(LEAKS):
            break
    assert seen == set(LEAKS), found


@pytest.fixture
async def through(cluster: Embedded, urls: Urls, home: Path) -> AsyncIterator[Database]:
    async with pooled(cluster, urls, name_of(urls), home / "pooler") as ways:
        database = Database(ways, app_pool=2, worker_pool=2)
        yield database
        await database.close()


@there
async def test_the_hubs_own_work_goes_through_it_too(through: Database) -> None:
    """More often than psycopg waits until it prepares a statement, and one that asks to be prepared at once."""
    for number in range(12):
        assert await through.look("select %(number)s::int as found", {"number": number}) == (number,)
        async with through.open() as opened:
            driver = await driver_of(opened.tx)
            async with driver.pipeline():
                for statement, values in (*opened.first, ("select current_setting('hub.client')", {}), *opened.last):
                    await send(driver, statement, values)
        async with through.work() as tx:
            shown = (
                await tx.execute(text("select current_setting('hub.client'), current_setting('timezone'), current_setting('jit')"))
            ).one()
            assert tuple(shown) == (HUB.client, "UTC", "off")
    async with through.worker.connect() as connection:
        assert (await connection.execute(text("select count(*) from pg_prepared_statements"))).scalar() == 0


@there
async def test_what_is_no_longer_waited_for_costs_no_connection(through: Database) -> None:
    """A cancelled statement ends by itself; its connection is given back at rest, and is the same as before."""

    async def sleep() -> None:
        async with through.write(Scope("north", "CREDIT_APPROVAL")) as tx:
            await tx.execute(text("select pg_sleep(0.3)"))

    for _ in range(4):
        task = asyncio.create_task(sleep())
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with through.app.connect() as connection:
        assert isinstance((await connection.get_raw_connection()).driver_connection, Patient)
        assert (await connection.execute(text("select coalesce(current_setting('hub.client', true), '')"))).scalar() == ""


@pytest.mark.parametrize(("audience", "seconds"), [("PARTNER", "2s"), ("INTERNAL", "5s"), ("ADMIN", "5s")])
async def test_a_statement_of_each_audience_ends_in_time(database: Database, audience: str, seconds: str) -> None:
    limits = text(
        "select current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout'), current_setting('lock_timeout')"
    )
    scope = Scope.of(Caller("someone", audience, frozenset(), "CREDIT_APPROVAL"))
    for transaction in (database.read, database.write):
        async with transaction(scope) as tx:
            assert tuple((await tx.execute(limits)).one()) == (seconds, "1min", "3s")
    async with database.work() as tx:
        assert tuple((await tx.execute(limits)).one()) == ("1min", "1min", "30s")


async def test_a_reading_transaction_does_not_write(database: Database) -> None:
    async with database.read(Scope("someone", "CREDIT_APPROVAL")) as tx:
        assert (await tx.execute(text("show transaction_read_only"))).scalar() == "on"
    async with database.write(Scope("someone", "CREDIT_APPROVAL")) as tx:
        assert (await tx.execute(text("show transaction_read_only"))).scalar() == "off"


async def test_a_closed_connection_is_not_handed_on(database: Database) -> None:
    async with database.app.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    driver.pgconn.finish()
    async with database.write(Scope("someone", "CREDIT_APPROVAL")) as tx:
        assert (await tx.execute(text("select 1"))).scalar() == 1
        assert (await tx.get_raw_connection()).driver_connection is not driver
