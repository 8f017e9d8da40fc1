"""the audit chain

Who read what and who changed what, chained.

Revision ID: 20261127e
Revises: 20261127d
"""

revision = "20261127e"
down_revision = "20261127d"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
