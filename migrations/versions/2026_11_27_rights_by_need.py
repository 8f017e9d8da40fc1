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


def upgrade() -> None:
    _indexes()
    _keys()


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
