"""indexes of the view

The indexes by which customers are chosen. They have a migration of their own: what stands before an autocommit block is committed by it, and could not be done
once more by an attempt that begins anew.

Revision ID: 20261127n
Revises: 20261127m
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127n"
down_revision = "20261127m"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # It waits for transactions that began before it, and nobody waits for it.
        op.execute("SET lock_timeout = 0")
        for column in ("outcome", "tier"):
            name = f"ix_evaluation_{column}"
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.create_index(name, "evaluation", [column, "scenario"], postgresql_concurrently=True, postgresql_where=sa.text("NOT what_if"))
        op.execute("SET lock_timeout = '5s'")
