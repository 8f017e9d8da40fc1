"""refusals are remembered

That a customer said no, so that nobody asks him for the same thing again at once. A withdrawal of before is not looked for: its 48 hours are over before long.

Revision ID: 20261127v
Revises: 20261127u
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261127v"
down_revision = "20261127u"
branch_labels = None
depends_on = None

_SEEN = "refusal.customer_id = nullif(current_setting('hub.seen', true), '')::uuid OR client_sees(refusal.customer_id)"
_ITS_OWN = "client_id = current_setting('hub.client', true) AND purpose = current_setting('hub.purpose', true) AND lifted_at IS NULL"


def upgrade() -> None:
    op.create_table(
        "refusal",
        sa.Column("customer_id", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("refusal_id", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("grantee", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False, comment="the client that asked, or passed on what the customer said"),
        sa.Column("app", sa.Text(), nullable=True, comment="the app that alone is not to ask; null: nobody is"),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=False, comment="business time"),
        sa.Column("again_at", sa.DateTime(timezone=True), nullable=False, comment="business time from which on it may be asked for"),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True, comment="business time at which the customer gave it after all"),
        sa.PrimaryKeyConstraint("customer_id", "refusal_id", name="pk_refusal"),
    )
    op.create_index("ix_refusal_refused", "refusal", ["refused_at"])
    op.execute("GRANT INSERT, SELECT ON refusal TO hub_app")
    op.execute("GRANT DELETE, INSERT, SELECT, UPDATE ON refusal TO hub_worker")
    op.execute("ALTER TABLE refusal ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE refusal FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY client_sees ON refusal TO hub_app USING ({_SEEN}) WITH CHECK ({_SEEN})")
    op.execute("CREATE POLICY hub_works ON refusal TO hub_worker USING (true) WITH CHECK (true)")
    op.execute(f"CREATE POLICY bound_insert ON refusal AS RESTRICTIVE FOR INSERT TO hub_app WITH CHECK ({_ITS_OWN})")
