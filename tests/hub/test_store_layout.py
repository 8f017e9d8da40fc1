"""The store is what the declarations say: models equal migrations, every customer's table is guarded, roles see what they may."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, insert, pool, select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from hub.consent.retention import retention
from hub.domain.facts.shop_penalty import ShopPenalty
from hub.domain.identifiers import CustomerId
from hub.store.database import Database, Scope, Write
from hub.store.embedded import Embedded, Urls
from hub.store.erasure import laws
from hub.store.fact_tables import FACT_TABLES, PAGE_LAW
from hub.store.facts import PageScope, write_facts
from hub.store.metadata import metadata
from hub.store.security import owned_tables, statements
from hub.store.tables import connection, customer, customer_client
from hub.vault import Blind


async def test_models_equal_migrations(urls: Urls) -> None:
    engine = create_engine(urls.owner, poolclass=pool.NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_object": lambda o, n, t, r, c: getattr(o, "schema", None) is None}
        )
        assert compare_metadata(context, metadata) == []
        connection.execute(text("alter table customer add column surplus text"))
        assert compare_metadata(context, metadata) != [], "the comparison must notice a difference"
    engine.dispose()


async def test_every_customer_table_forces_row_security(urls: Urls) -> None:
    engine = create_engine(urls.owner, poolclass=pool.NullPool)
    with engine.connect() as connection:
        rows = connection.execute(text("select relname from pg_class where relkind = 'r' and relrowsecurity and relforcerowsecurity"))
        guarded = {row[0] for row in rows}
    engine.dispose()
    assert guarded == set(owned_tables())
    assert all(next(iter(metadata.tables[name].primary_key)).name == "customer_id" for name in owned_tables())


_RIGHTS = """
SELECT table_name, grantee, privilege_type FROM information_schema.role_table_grants WHERE table_schema = 'public' AND grantee IN ('hub_app', 'hub_worker')
UNION SELECT table_name, grantee, privilege_type || ' of ' || column_name FROM information_schema.role_column_grants
WHERE table_schema = 'public' AND grantee IN ('hub_app', 'hub_worker')
"""
_POLICIES = "SELECT tablename, policyname, roles[1], cmd, qual, with_check FROM pg_policies WHERE schemaname = 'public'"
_TABLES = frozenset({"alembic_version", "fact"})
"""What no declaration is about: the migrations' own table, and the view over all facts."""


async def test_roles_may_do_what_is_declared_and_nothing_more(urls: Urls, fresh: Urls) -> None:
    """The rights and policies of the migrated store are those that the declarations print, on the same tables."""
    found, declared = engine_of(urls), engine_of(fresh)
    with found.connect() as one, declared.begin() as other:
        for name in owned_tables():
            for policy in other.execute(text("SELECT policyname FROM pg_policies WHERE tablename = :name"), {"name": name}).scalars().all():
                other.execute(text(f"DROP POLICY {policy} ON {name}"))
        other.execute(text("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM hub_app, hub_worker"))
        assert not set(other.execute(text(_RIGHTS)))
        for statement in statements():
            other.execute(text(statement))
        for query in (_RIGHTS, _POLICIES):
            here, there = ({tuple(row) for row in each.execute(text(query)) if row[0] not in _TABLES} for each in (one, other))
            assert here == there
        one.execute(text("GRANT INSERT ON quota_ledger TO hub_app"))
        assert {tuple(row) for row in one.execute(text(_RIGHTS))} != {tuple(row) for row in other.execute(text(_RIGHTS))}, "it is noticed"
    found.dispose()
    declared.dispose()


_LAW = """
SELECT c.relname, p.prosrc FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
WHERE t.tgname = 'fact_names_its_page' AND t.tgenabled = 'O' AND t.tgtype & 4 = 4 AND t.tgtype & 1 = 0
"""
"""Triggers after an insert (4), per statement (not 1)."""


async def test_the_law_about_pages_holds_for_every_kind_of_fact(urls: Urls) -> None:
    engine = engine_of(urls)
    with engine.connect() as connection:
        found = {tuple(row) for row in connection.execute(text(_LAW))}
    engine.dispose()
    assert found == {(table.name, PAGE_LAW) for table in FACT_TABLES.values()}


_DECOY = "CREATE TEMPORARY TABLE raw_page ON COMMIT DROP AS SELECT CAST(:customer AS uuid) AS customer_id, CAST(:page AS uuid) AS page_id"
"""A table of the session's own, which must not be taken for the hub's."""


async def test_a_fact_names_a_page_that_is_there(database: Database) -> None:
    connection_id, page_id = uuid.uuid4(), uuid.uuid4()
    scope = PageScope(CustomerId(uuid.uuid4()), connection_id, uuid.uuid4(), page_id, datetime.now(UTC))
    penalty = ShopPenalty(platform="p", penalty_number="1", kind="IP", severity=None, decided_on=date(2026, 1, 1), points=None)
    async with database.worker.connect() as connection, connection.begin():
        await connection.execute(text(_DECOY), {"customer": scope.customer_id, "page": page_id})
        with pytest.raises(IntegrityError, match="a page that is not there"):
            await write_facts(Write(connection), scope, [(0, penalty)], Blind(b"k" * 32))


_PAGES = """
INSERT INTO raw_page (customer_id, page_id, connection_id, consent_id, run_id, stream, first_day, request, status, fetched_at, sha256, size, body)
SELECT CAST(:customer AS uuid), gen_random_uuid(), CAST(:customer AS uuid), gen_random_uuid(), gen_random_uuid(), 's', '2026-01-01', '{}', 200, now(), '', 0, ''
FROM generate_series(1, 400) RETURNING page_id
"""
_READ = """
SELECT sum(pg_stat_get_xact_tuples_returned(one)) FROM unnest(ARRAY['raw_page'::regclass::oid, 'pk_raw_page'::regclass::oid, 'ix_raw_page_serial'::regclass::oid]) AS one
"""


async def _read_by_the_law(database: Database) -> int:
    """Entries of pages that are read, in tables and indexes, when facts of three of 400 pages come."""
    customer_id = CustomerId(uuid.uuid4())
    async with database.worker.connect() as connection, connection.begin():
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        pages = (await connection.execute(text(_PAGES), {"customer": customer_id})).scalars().all()
        before = (await connection.execute(text(_READ))).scalar_one()
        # The last ones: whoever reads on until he has found them has read all.
        for page_id in sorted(pages)[-3:]:
            scope = PageScope(customer_id, uuid.uuid4(), uuid.uuid4(), page_id, datetime.now(UTC))
            numbers = map(str, range(50))
            facts = [
                ShopPenalty(platform="p", penalty_number=one, kind="IP", severity=None, decided_on=date(2026, 1, 1), points=None)
                for one in numbers
            ]
            await write_facts(Write(connection), scope, enumerate(facts), Blind(b"k" * 32))
        return int((await connection.execute(text(_READ))).scalar_one() - before)


async def test_the_law_about_pages_looks_at_no_others(database: Database, urls: Urls) -> None:
    assert await _read_by_the_law(database) <= 3
    engine = engine_of(urls)
    with engine.begin() as owner:
        law = PAGE_LAW.replace(" OFFSET 0", "")
        owner.execute(text(f"CREATE OR REPLACE FUNCTION fact_names_its_page() RETURNS trigger LANGUAGE plpgsql AS $law${law}$law$"))
    engine.dispose()
    assert await _read_by_the_law(database) >= 400, "control: left to itself PostgreSQL reads them all"


@pytest.mark.parametrize("changed", ["connection_id", "page_id", "content_hash", "version"])
async def test_of_a_fact_only_its_end_can_be_written(database: Database, changed: str) -> None:
    async with database.work() as tx:
        await tx.execute(text("UPDATE fact_shop SET known_to = now()"))
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with database.work() as tx:
            await tx.execute(text(f"UPDATE fact_shop SET {changed} = {changed}"))
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with database.write(Scope("app-1", "CREDIT_APPROVAL")) as tx:
            await tx.execute(text("DELETE FROM fact_shop"))


_VIEWS = "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' AND viewname = ANY(:views)"
_BODY = "SELECT prosrc FROM pg_proc WHERE proname = 'hub_today'"
_LAST = "SELECT p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE t.tgname = 'page_goes_last' AND t.tgrelid = 'raw_page'::regclass"


async def test_what_is_due_is_what_the_retention_document_says(urls: Urls, fresh: Urls) -> None:
    """The views of the migrated store are those that the declarations print."""
    found, declared = engine_of(urls), engine_of(fresh)
    with found.connect() as one, declared.begin() as other:
        other.execute(text(f"DROP VIEW {', '.join(laws.VIEWS)} CASCADE"))
        other.execute(text("DROP FUNCTION hub_today CASCADE"))
        for statement in laws.views():
            other.exec_driver_sql(statement)
        here, there = (dict(map(tuple, each.execute(text(_VIEWS), {"views": list(laws.VIEWS)}))) for each in (one, other))
        assert here == there and set(here) == set(laws.VIEWS)
        assert [each.execute(text(_BODY)).scalar() for each in (one, other)] == [laws.TODAY.split("$$")[1]] * 2
        assert one.execute(text(_LAST)).scalars().all() == [laws.NAMED_BY]
        other.execute(text("DROP VIEW item_due CASCADE"))
        other.exec_driver_sql(laws.item_due(retention()).replace("5 years", "6 years"))
        assert dict(map(tuple, other.execute(text(_VIEWS), {"views": ["item_due"]}))) != {"item_due": here["item_due"]}, "it is noticed"
    found.dispose()
    declared.dispose()


def engine_of(urls: Urls) -> Engine:
    return create_engine(urls.owner, poolclass=pool.NullPool)


@pytest.fixture
async def fresh(cluster: Embedded) -> Urls:
    """A second migrated database."""
    return await cluster.prepare(f"declared_{uuid.uuid4().hex}", template="template")


def _row(customer_id: uuid.UUID, subject: str) -> dict[str, object]:
    return {"customer_id": customer_id, "kind": "ORG", "name_masked": "小*", "subject_hash": subject, "created_at": datetime.now(UTC)}


async def test_a_client_sees_its_own_customers_only(database: Database) -> None:
    mine, theirs = uuid.uuid4(), uuid.uuid4()
    async with database.work() as tx:
        await tx.execute(insert(customer), [_row(mine, "a"), _row(theirs, "b")])
        await tx.execute(
            insert(customer_client), [{"customer_id": mine, "client_id": "app-1"}, {"customer_id": theirs, "client_id": "app-2"}]
        )
    for client, expected in (("app-1", [mine]), ("app-2", [theirs]), ("", []), ("nobody", [])):
        async with database.read(Scope(client, "CREDIT_APPROVAL")) as tx:
            assert list((await tx.execute(select(customer.c.customer_id))).scalars()) == expected


async def test_a_client_cannot_give_itself_a_customer(database: Database) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with database.write(Scope("app-1", "CREDIT_APPROVAL")) as tx:
            await tx.execute(insert(customer_client), {"customer_id": uuid.uuid4(), "client_id": "app-1"})


async def test_a_client_cannot_write_for_a_customer_it_does_not_see(database: Database) -> None:
    row = {"connection_id": uuid.uuid4(), "connector": "cn_tax", "status": "ACTIVE", "created_at": datetime.now(UTC)}
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with database.write(Scope("app-1", "CREDIT_APPROVAL")) as tx:
            await tx.execute(insert(connection), {"customer_id": uuid.uuid4(), **row})
