"""the view

What kind of customer an evaluation found, by which customers are chosen; and which evaluations nothing is decided by.

Expand only. Evaluations from before count as decisions, and have no profile: a customer is found by one as soon as it is evaluated again.

Revision ID: 20261127k
Revises: 20261127j
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127k"
down_revision = "20261127j"
branch_labels = None
depends_on = None

_INDEXED = ("customer_type", "size_class", "product_class", "industry_section", "industry_code", "region")


def upgrade() -> None:
    _what_if()
    _profile()
    _rights()


def _what_if() -> None:
    comment = "of another day than that on which it was made, or of what was known before: nothing is decided by it"
    op.add_column("evaluation", sa.Column("what_if", sa.Boolean(), nullable=False, server_default=sa.text("false"), comment=comment))


def _profile() -> None:
    op.create_table(
        "evaluation_profile",
        sa.Column("customer_id", sa.UUID(), nullable=False),
        sa.Column("evaluation_id", sa.UUID(), nullable=False),
        sa.Column("customer_type", sa.Text(), nullable=True),
        sa.Column("overlays", sa.ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("size_class", sa.Text(), nullable=True),
        sa.Column("product_class", sa.Text(), nullable=True),
        sa.Column("industry_section", sa.Text(), nullable=True, comment="letter of GB/T 4754-2017"),
        sa.Column("industry_code", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True, comment="city in which a business is registered, as the register names it"),
        sa.Column(
            "missing", sa.dialects.postgresql.JSONB(), nullable=False, comment="why what is null is null, by the name it has in the contract"
        ),
        sa.PrimaryKeyConstraint("customer_id", "evaluation_id", name=op.f("pk_evaluation_profile")),
    )
    for name in _INDEXED:
        op.create_index(f"ix_evaluation_profile_{name}", "evaluation_profile", [name])


def _rights() -> None:
    """As hub.store.security says; a test compares."""
    name, client = "evaluation_profile", "(select current_setting('hub.client', true))"
    op.execute(f"GRANT SELECT, INSERT ON {name} TO hub_app")
    op.execute(f"GRANT SELECT, INSERT, DELETE ON {name} TO hub_worker")
    visible = f"EXISTS (SELECT 1 FROM customer_client k WHERE k.customer_id = {name}.customer_id AND k.client_id = {client})"
    op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY client_sees ON {name} TO hub_app USING ({visible}) WITH CHECK ({visible})")
    op.execute(f"CREATE POLICY hub_works ON {name} TO hub_worker USING (true) WITH CHECK (true)")
    named = "evaluation_id IN (SELECT unnest(t.evaluations) FROM tombstone t WHERE t.xact = pg_current_xact_id()::text)"
    op.execute(f"CREATE POLICY erased_only ON {name} AS RESTRICTIVE FOR DELETE TO hub_worker USING ({named})")
