"""profile changes

Revision ID: 20261127l
Revises: 20261127k
"""

revision = "20261127l"
down_revision = "20261127k"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
