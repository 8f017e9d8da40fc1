"""Columns of a page as PostgreSQL reads them, whichever way they are written."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import AsyncIterator
from datetime import date

import pytest
from sqlalchemy import text

from hub.store.arrays import digests, ids, literal
from hub.store.database import Database
from hub.store.embedded import Urls


@pytest.fixture
async def database(urls: Urls) -> AsyncIterator[Database]:
    made = Database(urls)
    yield made
    await made.close()


def test_arrays_are_written_as_postgresql_reads_them() -> None:
    assert literal(["a", None, "b,c"]) == '{"a",null,"b,c"}'
    assert literal(['q"', "back\\slash", "line\n", None]) == '{"q\\"","back\\\\slash","line\n",NULL}'
    assert literal([date(2026, 1, 1), None]) == '{"2026-01-01",null}'


@pytest.mark.parametrize("count", [1, 2, 500, 5000])
async def test_many_ids_are_version_7_differ_and_come_in_order(database: Database, count: int) -> None:
    before = time.time_ns() // 1_000_000
    (made,) = await database.glance("SELECT %(ids)s::uuid[]", {"ids": ids(count)})
    after = time.time_ns() // 1_000_000
    assert len(set(made)) == count
    assert {(one.version, one.variant) for one in made} == {(7, uuid.RFC_4122)}
    assert all(before <= one.int >> 80 <= after for one in made)
    first = [one.int >> 64 for one in made]
    assert first == sorted(first), "each begins where the one before does, or after it"
    assert count > 4096 or len(set(first)) == count


async def test_of_no_facts_there_are_no_ids_and_no_digests(database: Database) -> None:
    assert await database.glance("SELECT %(ids)s::uuid[], %(digests)s::bytea[]", {"ids": ids(0), "digests": digests([])}) == ([], [])


async def test_digests_are_bytes_over_either_way(database: Database) -> None:
    hexadecimal = [hashlib.sha256(bytes([number])).hexdigest() for number in range(3)]
    statement, values = "SELECT %(digests)s::bytea[]", {"digests": digests(hexadecimal)}
    told = [bytes.fromhex(one) for one in hexadecimal]
    assert await database.glance(statement, values) == (told,)
    async with database.work() as tx:
        assert (await tx.exec_driver_sql(statement, values)).scalar() == told
        assert (await tx.execute(text("SELECT 1"))).scalar() == 1
