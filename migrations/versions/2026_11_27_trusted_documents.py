"""trusted documents

Which documents a client may ask by their digest, how it asks, and what it may ask for in a minute.

Expand only: columns with a default, new tables that the version before does not look at.

Revision ID: 20261127j
Revises: 20261127i
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127j"
down_revision = "20261127i"
branch_labels = None
depends_on = None


def upgrade() -> None:
    mode = "OPEN: any document; AUDIT: unknown ones are noted; ONLY: stored ones alone"
    op.add_column("client", sa.Column("documents", sa.Text(), nullable=False, server_default=sa.text("'OPEN'"), comment=mode))
    budget = "cost of its operations in one minute; null: as its audience"
    op.add_column("client", sa.Column("cost_per_minute", sa.BigInteger(), nullable=True, comment=budget))
    op.create_table(
        "trusted_document",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False, comment="of the document, as UTF-8"),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "sha256", name=op.f("pk_trusted_document")),
    )
    op.create_table(
        "cost_ledger",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False, comment="its first instant, by the database's clock"),
        sa.Column("taken", sa.BigInteger(), nullable=False, comment="cost that processes took to spend"),
        sa.PrimaryKeyConstraint("client_id", "minute", name=op.f("pk_cost_ledger")),
    )
    for table in ("trusted_document", "cost_ledger"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO hub_worker")
