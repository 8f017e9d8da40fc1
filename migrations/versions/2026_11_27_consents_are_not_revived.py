"""consents are not revived

Revision ID: 20261127t
Revises: 20261127s
"""

revision = "20261127t"
down_revision = "20261127s"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
