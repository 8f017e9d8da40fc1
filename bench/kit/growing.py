"""A store grown by SQL: customers ``first`` to ``last`` with all that is theirs, in one statement per table.

What a customer has is computed from his number ``n``, what a fact says from its place ``i`` beside it. Row-level security, keys and indexes are those of the
migrations.
"""

# ruff: noqa: S608 -- our own words

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import psycopg

from bench.kit.ground import NOON
from bench.kit.show import Show

CHUNK = 10_000
# An id as the hub makes them: what comes first is time, the customer's number here; the rest is as good as random.
ID = """create or replace function pg_temp.id(n bigint, what text) returns uuid language sql immutable as $$
    select (lpad(to_hex(n), 12, '0') || '7' || left(md5(n || what), 3) || '8' || substr(md5(n || what), 4, 15))::uuid $$"""
AT = f"'{NOON.isoformat()}'::timestamptz"
N = "generate_series(%(first)s::bigint, %(last)s::bigint) n"
C = "pg_temp.id(n, 'customer')"
LINK, CONSENT, PAGE = (f"pg_temp.id(n, '{what}' || connector)" for what in ("connection", "consent", "page"))
_ENVELOPE = "customer_id, fact_id, source_key, version, occurred_on, known_from, connection_id, consent_id, page_id, position, content_hash"


def fact(table: str, connector: str, count: int, day: str, columns: str, values: str, apart: str = "") -> str:
    """Facts ``i`` of a customer ``n``; what is made more than once of one table is told ``apart``."""
    rows = f"{N}, generate_series(1, {count}) i, lateral (select '{connector}' as connector, {day} as day) o"
    return (
        f"insert into {table} ({_ENVELOPE}, {columns}) select {C}, pg_temp.id(n, '{table}{apart}' || i), '{apart or 'key'}' || i, 1, day, {AT} - interval '1 day', {LINK},"
        f" {CONSENT}, {PAGE}, i, sha256((n || '{table}' || i)::bytea), {values} from {rows} order by n, i"
    )


async def fill(dsn: str, statements: Sequence[str], tables: Sequence[str], first: int, last: int, show: Show) -> None:
    """Customers ``first`` to ``last``. Two connections share the chunks; what the triggers would look for is written by the same statements."""
    chunks = iter([(start, min(start + CHUNK, last + 1) - 1) for start in range(first, last + 1, CHUNK)])
    total, done = last - first + 1, 0

    async def some() -> None:
        nonlocal done
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as line:
            await line.execute("set session_replication_role = replica; set synchronous_commit = off; set timezone = 'UTC'; set jit = off")
            await line.execute(ID)
            for start, end in chunks:
                for statement in statements:
                    await line.execute(statement.encode(), {"first": start, "last": end})
                done += end - start + 1
                show.at(f"growing to {last:,}", done, total, "customers")

    await asyncio.gather(some(), some())
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as line:
        for table in tables:
            await line.execute(f"vacuum (analyze, freeze) {table}".encode())
        await line.execute("checkpoint")
