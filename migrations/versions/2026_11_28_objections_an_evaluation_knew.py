"""objections an evaluation knew

Revision ID: 20261128b
Revises: 20261128a
"""

revision = "20261128b"
down_revision = "20261128a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
