"""kinds of evidence

The kinds that evaluations of before rest on, and the index by which row-level security finds the consent of a row. It has a migration of its own: what stands before an
autocommit block is committed by it, and could not be done once more by an attempt that begins anew. Nobody waits for it; what is written meanwhile, the trigger keeps.

Revision ID: 20261128g
Revises: 20261128f
"""

import sqlalchemy as sa
from alembic import op

revision = "20261128g"
down_revision = "20261128f"
branch_labels = None
depends_on = None

_FILLED = "INSERT INTO evidence_kind SELECT DISTINCT customer_id, evaluation_id, source, kind FROM feature_evidence ON CONFLICT DO NOTHING"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # FORCE binds the owner, who fills them in, as well.
        for word in ("NO FORCE", "FORCE"):
            for table in ("evidence_kind", "feature_evidence"):
                op.execute(f"ALTER TABLE {table} {word} ROW LEVEL SECURITY")
            if word == "NO FORCE":
                op.execute(_FILLED)
        # It waits for transactions that began before it, and nobody waits for it.
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_consent_active")
        columns = ["customer_id", "source", "purpose"]
        op.create_index("ix_consent_active", "consent", columns, postgresql_concurrently=True, postgresql_where=sa.text("status = 'ACTIVE'"))
        op.execute("SET lock_timeout = '5s'")
