"""a consent's life

Pause, narrow, renew; the read gate in the database.

Revision ID: 20261127c
Revises: 20261127b
"""

revision = "20261127c"
down_revision = "20261127b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
