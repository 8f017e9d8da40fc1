"""erasure

What is erased when, and the tombstones that prove it.

Revision ID: 20261127d
Revises: 20261127c
"""

revision = "20261127d"
down_revision = "20261127c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
