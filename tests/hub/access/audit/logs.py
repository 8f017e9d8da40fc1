"""A small access log with events beside it, linked by the hub itself, and ways to tamper with it as whoever owns the database could."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from hub.access.audit import AccessLog, ChainKeys, audited
from hub.access.audit.chain import EVENTS, shard_of
from hub.access.audit.diagnose import Fault
from hub.access.audit.heads import BEGIN, Published, digest, read_heads, signed
from hub.access.audit.rows import Chain, Row
from hub.access.audit.verify import Verified, verify
from hub.domain.audit import Accessed, AccessOutcome
from hub.store.database import Database
from hub.store.embedded import Urls

MASTER = b"m" * 32
KEYS = ChainKeys(MASTER)
FIELDS = ("Query.customer", "Customer.id", "Customer.nameMasked", 'odd "one" \\ 增信')


class Secrets:
    audit = MASTER


def customer_in(shard: int, random: Random) -> uuid.UUID:
    return uuid.UUID(bytes=random.randbytes(15) + bytes([shard + 16 * random.randrange(16)]))


def accessed(customer_id: uuid.UUID, number: int = 0, operation: str = "Look") -> Accessed:
    return Accessed(
        customer_id=customer_id,
        client_id=f"client-{number % 3}",
        purpose="CREDIT_APPROVAL",
        operation=operation,
        document_sha256=f"{number:064x}",
        fields=FIELDS[: 1 + number % 4],
        consents=(uuid.UUID(int=number + 1),) if number % 2 else (),
        terms=("2026-01-01",) if number % 2 else (),
        withheld=("TAX",) if number % 5 == 0 else (),
        outcome=AccessOutcome.PARTLY_WITHHELD if number % 5 == 0 else AccessOutcome.ANSWERED,
    )


async def fill(database: Database, random: Random, shards: Sequence[int] = (3, 9), rows: int = 20, events: int = 8) -> None:
    log = AccessLog(database, KEYS)
    for number in range(rows):
        await log.write([accessed(customer_in(shard, random), number) for shard in shards])
    for number in range(events):
        async with database.work() as tx:
            before, after = {"scopes": ["a"], "n": number}, {"scopes": ["a", "增"], "share": 0.25, "on": True}
            await audited(tx, Secrets(), actor="admin", action="client.change", subject=f"client:c{number}", before=before, after=after)


async def heads_now(database: Database, previous: bytes = b"") -> bytes:
    """One published line."""
    number = 1 + len(previous.splitlines())
    before = digest(previous.splitlines()[-1]) if previous else BEGIN
    return previous + signed(KEYS, await read_heads(database), number, before)


async def verified(database: Database, published: bytes = b"", keys: ChainKeys = KEYS) -> Verified:
    return await verify(database, keys, Published.read(keys, iter([("heads.jsonl", published)])))


@contextmanager
def owner_of_everything(urls: Urls) -> Iterator[psycopg.Connection[Any]]:
    """The superuser: no right and no policy holds it."""
    assert urls.admin is not None
    url = make_url(urls.admin).set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@dataclass(frozen=True)
class Expected:
    """Where a mutation must be found, and as what: several where one cannot be told from another."""

    shard: int
    sequences: tuple[int, ...]
    faults: tuple[Fault, ...]


class Tampering:
    """One row set, put back as it was after each mutation."""

    def __init__(self, admin: psycopg.Connection[Any], database: Database, random: Random) -> None:
        self.admin, self.database, self.random = admin, database, random
        for table in ("access_log", "audit_event"):
            admin.execute(f"CREATE TEMPORARY TABLE kept_{table} AS TABLE {table}")

    def restore(self) -> None:
        for table in ("access_log", "audit_event"):
            self.admin.execute(f"DELETE FROM {table}")
            self.admin.execute(f"INSERT INTO {table} SELECT * FROM pg_temp.kept_{table}")

    def last(self, shard: int) -> int:
        chain = Chain(shard, KEYS)
        found = self.admin.execute(f"SELECT max(sequence) FROM {chain.table} WHERE shard = %s", (shard,)).fetchone()
        assert found is not None
        return int(found[0])

    def _run(self, shard: int, statement: str, *values: Any) -> None:
        chain = Chain(shard, KEYS)
        done = self.admin.execute(statement.format(t=chain.table, id=chain.id), values)
        assert done.rowcount > 0, statement

    def edit(self, shard: int) -> Expected:
        n = self.random.randint(1, self.last(shard))
        access = {
            "client_id": "'somebody'", "purpose": "'MARKETING'", "operation": "operation || ' '", "outcome": "'DENIED'", "fields": "fields[2:]",
            "at": "at + interval '1 microsecond'", "customer_id": "gen_random_uuid()", "consents": "array[gen_random_uuid()]", "hash": "sha256(hash)",
            "terms": "array['x']", "withheld": "array['SHOP']", "document_sha256": "'0' || document_sha256", "log_id": "gen_random_uuid()",
        }  # fmt: skip
        events = {
            "actor": "'nobody'", "action": "'x'", "subject": "subject || 'x'", "before": "'{{}}'", "after": "null", "hash": "sha256(hash)", "at": "now()",
            "event_id": "gen_random_uuid()",
        }  # fmt: skip
        column, value = self.random.choice(list((events if shard == EVENTS else access).items()))
        self._run(shard, f"UPDATE {{t}} SET {column} = {value} WHERE shard = %s AND sequence = %s", shard, n)
        return Expected(shard, (n,), (Fault.EDITED,))

    def delete(self, shard: int) -> Expected:
        n = self.random.randint(1, self.last(shard) - 1)
        self._run(shard, "DELETE FROM {t} WHERE shard = %s AND sequence = %s", shard, n)
        return Expected(shard, (n,), (Fault.MISSING,))

    def delete_and_close_up(self, shard: int) -> Expected:
        n = self.random.randint(1, self.last(shard) - 2)
        self._run(shard, "DELETE FROM {t} WHERE shard = %s AND sequence = %s", shard, n)
        self._run(shard, "UPDATE {t} SET sequence = sequence - 1 WHERE shard = %s AND sequence > %s", shard, n)
        return Expected(shard, (n,), (Fault.MISSING,))

    def swap(self, shard: int) -> Expected:
        a, b = sorted(self.random.sample(range(1, self.last(shard) + 1), 2))
        self._run(shard, "UPDATE {t} SET sequence = %s - sequence WHERE shard = %s AND sequence IN (%s, %s)", a + b, shard, a, b)
        return Expected(shard, (a,), (Fault.REORDERED,))

    def insert(self, shard: int) -> Expected:
        """A copy of a row takes the place of another, and those behind it move up."""
        last = self.last(shard)
        n = self.random.randint(1, last)
        self._run(shard, "UPDATE {t} SET sequence = sequence + 1 WHERE shard = %s AND sequence >= %s", shard, n)
        self._copy(shard, self.random.choice([m for m in range(1, last + 2) if m != n]), n)
        return Expected(shard, (n,), (Fault.INSERTED,))

    def insert_beside(self, shard: int) -> Expected:
        n = self.random.randint(1, self.last(shard))
        self._copy(shard, n, n)
        return Expected(shard, (n,), (Fault.INSERTED,))

    def _copy(self, shard: int, source: int, n: int) -> None:
        chain = Chain(shard, KEYS)
        names = [row[0] for row in self.admin.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped", (chain.table,))]  # fmt: skip
        values = [{chain.id: "gen_random_uuid()", "sequence": str(n)}.get(name, name) for name in names]
        statement = f"INSERT INTO {{t}} ({', '.join(names)}) SELECT {', '.join(values)} FROM {{t}} WHERE shard = %s AND sequence = %s"
        self._run(shard, statement, shard, source)

    def cut(self, shard: int) -> Expected:
        n = self.random.randint(1, self.last(shard))
        self._run(shard, "DELETE FROM {t} WHERE shard = %s AND sequence >= %s", shard, n)
        return Expected(shard, (n,), (Fault.CUT,))

    async def rechain_with_another_key(self, shard: int) -> Expected:
        n = self.random.randint(1, self.last(shard) - 1)
        await self._rechain(shard, n, ChainKeys(self.random.randbytes(32)))
        return Expected(shard, (n,), (Fault.RECHAINED,))

    async def rechain_with_the_key(self, shard: int) -> Expected:
        """A row is edited and everything behind it linked anew, rightly: only a published head knows better."""
        n = self.random.randint(1, self.last(shard))
        column = "action" if shard == EVENTS else "purpose"
        self._run(shard, f"UPDATE {{t}} SET {column} = 'X' WHERE shard = %s AND sequence = %s", shard, n)
        await self._rechain(shard, n, KEYS)
        return Expected(shard, tuple(range(1, n + 1)), (Fault.RECHAINED,))

    async def _rechain(self, shard: int, n: int, keys: ChainKeys) -> None:
        genuine, forged = Chain(shard, KEYS), Chain(shard, keys)
        link, rows = forged.linker(), await genuine.page(self.database, 1)
        before = KEYS.begin(shard)
        for row in rows:
            if row.sequence >= n:
                made = link(before, row, row.sequence)
                self._run(shard, "UPDATE {t} SET hash = %s WHERE {id} = %s::uuid", made, row.id)
                before = made
            else:
                before = row.hash

    async def mutate(self, kind: str, shard: int) -> Expected:
        done = getattr(self, kind)(shard)
        return done if isinstance(done, Expected) else await done


KINDS = (
    "edit", "delete", "delete_and_close_up", "swap", "insert", "insert_beside", "cut", "rechain_with_another_key", "rechain_with_the_key",
)  # fmt: skip
__all__ = ["KEYS", "KINDS", "Row", "Tampering", "shard_of"]
