"""An upgrade beside a hub that goes on working: each migration holds its own locks only, and large tables are written while their indexes are built."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, create_engine, pool, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from hub.store.embedded import Embedded, Urls
from hub.store.migrate import alembic_config, migrate

LAST = "20261127g"
"""Before the indexes are built."""


@pytest.fixture
async def empty(cluster: Embedded) -> Urls:
    """A database without a table."""
    return await cluster.prepare(f"upgraded_{uuid.uuid4().hex}")


@pytest.fixture
async def owner(empty: Urls) -> AsyncIterator[Engine]:
    engine = create_engine(empty.owner, poolclass=pool.NullPool)
    yield engine
    engine.dispose()


def upgrade(urls: Urls, to: str, lock_timeout: str = "5s") -> None:
    config = alembic_config(urls.owner)
    config.attributes["lock_timeout"] = lock_timeout
    command.upgrade(config, to)


def revision(owner: Engine) -> str | None:
    with owner.connect() as connection:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


async def test_what_was_done_before_a_migration_that_fails_stays_done(empty: Urls, owner: Engine) -> None:
    upgrade(empty, "20261127c")
    with owner.connect() as reader:
        reader.execute(text("LOCK TABLE access_log IN ACCESS SHARE MODE"))
        with pytest.raises(OperationalError, match="lock timeout"):
            upgrade(empty, "head", lock_timeout="200ms")
    assert revision(owner) == "20261127d"
    await migrate(empty)
    assert revision(owner) not in ("20261127d", LAST)


NEW = text(
    "INSERT INTO customer (customer_id, kind, name_masked, subject_hash, created_at) VALUES (gen_random_uuid(), 'ORG', 'x', :subject, now())"
)
_BUILDING = text("SELECT 1 FROM pg_stat_progress_create_index WHERE relid = 'customer'::regclass")
_SOUND = text("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")


async def test_large_tables_are_written_while_their_indexes_are_built(empty: Urls, owner: Engine) -> None:
    admin = create_engine(str(empty.admin), poolclass=pool.NullPool)
    upgrade(empty, LAST)
    with admin.connect() as old, admin.connect() as other:
        old.execute(NEW, {"subject": "a"})
        going = asyncio.create_task(asyncio.to_thread(upgrade, empty, "head"))
        async with asyncio.timeout(30):
            while not _found(other):
                assert not going.done(), going.exception()
                await asyncio.sleep(0.02)
        other.execute(text("SET lock_timeout = '1s'"))
        other.execute(NEW, {"subject": "b"})
        other.commit()
        assert not going.done(), "it waits for the transaction that began before it"
        old.commit()
        await going
        assert other.execute(_SOUND).all() == []
    admin.dispose()


def _found(connection: Connection) -> bool:
    found = connection.execute(_BUILDING).first() is not None
    connection.commit()
    return found


async def test_one_host_migrates_and_the_other_waits(empty: Urls, owner: Engine) -> None:
    """And keeps no index from being finished: it waits between its statements."""
    upgrade(empty, LAST)
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as first:
        first.execute(text("SELECT pg_advisory_lock(7305843009213693951)"))
        going = asyncio.create_task(asyncio.to_thread(upgrade, empty, "head"))
        await asyncio.sleep(0.5)
        first.execute(text("SET statement_timeout = '5s'"))
        first.execute(text("CREATE INDEX CONCURRENTLY ix_other ON customer (name_masked)"))
        assert not going.done() and revision(owner) == LAST
    await going
    assert revision(owner) != LAST


async def test_an_index_that_was_left_half_built_is_built_anew(empty: Urls, owner: Engine) -> None:
    upgrade(empty, LAST)
    with owner.begin() as connection:
        connection.execute(text("CREATE INDEX uq_customer_claim ON customer (name_masked)"))
    upgrade(empty, "head")
    with owner.connect() as connection:
        made = connection.execute(text("SELECT indexdef FROM pg_indexes WHERE indexname = 'uq_customer_claim'")).scalar_one()
    assert made.startswith("CREATE UNIQUE INDEX") and "claim_hash" in made


async def test_a_migration_that_fails_between_its_indexes_is_begun_anew(empty: Urls, owner: Engine) -> None:
    """An autocommit block commits what stood before it: nothing does that could not be done twice."""
    upgrade(empty, "20261127j")
    with owner.begin() as connection:
        connection.execute(text("CREATE VIEW ix_evaluation_tier AS SELECT 1"))
    with pytest.raises(ProgrammingError, match="is not an index"):
        await migrate(empty)
    with owner.begin() as connection:
        connection.execute(text("DROP VIEW ix_evaluation_tier"))
    await migrate(empty)
    with owner.connect() as connection:
        assert connection.execute(_SOUND).all() == []
