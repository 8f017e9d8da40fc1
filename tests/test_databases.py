"""A database that is handed on holds nothing of whoever had it before, and is not handed on when that cannot be told."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy.engine import make_url

from hub.store.embedded import Urls
from tests.databases import MANY, STATE, Databases

CLIENT = (
    "INSERT INTO client (client_id, name, audience, scopes, purposes, jwks, created_at) VALUES ('c', 'c', 'ADMIN', '{}', '{}', '{}', now())"
)
SERIAL = "SELECT nextval('raw_page_serial_seq')"


def session(urls: Urls, role: str = "owner") -> psycopg.Connection:
    url = make_url(getattr(urls, role)).set(drivername="postgresql").render_as_string(False)
    return psycopg.connect(url, autocommit=True)


def test_what_was_written_is_gone(databases: Databases) -> None:
    with databases.one() as urls, session(urls, "admin") as admin:
        made = databases.made
        admin.execute(CLIENT)
        first = admin.execute(SERIAL).fetchone()
        assert (admin.execute("SELECT count(*) FROM client").fetchone(), admin.execute(SERIAL).fetchone()) == ((1,), (2,))
    with databases.one() as again, session(again, "admin") as admin:
        assert (again, databases.made) == (urls, made), "it is the same database"
        assert admin.execute("SELECT count(*) FROM client").fetchone() == (0,)
        assert admin.execute(SERIAL).fetchone() == first == (1,)
        assert admin.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,), "what the migrations wrote is still there"


CHANGES = [
    "REVOKE INSERT ON access_log FROM hub_app",
    "ALTER TABLE connection RENAME TO away; ALTER TABLE away RENAME TO connection",
    "ALTER TABLE customer ADD COLUMN surplus text",
    "ALTER TABLE customer DISABLE ROW LEVEL SECURITY",
    "DROP POLICY {policy} ON customer",
    "DROP INDEX {index}",
    "CREATE FUNCTION more() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE VIEW fact AS {view}",
    "UPDATE alembic_version SET version_num = 'another'",
    "ALTER DATABASE {name} SET work_mem = '1MB'",
    "REVOKE CONNECT ON DATABASE {name} FROM public",
]
_NAMES = {
    "policy": "SELECT policyname FROM pg_policies WHERE tablename = 'customer' LIMIT 1",
    "index": "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisunique AND indrelid::regclass::text NOT LIKE 'pg_%' LIMIT 1",
    "view": "SELECT pg_get_viewdef('fact'::regclass)",
    "name": "SELECT current_database()",
}


def test_a_change_of_anything_but_rows_is_noticed(databases: Databases) -> None:
    with databases.one() as urls, session(urls, "admin") as admin:
        before = admin.execute(STATE).fetchall()
        names = {name: value[0] for name, query in _NAMES.items() if (value := admin.execute(query.encode()).fetchone())}
        for change in CHANGES:
            with admin.transaction(force_rollback=True):
                admin.execute(change.format(**names).encode())
                assert admin.execute(STATE).fetchall() != before, change
            assert admin.execute(STATE).fetchall() == before
        admin.execute(CLIENT)
        admin.execute("VACUUM ANALYZE client")
        assert admin.execute(STATE).fetchall() == before, "control: rows and their upkeep are no change"


MANY_ROWS = (
    f"INSERT INTO signing_key (kid, public_jwk, sealed, created_at) SELECT n, '{{}}', '', now() FROM generate_series(1, {MANY}) AS n"
)


@pytest.mark.parametrize("change", [CHANGES[0], MANY_ROWS], ids=["rights", "many rows"])
def test_a_database_that_was_changed_is_not_handed_on(databases: Databases, change: str) -> None:
    with databases.one() as urls, session(urls, "admin") as admin:
        admin.execute(change.encode())
    with databases.one() as other:
        assert other != urls
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        session(urls)


def leave_locked(urls: Urls) -> psycopg.Connection:
    """A session that still holds a lock."""
    left = session(urls)
    left.autocommit = False
    left.execute("LOCK TABLE client")
    return left


def leave_idle(urls: Urls) -> psycopg.Connection:
    """One that does nothing."""
    return session(urls, "worker")


@pytest.mark.parametrize("leave", [leave_locked, leave_idle])
def test_whoever_is_still_connected_is_not_any_more(databases: Databases, leave: Callable[[Urls], psycopg.Connection]) -> None:
    with databases.one() as urls:
        left = leave(urls)
    with databases.one() as again:
        assert again == urls
        with pytest.raises(psycopg.OperationalError, match="terminat"):
            left.execute("SELECT 1")
    left.close()
