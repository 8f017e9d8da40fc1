"""policies name their assessment

Revision ID: 20261128a
Revises: 20261127z
"""

revision = "20261128a"
down_revision = "20261127z"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
