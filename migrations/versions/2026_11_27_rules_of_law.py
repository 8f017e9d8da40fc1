"""rules of law

Revision ID: 20261127y
Revises: 20261127x
"""

revision = "20261127y"
down_revision = "20261127x"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
