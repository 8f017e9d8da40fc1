"""what was computed

Revision ID: 20261127z
Revises: 20261127y
"""

revision = "20261127z"
down_revision = "20261127y"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
