"""procurement and farm

Revision ID: 20261127o
Revises: 20261127n
"""

revision = "20261127o"
down_revision = "20261127n"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
