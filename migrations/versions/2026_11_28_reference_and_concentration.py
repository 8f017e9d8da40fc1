"""What is kept of the report on lending with partners; and a line of yearly statements.

Revision ID: 20261128c
Revises: 20261128a
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "20261128c"
down_revision = "20261128a"
branch_labels = None
depends_on = None


LINES = (
    "Amounts in yuan by line. BS: total_assets, total_liabilities, equity, fixed_assets, cash, acceptance_deposits, "
    "receivables, inventory, prepayments, payables, advances_received. PL: revenue, cost, net_profit, research_cost "
    "(研究费用), owner_withdrawals, injections, appreciation, depreciation."
)


def upgrade() -> None:
    """A new table, which no row of today waits for, and what a column may hold, told."""
    op.alter_column("fact_financial_statement", "lines", existing_type=JSONB(), existing_nullable=False, comment=LINES)
    op.create_table(
        "concentration_row",
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False, comment="empty: all of them"),
        sa.Column("loans", sa.Integer(), nullable=False),
        sa.Column("balance", sa.Numeric(18, 2), nullable=False),
        sa.Column("ours", sa.Numeric(18, 2), nullable=False, comment="what of it the institution funds"),
        sa.Column("of_capital", sa.Numeric(9, 4), nullable=True),
        sa.Column("of_all_loans", sa.Numeric(9, 4), nullable=True),
        sa.Column("too_much", sa.Boolean(), nullable=False, comment="a limit is passed"),
        sa.Column("below", sa.Integer(), nullable=False, comment="loans of which the partner funds less than it must"),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("month", "partner", name="pk_concentration_row"),
    )
    op.execute("GRANT SELECT ON concentration_row TO hub_app")
    op.execute("GRANT INSERT, SELECT ON concentration_row TO hub_worker")
