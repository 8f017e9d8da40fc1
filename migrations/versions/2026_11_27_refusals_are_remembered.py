"""refusals are remembered

That a customer said no, so that nobody asks him for the same thing again at once. A withdrawal of before is not looked for: its 48 hours are over before long.

By which impact assessment each connector is enabled. A database that has clients is older than the question: it is marked, and what its operator has enabled stays so.

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
_ITS_OWN = """client_id = current_setting('hub.client', true) AND purpose = current_setting('hub.purpose', true) AND lifted_at IS NULL
    AND refused_at <= coalesce(nullif(current_setting('hub.now', true), '')::timestamptz, now()) + interval '5 minutes' AND again_at <= refused_at + interval '90 days'"""


def upgrade() -> None:
    _refusals()
    _assessments()


def _refusals() -> None:
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


def _assessments() -> None:
    op.create_table(
        "connector_assessment",
        sa.Column("connector", sa.Text(), nullable=False, comment="its name; *: this database is older than the question"),
        sa.Column("noted_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("assessment_id", sa.Text(), nullable=True,
            comment="the institution's id of the record; null: not stated, it was enabled before that was asked"),
        sa.Column("assessed_on", sa.Date(), nullable=True),
        sa.Column("addresses", postgresql.ARRAY(sa.Text()), nullable=True, comment="what the hub may call for it, sorted; null: not noted yet"),
        sa.PrimaryKeyConstraint("connector", "noted_at", name="pk_connector_assessment"),
    )  # fmt: skip
    op.execute("GRANT SELECT ON connector_assessment TO hub_app")
    op.execute("GRANT INSERT, SELECT ON connector_assessment TO hub_worker")
    op.execute("INSERT INTO connector_assessment (connector) SELECT '*' WHERE EXISTS (SELECT 1 FROM client)")
