"""whose page it is

Revision ID: 20261127x
Revises: 20261127w
"""

revision = "20261127x"
down_revision = "20261127w"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
