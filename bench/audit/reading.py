"""What the chain costs: the same reads with the group-committed chain, and with a plain row inserted in the read's own transaction, as it was before; turn by turn."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

from bench.audit.settings import CLIENT, PURPOSE, READERS
from bench.audit.world import World
from bench.kit.figures import Figure, told
from bench.kit.ground import GRANTEE
from bench.kit.show import Show
from hub.access.audit import AccessLog, ChainKeys
from hub.access.audit.heads import Published
from hub.access.audit.verify import verify
from hub.domain.audit import Accessed
from hub.domain.caller import Caller
from hub.domain.identifiers import new_id
from hub.domain.selection import StoredRead
from hub.store.database import Database
from hub.store.view import CATALOGUE, Reader, ViewSettings
from hub.store.view.binding import bind
from hub.store.view.environment import environment
from hub.store.view.reader import uuids
from schema.access import AUDIENCES
from schema.contract import build_schema

QUERY = "query Look($id: ID!) { customer(id: $id) { id kind nameMasked createdAt parties { role nameMasked } sources { source status } } }"
SECONDS = 3.0
CALLER = Caller(CLIENT, "INTERNAL", AUDIENCES["INTERNAL"], PURPOSE)
Read = Callable[[StoredRead, dict[str, Any]], Awaitable[bytes]]
_WHO = "select set_config('hub.client', %(client)s, true), set_config('hub.purpose', %(purpose)s, true)"
_PLAIN = """
insert into access_log (customer_id, log_id, client_id, purpose, operation, document_sha256, fields, outcome, at)
select customer_id, log_id, %(client)s, %(purpose)s, %(operation)s, %(sha256)s, %(fields)s::text[], 'ANSWERED', now()
from unnest(%(customers)s::uuid[], %(ids)s::uuid[]) as seen(customer_id, log_id)
"""


def chained(world: World) -> Read:
    database = world.equipment.database
    log = AccessLog(database, ChainKeys.of(world.equipment.vault.keys))
    reader = Reader(database, CATALOGUE, ViewSettings(GRANTEE), world.equipment.clock, log)
    return lambda read, values: reader.read(CALLER, read, values)


class InTransaction:
    """The peer: the row is inserted and committed with the read, over a line of the same kind."""

    def __init__(self, world: World) -> None:
        self.database, self.clock = world.equipment.database, world.equipment.clock
        self.reader = Reader(self.database, CATALOGUE, ViewSettings(GRANTEE), self.clock, AccessLog(self.database, ChainKeys(b"")))

    async def read(self, read: StoredRead, values: dict[str, Any]) -> bytes:
        statement = self.reader.compiled(read.selection, frozenset(values)).statement
        bound = environment(CALLER, self.reader.settings, self.clock.now()) | bind(statement.bindings, values)
        who = (_WHO, {"client": CLIENT, "purpose": PURPOSE})
        async with self.database.lines.held() as say:
            *_, ((body, seen),) = await say(("BEGIN", {}), who, (statement.text, bound))
            assert body is not None and seen is not None
            ids = uuids(seen)
            said = {"client": CLIENT, "purpose": PURPOSE, "operation": read.name, "sha256": read.sha256, "fields": list(read.fields)}
            await say((_PLAIN, {**said, "customers": ids, "ids": [new_id() for _ in ids]}), ("COMMIT", {}))
        return body


async def side_by_side(world: World, show: Show, rounds: int) -> list[Figure]:
    schema = build_schema()
    document = schema.documents.of(QUERY, introspecting=False)
    plan = schema.documents.plan(document, None, {})
    assert plan.read is not None
    (slot,) = (name for name, value in plan.values(schema.core, {"id": "x"}).items() if value == "x")
    ways: dict[str, Read] = {"in the transaction": InTransaction(world).read, "chained": chained(world)}
    rates: dict[tuple[str, int], list[float]] = {}
    for number in range(rounds + 1):
        for readers in (READERS, 1):
            for name, read in ways.items():
                rate = await _rate(read, plan.read, world, slot, readers)
                # The first round warms statements, pools and the disk.
                if number:
                    rates.setdefault((name, readers), []).append(rate)
        show.at("reading", number, rounds)
    return [figure for readers in (READERS, 1) for figure in _figures(rates, readers)]


def _figures(rates: dict[tuple[str, int], list[float]], readers: int) -> list[Figure]:
    plain, ours = rates["in the transaction", readers], rates["chained", readers]
    ratio = statistics.median(mine / other for mine, other in zip(ours, plain, strict=True))
    who = f"{readers} readers" if readers > 1 else "one reader"
    return [
        told(f"{who}: reads a second, row in the read's transaction", f"{statistics.median(plain):,.0f}"),
        told(f"{who}: reads a second, chained", f"{statistics.median(ours):,.0f}"),
        told(f"{who}: chained / in the transaction, median of the rounds", f"{ratio:.2f}"),
    ]


async def _rate(read: Read, stored: StoredRead, world: World, slot: str, readers: int) -> float:
    began, done = perf_counter(), 0

    async def one(number: int) -> None:
        nonlocal done
        while perf_counter() - began < SECONDS:
            number += readers
            await read(stored, {slot: str(world.customers[number % len(world.customers)])})
            done += 1

    await asyncio.gather(*(one(number) for number in range(readers)))
    return done / (perf_counter() - began)


async def verified(world: World, show: Show, rows: int) -> list[Figure]:
    """How fast a long chain is verified. Its rows name twenty fields each."""
    database, keys = world.equipment.database, ChainKeys.of(world.equipment.vault.keys)
    log, fields = AccessLog(database, keys), tuple(f"Customer.field{number:02}" for number in range(20))
    await database_emptied(database)
    for start in range(0, rows, 1_000):
        customers = [world.customers[number % len(world.customers)] for number in range(start, min(start + 1_000, rows))]
        await log.write([Accessed(one, CLIENT, PURPOSE, "Look", "ab" * 32, fields, (str(one),), ("2026-01-01",)) for one in customers])
        show.at("filling", start, rows)
    began = perf_counter()
    found = await verify(database, keys, Published({}, []))
    rate = found.rows / (perf_counter() - began)
    return [
        Figure("rows verified", f"{rows:,}", f"{found.rows:,}", found.rows == rows and not found.findings),
        told("rows verified a second", f"{rate:,.0f}"),
    ]


async def database_emptied(database: Database) -> None:
    """Of what was read before: the peer's rows stand in no chain."""
    import psycopg
    from sqlalchemy.engine import make_url

    assert database.urls.admin is not None
    dsn = make_url(database.urls.admin).set(drivername="postgresql").render_as_string(False)
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as admin:
        await admin.execute("TRUNCATE access_log, audit_event, audit_anchor")
