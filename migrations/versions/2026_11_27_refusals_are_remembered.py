"""refusals are remembered

Revision ID: 20261127v
Revises: 20261127u
"""

revision = "20261127v"
down_revision = "20261127u"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
