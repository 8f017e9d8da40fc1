"""reference data

Revision ID: 20261127p
Revises: 20261127o
"""

revision = "20261127p"
down_revision = "20261127o"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
