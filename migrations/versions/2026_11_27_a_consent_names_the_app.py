"""a consent names the app

Revision ID: 20261127u
Revises: 20261127t
"""

revision = "20261127u"
down_revision = "20261127t"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
