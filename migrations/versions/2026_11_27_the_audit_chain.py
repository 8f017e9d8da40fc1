"""the audit chain

Who read what and who changed what, chained.

Revision ID: 20261127e
Revises: 20261127d
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261127e"
down_revision = "20261127d"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _access_log()
    _events()
    _anchors()


def _linked() -> tuple[sa.Column, ...]:
    return (
        sa.Column("shard", sa.SmallInteger(), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=True, comment="without gaps within a shard"),
        sa.Column("hash", sa.LargeBinary(), nullable=True, comment="HMAC-SHA256 over the hash before and this row"),
    )


def _access_log() -> None:
    """A version of the hub without chains still writes; its rows stand in none."""
    nothing = sa.text("'{}'")
    op.add_column(
        "access_log",
        sa.Column(
            "consents",
            postgresql.ARRAY(sa.UUID()),
            server_default=nothing,
            nullable=False,
            comment="in force, and what was read was read under them",
        ),
    )
    for name in ("terms", "withheld"):
        op.add_column("access_log", sa.Column(name, postgresql.ARRAY(sa.Text()), server_default=nothing, nullable=False))
    for column in _linked():
        op.add_column("access_log", column)
    op.execute("CREATE POLICY owner_trims ON access_log TO CURRENT_USER USING (true)")


def _events() -> None:
    op.create_table(
        "audit_event",
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False, comment="a client, operator or clock"),
        sa.Column("action", sa.Text(), nullable=False, comment="<noun>.<verb>"),
        sa.Column("subject", sa.Text(), nullable=False, comment="<kind>:<id>"),
        sa.Column("before", postgresql.JSONB(), nullable=True),
        sa.Column("after", postgresql.JSONB(), nullable=True),
        *_linked(),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_audit_event")),
    )
    op.create_index("ix_audit_event_chain", "audit_event", ["shard", "sequence"])
    op.create_index("ix_audit_event_subject", "audit_event", ["subject", "at"])
    op.execute("GRANT INSERT, SELECT ON audit_event TO hub_worker")


def _anchors() -> None:
    op.create_table(
        "audit_anchor",
        sa.Column("shard", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False, comment="last row that left"),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="its hash"),
        sa.Column(
            "seal", sa.LargeBinary(), nullable=False, comment="HMAC-SHA256: only the hub can say that what came before left by rule"
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="all rows that left are older"),
        sa.PrimaryKeyConstraint("shard", "sequence", name=op.f("pk_audit_anchor")),
    )
    op.execute("GRANT INSERT, SELECT ON audit_anchor TO hub_worker")
