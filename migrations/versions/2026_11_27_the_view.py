"""the view

Revision ID: 20261127k
Revises: 20261127j
"""

revision = "20261127k"
down_revision = "20261127j"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
