"""identity

Merged and split customers, roles.

Expand first: new tables and columns that the version before does not look at. One index gives way, in a later migration (rights by need): a subject is no longer
unique, because what one client says of it must not keep another one out. The version before goes on finding and making customers meanwhile; what it makes has no claim, and gets one when somebody
names its subject.

Revision ID: 20261127g
Revises: 20261127f
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127g"
down_revision = "20261127f"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _customers()
    _parties()
    _merges()
    _history()
    _rights()


def _customers() -> None:
    op.add_column("customer", sa.Column("category", sa.Text(), nullable=True, comment="as it was said; null: by kind and code"))
    claim = "keyed hash of all that its maker had to know; null: by a version that did not keep it"
    op.add_column("customer", sa.Column("claim_hash", sa.Text(), nullable=True, comment=claim))


def _parties() -> None:
    op.alter_column("party", "role", comment="SUBJECT, OPERATOR, LEGAL_REP, CONTROLLER, SPOUSE or GUARANTOR")
    for column in (
        sa.Column("valid_from", sa.Date(), nullable=True, comment="first day in the role; null: not told"),
        sa.Column("valid_to", sa.Date(), nullable=True, comment="first day no longer in the role; null: none so far"),
        sa.Column(
            "added_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="business time at which it was told; null: when the customer was made known",
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True, comment="business time at which the end was told"),
    ):
        op.add_column("party", column)


def _merges() -> None:
    op.create_table(
        "customer_merge",
        sa.Column("customer_id", sa.UUID(), nullable=False),
        sa.Column("into_id", sa.UUID(), nullable=False, comment="the customer that answers for this one, for whoever sees both"),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False, comment="business time"),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_customer_merge")),
    )
    op.create_index("ix_customer_merge_into", "customer_merge", ["into_id"])


def _history() -> None:
    op.create_table(
        "identity_event",
        sa.Column("customer_id", sa.UUID(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="PARTY_ADDED, PARTY_ENDED, MERGED or SPLIT"),
        sa.Column("other_id", sa.UUID(), nullable=True, comment="the surviving customer of a merge or split"),
        sa.Column("party_id", sa.UUID(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False, comment="client that did it"),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="business time"),
        sa.PrimaryKeyConstraint("customer_id", "event_id", name=op.f("pk_identity_event")),
    )
    op.create_index("ix_identity_event_newest", "identity_event", ["event_id"])


def _rights() -> None:
    """As hub.store.security says; a test compares."""
    op.execute("GRANT SELECT ON customer_merge TO hub_app")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON customer_merge TO hub_worker")
    op.execute("GRANT SELECT, INSERT ON identity_event TO hub_app, hub_worker")
    client = "(select current_setting('hub.client', true))"
    for name in ("customer_merge", "identity_event"):
        visible = f"EXISTS (SELECT 1 FROM customer_client k WHERE k.customer_id = {name}.customer_id AND k.client_id = {client})"
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY client_sees ON {name} TO hub_app USING ({visible}) WITH CHECK ({visible})")
        op.execute(f"CREATE POLICY hub_works ON {name} TO hub_worker USING (true) WITH CHECK (true)")
    operator = "(select current_setting('hub.operator', true)) = 'yes'"
    op.execute("GRANT UPDATE (reason) ON identity_event TO hub_worker")
    erased = "EXISTS (SELECT 1 FROM customer s WHERE s.customer_id IN (identity_event.customer_id, identity_event.other_id) AND s.erased_on IS NOT NULL)"
    op.execute(f"CREATE POLICY reason_only ON identity_event AS RESTRICTIVE FOR UPDATE TO hub_worker USING ({erased}) WITH CHECK (reason IS NULL)")
    op.execute(f"CREATE POLICY operator_watches ON identity_event FOR SELECT TO hub_app USING ({operator})")
