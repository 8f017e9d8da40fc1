"""rules of law

All-in cost of what is offered; on which days a platform is on the lender's public list; who approved a policy's models anew, and when; which partner a loan was made with, and
the share that the partner funds; what was decided about each segment, month by month.

A partner that was registered before is taken to be listed from the day of its registration: it got offers until now. The head office says otherwise with ``updateClient``.

Revision ID: 20261127y
Revises: 20261127x
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127y"
down_revision = "20261127x"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("evaluation", sa.Column("all_in_cost", sa.Numeric(9, 4), nullable=True, comment="rate and fees a year, simple; null: nothing is offered, or made before it was kept"))
    op.add_column("portfolio_result", sa.Column("all_in_cost", sa.Numeric(9, 4), nullable=True, comment="rate and fees a year, simple"))
    op.add_column("client", sa.Column("listed_from", sa.Date(), nullable=True, comment="first day on the lender's public list of platforms; null: it is not on it"))
    op.add_column("client", sa.Column("listed_to", sa.Date(), nullable=True, comment="last day on it; null: until further notice"))
    op.add_column("client", sa.Column("listed_in", sa.Text(), nullable=True, comment="where the list is published"))
    op.execute("UPDATE client SET listed_from = (created_at AT TIME ZONE 'Asia/Shanghai')::date, listed_in = 'registered before lists were kept' WHERE audience = 'PARTNER'")
    op.add_column("loan_status", sa.Column("partner", sa.Text(), nullable=True, comment="client of the platform with which it is lent jointly; null: the lender alone"))
    op.add_column("loan_status", sa.Column("partner_share", sa.Numeric(5, 4), nullable=True, comment="of the loan, funded by the partner"))
    op.create_table(
        "policy_approval",
        sa.Column("policy_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False, comment="what was looked at"),
        sa.PrimaryKeyConstraint("policy_id", "version", "approved_at", name="pk_policy_approval"),
    )
    op.create_table(
        "fairness_cell",
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("scenario", sa.Text(), nullable=False, comment="empty: all of them"),
        sa.Column("axis", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False, comment="empty: nobody can tell"),
        sa.Column("told", sa.Boolean(), nullable=False, comment="false: too few customers; then the rest is null"),
        sa.Column("decided", sa.Integer(), nullable=True),
        sa.Column("approved", sa.Integer(), nullable=True),
        sa.Column("approval_rate", sa.Numeric(9, 4), nullable=True),
        sa.Column("mean_limit", sa.Numeric(18, 2), nullable=True),
        sa.Column("to_all", sa.Numeric(9, 4), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("month", "scenario", "axis", "segment", name="pk_fairness_cell"),
    )
    op.execute("GRANT SELECT ON fairness_cell TO hub_app")
    op.execute("GRANT INSERT, SELECT ON fairness_cell TO hub_worker")
    op.execute("GRANT SELECT ON policy_approval TO hub_app")
    op.execute("GRANT INSERT, SELECT ON policy_approval TO hub_worker")
