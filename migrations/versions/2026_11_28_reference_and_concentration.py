"""reference and concentration

Revision ID: 20261128c
Revises: 20261128b
"""

revision = "20261128c"
down_revision = "20261128b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
