"""rights by need

What hub_app may do is what its transactions need, and what the version before still needs.

First the indexes of what the migrations before this one added to tables that may be large. They are built beside whoever writes, and each that an attempt left half
built goes first: an attempt that fails is begun anew. Old keys give way when the new ones are there.

Revision ID: 20261127h
Revises: 20261127g
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127h"
down_revision = "20261127g"
branch_labels = None
depends_on = None

_USE = ("customer_id", "source", "grantee", "purpose")
_INDEXES = (
    ("uq_consent_asked", "consent", _USE, {"unique": True, "postgresql_where": sa.text("status = 'PENDING'")}),
    ("uq_consent_given", "consent", _USE, {"unique": True, "postgresql_where": sa.text("status IN ('ACTIVE', 'PAUSED')")}),
    ("ix_consent_ends", "consent", ("expires_at",), {"postgresql_where": sa.text("status IN ('PENDING', 'ACTIVE', 'PAUSED')")}),
    ("ix_access_log_chain", "access_log", ("shard", "sequence"), {}),
    ("uq_customer_claim", "customer", ("claim_hash",), {"unique": True}),
    ("ix_customer_subject", "customer", ("subject_hash",), {}),
    ("ix_idempotency_key_created", "idempotency_key", ("created_at",), {}),
)
_GIVE_WAY = ("uq_consent_source", "uq_customer_subject")
_ASKED = (
    "adverse_notice, changed_at, connector, consent_id, customer_id, data_from, data_life_days, data_to, evidence, expires_at, fetch_type,"
    " fetches_per_day, grantee, kinds, mode, narrowed_at, offer, purpose, scenarios, source, status, supersedes, text_hash, text_version, written"
)
_NEEDED = {
    "authorisation_attempt": "SELECT",
    "client": "SELECT",
    "connection": "SELECT, INSERT, UPDATE (due_at, epoch, lease_until)",
    "consent": f"SELECT, INSERT, UPDATE ({_ASKED})",
    "credential": "SELECT",
    "customer": "SELECT, UPDATE (created_at)",
    "data_key": "SELECT",
    "idempotency_key": "SELECT, INSERT, UPDATE (response)",
    "link_session": "SELECT, INSERT",
    "party": "SELECT, INSERT, UPDATE (ended_at, valid_to)",
    "policy": "SELECT",
    "quarantine": "SELECT, INSERT",
    "reference_data": "SELECT",
    "signing_key": "SELECT, INSERT, UPDATE (retired_at)",
    "sync_run": "SELECT, INSERT, UPDATE",
    "sync_window": "SELECT, INSERT, UPDATE",
    "used_token_id": "SELECT, INSERT, DELETE",
    "window_keys": "SELECT, INSERT, DELETE",
}
"""Tables of which hub_app had more, and what is left."""
_CLIENT = "(select current_setting('hub.client', true))"
_MINE = "purpose = (SELECT current_setting('hub.purpose', true))"
_GIVEN = "(status NOT IN ('ACTIVE', 'PAUSED') OR starts_at IS NOT NULL)"
_BOUNDS = (
    ("access_log", "INSERT", f"WITH CHECK (client_id = {_CLIENT} AND shard IS NULL AND sequence IS NULL AND hash IS NULL)"),
    ("consent_event", "INSERT", f"WITH CHECK (actor = {_CLIENT})"),
    ("identity_event", "INSERT", f"WITH CHECK (actor = {_CLIENT} AND kind IN ('PARTY_ADDED', 'PARTY_ENDED'))"),
    ("consent", "INSERT", "WITH CHECK (status = 'PENDING' AND starts_at IS NULL)"),
    ("consent", "UPDATE", f"USING ({_MINE}) WITH CHECK ({_MINE} AND {_GIVEN})"),
    ("customer", "UPDATE", "USING (true) WITH CHECK (false)"),
)


def upgrade() -> None:
    _indexes()
    _keys()
    _rights()


def _indexes() -> None:
    with op.get_context().autocommit_block():
        # It waits for transactions that began before it, and nobody waits for it.
        op.execute("SET lock_timeout = 0")
        for name, table, columns, how in _INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.create_index(name, table, list(columns), postgresql_concurrently=True, **how)
        for name in _GIVE_WAY:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute("SET lock_timeout = '5s'")


def _keys() -> None:
    comment = "keyed hash over the input's SHA-256; the bare one in rows of earlier versions"
    op.alter_column("idempotency_key", "request_sha256", comment=comment)


def _rights() -> None:
    """As hub.store.security says; a test compares."""
    for table, rights in _NEEDED.items():
        op.execute(f"REVOKE ALL ON {table} FROM hub_app")
        op.execute(f"GRANT {rights} ON {table} TO hub_app")
    for table, verb, rule in _BOUNDS:
        op.execute(f"CREATE POLICY bound_{verb.lower()} ON {table} AS RESTRICTIVE FOR {verb} TO hub_app {rule}")
