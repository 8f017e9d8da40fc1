"""identity

Merged and split customers, roles.

Revision ID: 20261127g
Revises: 20261127f
"""

revision = "20261127g"
down_revision = "20261127f"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
