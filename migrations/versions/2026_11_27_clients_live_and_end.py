"""clients live and end

Revision ID: 20261127i
Revises: 20261127h
"""

revision = "20261127i"
down_revision = "20261127h"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
