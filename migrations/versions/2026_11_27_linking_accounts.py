"""linking accounts

What a link session and a connection know of an account at a platform.

Revision ID: 20261127f
Revises: 20261127e
"""

revision = "20261127f"
down_revision = "20261127e"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
