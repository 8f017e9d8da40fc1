"""portfolios

Revision ID: 20261127r
Revises: 20261127q
"""

revision = "20261127r"
down_revision = "20261127q"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
