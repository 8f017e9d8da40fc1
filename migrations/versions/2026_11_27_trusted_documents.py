"""trusted documents

Revision ID: 20261127j
Revises: 20261127i
"""

revision = "20261127j"
down_revision = "20261127i"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
