"""the sync engine

Expand first, contract later: new tables and columns that the version before does not look at.

Revision ID: 20261127
Revises: 20261124
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261127"
down_revision = "20261124"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _quota_ledger()


def _quota_ledger() -> None:
    op.create_table(
        "quota_ledger",
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column(
            "credential",
            sa.Text(),
            nullable=False,
            comment="keyed hash of the application's identity at the platform, and of its address",
        ),
        sa.Column(
            "arrival",
            sa.DateTime(timezone=True),
            server_default=sa.text("'-infinity'"),
            nullable=False,
            comment="when the bucket is full again; later by one interval per call",
        ),
        sa.Column("minute", sa.BigInteger(), server_default=sa.text("0"), nullable=False, comment="minutes since 1970"),
        sa.Column("minute_calls", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("minute_retries", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "minute_foreign",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="calls the platform counted beyond ours",
        ),
        sa.Column("day", sa.BigInteger(), server_default=sa.text("0"), nullable=False, comment="days since 1970 in China Standard Time"),
        sa.Column("day_calls", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "day_foreign", sa.BigInteger(), server_default=sa.text("0"), nullable=False, comment="calls the platform counted beyond ours"
        ),
        sa.Column(
            "places",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="in flight: process -> [places, lease's end]",
        ),
        sa.Column("parked_until", sa.DateTime(timezone=True), nullable=True, comment="the platform asked to wait until then"),
        sa.Column("wanted_by", sa.Text(), nullable=True, comment="a process that was refused: the others leave it a place and a call"),
        sa.Column("wanted_interactive", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("wanted_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("circuit", sa.Text(), server_default=sa.text("'CLOSED'"), nullable=False, comment="CLOSED, OPEN or HALF_OPEN"),
        sa.Column("circuit_failures", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="failures in a row"),
        sa.Column("circuit_since", sa.DateTime(timezone=True), nullable=True, comment="the first of them"),
        sa.Column(
            "circuit_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="OPEN: when a probe may leave; HALF_OPEN: until when it is waited for",
        ),
        sa.Column("circuit_probe", sa.Text(), nullable=True, comment="the process whose probe is under way"),
        sa.PrimaryKeyConstraint("connector", "credential", name=op.f("pk_quota_ledger")),
    )
    # As hub.store.security prints them: the table belongs to no customer, so there is no policy.
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON quota_ledger TO hub_app, hub_worker")
