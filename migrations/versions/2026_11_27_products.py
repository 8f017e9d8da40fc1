"""products

Revision ID: 20261127za
Revises: 20261127z
"""

revision = "20261127za"
down_revision = "20261127z"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
