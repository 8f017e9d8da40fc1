"""policies have a life

Drafts, their trials, and the end of a version. Expand only: new tables, and a column that the version before leaves empty.

Revision ID: 20261127m
Revises: 20261127l
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127m"
down_revision = "20261127l"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    use = "purpose of the consents it read under; null: by a version that did not tell"
    op.add_column("evaluation", sa.Column("use_purpose", sa.Text(), nullable=True, comment=use))
    _drafts()
    _trials()
    _ends()
    _rights()


def _drafts() -> None:
    op.create_table(
        "policy_draft",
        sa.Column("draft_id", sa.UUID(), nullable=False),
        sa.Column("policy_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("document", sa.dialects.postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="OPEN, TRIED, PUBLISHED or DISCARDED"),
        sa.Column("author", sa.Text(), nullable=False, comment="client, or operator"),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("tried_since", _INSTANT, nullable=True, comment="evaluations made from then on are made once more by it, while it is TRIED"),
        sa.Column("decided_by", sa.Text(), nullable=True, comment="who published it, never its author; or who discarded it"),
        sa.Column("decided_at", _INSTANT, nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("draft_id", name=op.f("pk_policy_draft")),
    )
    op.create_index("ix_policy_draft_tried", "policy_draft", ["policy_id"], postgresql_where=sa.text("state = 'TRIED'"))


def _trials() -> None:
    op.create_table(
        "policy_trial",
        sa.Column("customer_id", sa.UUID(), nullable=False),
        sa.Column("evaluation_id", sa.UUID(), nullable=False),
        sa.Column("draft_id", sa.UUID(), nullable=False),
        sa.Column("left_out", sa.Text(), nullable=True, comment="why the two cannot be compared; null: they can"),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("final_limit", sa.Numeric(18, 2), nullable=True),
        sa.Column("rate", sa.Numeric(9, 4), nullable=True),
        sa.Column("term_months", sa.Integer(), nullable=True),
        sa.Column("reasons", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "evaluation_id", "draft_id", name=op.f("pk_policy_trial")),
    )


def _ends() -> None:
    op.create_table(
        "policy_end",
        sa.Column("policy_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False, comment="first day on which it does not apply any more"),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("policy_id", "version", name=op.f("pk_policy_end")),
    )


def _rights() -> None:
    """As hub.store.security says; a test compares."""
    client = "(select current_setting('hub.client', true))"
    visible = f"EXISTS (SELECT 1 FROM customer_client k WHERE k.customer_id = policy_trial.customer_id AND k.client_id = {client})"
    due = "evaluation_id IN (SELECT unnest(t.evaluations) FROM tombstone t WHERE t.xact = pg_current_xact_id()::text)"
    for statement in (
        "GRANT DELETE, INSERT, SELECT, UPDATE ON policy_draft TO hub_worker",
        "GRANT SELECT ON policy_end TO hub_app",
        "GRANT INSERT, SELECT ON policy_end TO hub_worker",
        "GRANT DELETE, INSERT, SELECT ON policy_trial TO hub_worker",
        "ALTER TABLE policy_trial ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE policy_trial FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY client_sees ON policy_trial TO hub_app USING ({visible}) WITH CHECK ({visible})",
        "CREATE POLICY hub_works ON policy_trial TO hub_worker USING (true) WITH CHECK (true)",
        f"CREATE POLICY erased_only ON policy_trial AS RESTRICTIVE FOR DELETE TO hub_worker USING ({due})",
    ):
        op.execute(statement)
