"""the models

Revision ID: 20261127q
Revises: 20261127p
"""

revision = "20261127q"
down_revision = "20261127p"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
