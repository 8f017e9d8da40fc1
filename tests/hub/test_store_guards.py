"""The store guards itself, by its own catalogue; and each check finds the defect it is for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine, pool

from hub.errors import StoreUnguarded
from hub.store import guards
from hub.store.embedded import Urls
from hub.store.guards import CHECKS, findings, require_guarded

REVIVED = "consent: may be revived or become wider: the trigger is not the declared one"
DEFECTS = {
    "row_security: not forced": ("ALTER TABLE party NO FORCE ROW LEVEL SECURITY", "party: row-level security is not forced on the owner"),
    "row_security: off": ("ALTER TABLE fact_order DISABLE ROW LEVEL SECURITY", "fact_order: row-level security is not enabled"),
    "row_security: undeclared": ("CREATE TABLE extra (customer_id uuid)", "extra: has a customer_id and is not declared as a customer's"),
    "row_security: missing": ("DROP TABLE quarantine", "quarantine: is declared and not there"),
    "policies: none": ("DROP POLICY client_sees ON credential", "credential: has no policy for hub_app"),
    "policies: none for the worker": ("DROP POLICY hub_works ON credential", "credential: has no policy for hub_worker"),
    "policies: everybody": ("CREATE POLICY open ON party FOR SELECT USING (true)", "party.open: is for every role"),
    "policies: no question": (
        "CREATE POLICY wide ON party FOR SELECT TO hub_app USING (role = 'SUBJECT')",
        "party.wide: lets rows be seen without asking who looks",
    ),
    "policies: a setting in a sub-select": (
        "CREATE POLICY slow ON party FOR SELECT TO hub_app USING ((SELECT current_setting('hub.client', true)) = 'x')",
        "party.slow: reads a setting in a sub-select, which costs each statement more than reading it for each row",
    ),
    "policies: whom somebody saw": (
        "CREATE POLICY wide ON party FOR SELECT TO hub_app USING (customer_id = nullif(current_setting('hub.seen', true), '')::uuid)",
        "party.wide: lets rows be seen without asking who looks",
    ),
    "policies: no consent": ("DROP POLICY consent_covers ON fact_order", "fact_order: shows what nobody consents to"),
    "policies: a consent that only widens": (
        "DROP POLICY consent_covers ON fact_shop; CREATE POLICY consent_covers ON fact_shop FOR SELECT TO hub_app USING ((SELECT current_setting('hub.client', true)) = '')",
        "fact_shop: shows what nobody consents to",
    ),
    "policies: a setting in a call in a sub-select": (
        "CREATE POLICY slow ON party FOR SELECT TO hub_app USING ((SELECT nullif(current_setting('hub.client', true), '')) = 'x')",
        "party.slow: reads a setting in a sub-select, which costs each statement more than reading it for each row",
    ),
    "policies: function": (
        "CREATE FUNCTION tells(text) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN $1 IS NULL; END';"
        " CREATE POLICY told ON party FOR SELECT TO hub_app USING (current_setting('hub.client', true) = 'x' AND tells(id_masked))",
        "party.told: calls tells(), which may leak what it is handed",
    ),
    "keys: unique": (
        "CREATE UNIQUE INDEX uq_party_hash ON party (id_hash, customer_id)",
        "party.uq_party_hash: is a unique key that does not begin with customer_id",
    ),
    "keys: expression": (
        "CREATE UNIQUE INDEX uq_party_lower ON party (lower(id_hash))",
        "party.uq_party_lower: is a unique key that does not begin with customer_id",
    ),
    "keys: foreign": (
        "ALTER TABLE access_log ADD CONSTRAINT fk_client FOREIGN KEY (client_id) REFERENCES client (client_id)",
        "access_log.fk_client: is a foreign key that does not begin with customer_id",
    ),
    "keys: none": ("ALTER TABLE quarantine DROP CONSTRAINT pk_quarantine", "quarantine: has no primary key"),
    "views: owner's": ("ALTER VIEW fact SET (security_invoker = false)", "fact: runs as its owner: security_invoker is not set"),
    "views: materialised": (
        "CREATE MATERIALIZED VIEW copy AS SELECT * FROM party",
        "copy: is materialised: no row-level security applies to it",
    ),
    "functions: definer": (
        "CREATE FUNCTION peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM party'",
        "peek: runs as its owner (SECURITY DEFINER) for no reason that is known",
    ),
    "roles: owner": ("ALTER TABLE policy OWNER TO hub_app", "hub_app: owns policy"),
    "roles: schema": ("GRANT CREATE ON SCHEMA public TO hub_app", "hub_app: may make tables in the hub's schema"),
    "rights: everybody": ("GRANT SELECT ON party TO PUBLIC", "party: may be used by everybody (SELECT)"),
    "consents: no law": ("DROP TRIGGER consent_only_narrows ON consent", REVIVED),
    "consents: a law that rests": ("ALTER TABLE consent DISABLE TRIGGER consent_only_narrows", REVIVED),
    "consents: a law for somebody else": (
        "DROP TRIGGER consent_only_narrows ON consent; CREATE TRIGGER consent_only_narrows BEFORE UPDATE ON consent FOR EACH ROW"
        " WHEN (current_user <> 'hub_app') EXECUTE FUNCTION consent_only_narrows()",
        REVIVED,
    ),
    "consents: another law": (
        "CREATE OR REPLACE FUNCTION consent_only_narrows() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        REVIVED,
    ),
    "rights: truncate": ("GRANT TRUNCATE ON party TO hub_app", "party: hub_app has TRUNCATE, which row-level security does not bound"),
}
"""Planted in a clone of the migrated store: what is done, what must be found."""
OF_ROLES = {
    "roles: superuser": ("ALTER ROLE hub_app SUPERUSER", "hub_app: is a superuser"),
    "roles: bypass": ("ALTER ROLE hub_app BYPASSRLS", "hub_app: has BYPASSRLS"),
    "roles: member": ("GRANT hub_owner TO hub_app", "hub_app: is a member of hub_owner"),
    "roles: member of a reader": ("GRANT pg_read_all_data TO hub_worker", "hub_worker: is a member of pg_read_all_data"),
    "limits: statement": ("ALTER ROLE hub_app RESET statement_timeout", "hub_app: has no statement_timeout"),
    "limits: idle": ("ALTER ROLE hub_worker SET idle_in_transaction_session_timeout = 0", "hub_worker: has no idle_in_transaction_session_timeout"),
    "limits: lock": ("ALTER ROLE hub_app SET lock_timeout = '0ms'", "hub_app: has no lock_timeout"),
}  # fmt: skip
"""Roles are the whole cluster's: planted in a transaction that is rolled back."""


@pytest.fixture
def admin(urls: Urls) -> Iterator[Connection]:
    """A superuser in a migrated database. What is done is rolled back."""
    assert urls.admin is not None
    engine = create_engine(urls.admin, poolclass=pool.NullPool)
    with engine.connect() as connection:
        yield connection
        connection.rollback()
    engine.dispose()


def test_a_migrated_store_guards_itself(admin: Connection) -> None:
    assert findings(admin) == []


def test_its_owner_sees_it_too(urls: Urls) -> None:
    """``hub migrate`` asks as the owner."""
    engine = create_engine(urls.owner, poolclass=pool.NullPool)
    with engine.connect() as connection:
        assert findings(connection) == []
    engine.dispose()


def test_each_defect_is_found(admin: Connection) -> None:
    """Planted one at a time, and taken back."""
    for defect, (planted, expected) in (DEFECTS | OF_ROLES).items():
        with admin.begin_nested() as savepoint:
            admin.exec_driver_sql(planted)
            found = findings(admin)
            savepoint.rollback()
        assert expected in [str(one) for one in found if one.check == defect.partition(":")[0]], (defect, found)
        assert len(found) <= 3, (defect, found)
    assert findings(admin) == []


def test_every_check_has_a_defect_that_it_finds() -> None:
    assert {check.__name__ for check in CHECKS} == {defect.partition(":")[0] for defect in DEFECTS | OF_ROLES}


def test_a_listed_function_needs_a_search_path(admin: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "AS_OWNER", {"peek": "a control"})
    admin.exec_driver_sql("CREATE FUNCTION peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM party'")
    assert [str(one) for one in findings(admin)] == ["peek: runs as its owner without a search_path of its own"]
    admin.exec_driver_sql("ALTER FUNCTION peek() SET search_path = public, pg_temp")
    assert findings(admin) == []


def test_no_exception_is_kept_that_is_not_needed(admin: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "KEYS_OF_SECRETS", {})
    assert {one.where.partition(".")[2] for one in findings(admin)} == {
        "uq_customer_claim", "uq_link_session_browser", "uq_link_session_token_hash", "uq_authorisation_attempt_state",
    }  # fmt: skip


async def test_a_store_that_does_not_guard_itself_is_said(urls: Urls) -> None:
    await require_guarded(urls)
    engine = create_engine(urls.owner, poolclass=pool.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE party NO FORCE ROW LEVEL SECURITY")
    engine.dispose()
    with pytest.raises(StoreUnguarded, match="party: row-level security is not forced on the owner"):
        await require_guarded(urls)
