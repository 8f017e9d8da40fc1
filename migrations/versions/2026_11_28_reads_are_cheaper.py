"""reads are cheaper

Revision ID: 20261128d
Revises: 20261128c
"""

revision = "20261128d"
down_revision = "20261128c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
