"""The key-encryption key is rotated while everybody reads: no read fails, nothing is left under the old key, and what was cut short goes on."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import insert, select, text

from hub.domain.identifiers import CustomerId, new_id
from hub.errors import SecretMissing
from hub.store.database import Database, Write
from hub.store.embedded import Urls
from hub.store.tables import data_key
from hub.vault import FileKeys, Place, Vault, rotation, wrap_binding
from hub.vault.rotation import rewrap, under

PLACE = Place("raw_page", "body", "1")


@pytest.fixture
async def database(urls: Urls) -> AsyncIterator[Database]:
    """A rotation looks at everybody's keys."""
    made = Database(urls)
    yield made
    await made.close()


async def sealed_rows(database: Database, keys: FileKeys, count: int) -> dict[UUID, bytes]:
    """Customers with a data key each, and something that it sealed."""
    rows, sealed, vault = [], {}, Vault(keys)
    for _ in range(count):
        customer, key = new_id(), new_id()
        wrapped = keys.wrap(os.urandom(32), wrap_binding(customer, key))
        rows.append(
            {"customer_id": customer, "key_id": key, "wrapped": wrapped.key, "kek_id": wrapped.kek_id, "created_at": datetime.now(UTC)}
        )
        sealed[customer] = vault._unwrapped(customer, key, wrapped.key, wrapped.kek_id).seal(PLACE, b"plain")
    async with database.work() as tx:
        for first in range(0, count, 5000):
            await tx.execute(insert(data_key), rows[first : first + 5000])
    return sealed


async def reads(database: Database, keys: FileKeys, sealed: dict[UUID, bytes], done: asyncio.Event) -> tuple[int, int]:
    """Opens what was sealed, again and again, with a fresh vault each time as another process would have; how often, and how often it failed."""
    customers, opened, failed = list(sealed), 0, 0
    while not done.is_set():
        customer = random.choice(customers)
        try:
            async with database.work() as tx:
                sealer = await Vault(keys).sealer(tx, customer)
            failed += sealer.open(PLACE, sealed[customer]) != b"plain"
        except SecretMissing:
            failed += 1
        opened += 1
    return opened, failed


async def rotated_while_reading(database: Database, path: Path, count: int) -> tuple[int, int]:
    """The reader's key file was opened before the rotation, as that of a process which runs."""
    keys = FileKeys(path)
    sealed, old = await sealed_rows(database, keys, count), keys.current
    done, reading = asyncio.Event(), FileKeys(path)
    readers = [asyncio.create_task(reads(database, reading, sealed, done)) for _ in range(3)]
    await asyncio.sleep(0.05)
    keys.advance()
    assert (await rewrap(database, keys)).wrapped == count
    await asyncio.sleep(0.05)
    done.set()
    found = await asyncio.gather(*readers)
    assert await under(database) == {keys.current: count}
    assert keys.retire(await under(database)) == [old]
    assert reading.wrap(b"k" * 32, b"").kek_id == keys.current, "new writes use the new key at once, in every process"
    return sum(opened for opened, _ in found), sum(failed for _, failed in found)


async def test_nobody_notices(database: Database, tmp_path: Path) -> None:
    opened, failed = await rotated_while_reading(database, tmp_path / "keys.json", 1_500)
    print(f"rotation of 1,500: {opened} reads meanwhile, {failed} failed")
    assert opened > 20
    assert failed == 0


@pytest.mark.load
async def test_nobody_notices_a_hundred_thousand(database: Database, tmp_path: Path) -> None:
    opened, failed = await rotated_while_reading(database, tmp_path / "keys.json", 100_000)
    print(f"rotation of 100,000: {opened} reads meanwhile, {failed} failed, 0 left")
    assert failed == 0


async def test_control_readers_that_keep_their_file_do_notice(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FileKeys, "_fresh", lambda self: self._content)
    keys, reading = FileKeys(tmp_path / "keys.json"), FileKeys(tmp_path / "keys.json")
    sealed = await sealed_rows(database, keys, 5)
    keys.advance()
    await rewrap(database, keys)
    async with database.work() as tx:
        with pytest.raises(SecretMissing):
            await Vault(reading).sealer(tx, CustomerId(next(iter(sealed))))


async def test_one_that_was_cut_short_goes_on(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "BATCH", 3)
    keys = FileKeys(tmp_path / "keys.json")
    sealed = await sealed_rows(database, keys, 10)
    old = keys.current
    keys.advance()
    with pytest.raises(InterruptedError):
        await rewrap(database, keys, cut(after=2))
    assert await under(database) == {old: 4, keys.current: 6}
    assert (await rewrap(database, keys)).wrapped == 4
    async with database.work() as tx:
        for customer, kept in sealed.items():
            assert (await Vault(FileKeys(tmp_path / "keys.json")).sealer(tx, customer)).open(PLACE, kept) == b"plain"


def cut(after: int) -> Callable[[int], None]:
    calls: list[int] = []

    def tell(rows: int) -> None:
        calls.append(rows)
        if len(calls) == after:
            raise InterruptedError

    return tell


async def test_what_no_key_opens_is_counted_and_stays(database: Database, tmp_path: Path) -> None:
    keys = FileKeys(tmp_path / "keys.json")
    await sealed_rows(database, keys, 3)
    lost = await _spoil(database)
    keys.advance()
    done = await rewrap(database, keys)
    assert (done.wrapped, done.unreadable) == (2, 1)
    async with database.work() as tx:
        assert (await tx.execute(select(data_key.c.wrapped).where(data_key.c.customer_id == lost))).scalar_one() == b"x" * 60


async def _spoil(database: Database) -> UUID:
    async with database.work() as tx:
        return await _one(tx)


async def _one(tx: Write) -> UUID:
    spoiled = "UPDATE data_key SET wrapped = :wrapped WHERE key_id = (SELECT key_id FROM data_key LIMIT 1) RETURNING customer_id"
    return UUID(str((await tx.execute(text(spoiled), {"wrapped": b"x" * 60})).scalar_one()))


async def test_a_destroyed_key_stays_destroyed(database: Database, tmp_path: Path) -> None:
    keys = FileKeys(tmp_path / "keys.json")
    await sealed_rows(database, keys, 2)
    async with database.work() as tx:
        await tx.execute(text("UPDATE data_key SET wrapped = NULL WHERE key_id = (SELECT key_id FROM data_key LIMIT 1)"))
    keys.advance()
    assert (await rewrap(database, keys)).wrapped == 1
    assert sum((await under(database)).values()) == 1


def test_a_prepared_key_waits_for_its_rotation(tmp_path: Path) -> None:
    keys = FileKeys(tmp_path / "keys.json")
    before = keys.current
    following = keys.prepare()
    assert (keys.current, keys.prepare(), FileKeys(keys.path).known) == (before, following, {before, following})
    assert keys.retire([]) == [], "it is kept although nothing is under it"
    assert (keys.advance(), keys.current) == (following, following)
    assert keys.retire([before]) == []
    assert keys.retire([]) == [before]
    assert keys.advance() not in (before, following)
