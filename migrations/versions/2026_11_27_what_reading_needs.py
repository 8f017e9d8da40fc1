"""what reading needs

Revision ID: 20261127n
Revises: 20261127m
"""

revision = "20261127n"
down_revision = "20261127m"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
