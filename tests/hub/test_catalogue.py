"""PostgreSQL's own catalogue says that every customer's table is guarded: enabled and forced row security, the customer first in its keys, and the
policies of clients and of consent on what was fetched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, pool, text

from hub.store.embedded import Urls
from hub.store.fact_tables import FACT_TABLES
from hub.store.security import covered_tables, owned_tables

_TABLES = "SELECT relname, relrowsecurity AND relforcerowsecurity AS forced FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
_KEYS = """
SELECT c.relname AS name, x.relname AS key, a.attname AS first FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace
UNION ALL
SELECT c.relname, f.conname, a.attname FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.conkey[1]
WHERE f.contype = 'f' AND c.relnamespace = 'public'::regnamespace
"""
_POLICIES = "SELECT tablename AS name, policyname AS policy, permissive, cmd FROM pg_policies WHERE schemaname = 'public' AND 'hub_app' = ANY(roles)"
ALONE = {"uq_authorisation_attempt_state", "uq_link_session_token_hash", "uq_customer_subject"}
"""Unique by themselves: the hash of a secret that the hub made at random is how its row is found, and no two customers can have one; and who a customer is, which
only the hub itself writes: a client's transaction is refused for the row before any key is looked at."""
VIEWS = "SELECT relname FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace AND NOT coalesce('security_invoker=true' = ANY(reloptions), false)"


def faults(found: Connection) -> set[str]:
    """What is not as it must be."""

    def rows(query: str) -> list[Any]:
        return list(found.execute(text(query)))

    owned = set(owned_tables())
    policies = {(row.name, row.policy, row.permissive, row.cmd) for row in rows(_POLICIES)}
    said = {f"{row.relname} is not forced" for row in rows(_TABLES) if row.relname in owned and not row.forced}
    said |= {f"{row.key} of {row.name}" for row in rows(_KEYS) if row.name in owned and row.first != "customer_id" and row.key not in ALONE}
    said |= {f"{name} shows anybody's" for name in owned if (name, "client_sees", "PERMISSIVE", "ALL") not in policies}
    said |= {
        f"{name} shows what nobody consents to"
        for name in covered_tables()
        if (name, "consent_covers", "RESTRICTIVE", "SELECT") not in policies
    }
    return said | {f"{row.relname} reads with its owner's rights" for row in rows(VIEWS)}


@pytest.fixture
def owner(urls: Urls) -> Iterator[Connection]:
    engine = create_engine(urls.owner, poolclass=pool.NullPool)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_every_table_of_a_customer_is_guarded(owner: Connection) -> None:
    assert faults(owner) == set()
    assert {table.name for table in FACT_TABLES.values()} < set(covered_tables()) < set(owned_tables()) and len(FACT_TABLES) == 34


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("ALTER TABLE fact_order NO FORCE ROW LEVEL SECURITY", "fact_order is not forced"),
        ("ALTER TABLE consent DISABLE ROW LEVEL SECURITY", "consent is not forced"),
        ("DROP POLICY consent_covers ON fact_order", "fact_order shows what nobody consents to"),
        ("DROP POLICY client_sees ON fact_order", "fact_order shows anybody's"),
        ("CREATE UNIQUE INDEX surplus ON party (id_hash)", "surplus of party"),
        ("ALTER TABLE party ADD CONSTRAINT surplus UNIQUE (party_id, customer_id)", "surplus of party"),
        ("ALTER VIEW fact RESET (security_invoker)", "fact reads with its owner's rights"),
    ],
)
def test_a_table_that_was_altered_is_found(owner: Connection, change: str, fault: str) -> None:
    owner.execute(text(change))
    assert faults(owner) == {fault}
    owner.rollback()


def test_a_policy_that_lets_everything_pass_is_no_restriction(owner: Connection) -> None:
    owner.execute(text("DROP POLICY consent_covers ON fact_shop"))
    owner.execute(text("CREATE POLICY consent_covers ON fact_shop FOR SELECT TO hub_app USING (true)"))
    assert faults(owner) == {"fact_shop shows what nobody consents to"}
    owner.rollback()
