"""linking accounts

What a link session and a connection know of an account at a platform.

Revision ID: 20261127f
Revises: 20261127e
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127f"
down_revision = "20261127e"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _attempts()


def _attempts() -> None:
    """One account that is linked twice is noticed. Connections of the version before say nothing until their customer authorises again."""
    told = "keyed hash of who authorised, in the platform's words: equal ones of a connector are one account"
    op.add_column("connection", sa.Column("holder_hash", sa.Text(), nullable=True, comment=told))
    op.create_index("ix_connection_holder", "connection", ["connector", "holder_hash"], postgresql_where=sa.text("holder_hash IS NOT NULL"))
