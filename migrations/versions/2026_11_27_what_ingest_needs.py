"""what ingest needs

Revision ID: 20261127m
Revises: 20261127l
"""

revision = "20261127m"
down_revision = "20261127l"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
