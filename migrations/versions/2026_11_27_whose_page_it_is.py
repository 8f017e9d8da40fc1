"""whose page it is

A customer's page is his own where an account that he logged in with on its link is his (ADR 27). A connection keeps which link that was, and from which epoch on its facts
tell of that account; a session keeps the link it came from, and when it was first shown to be the customer's own.

Revision ID: 20261127x
Revises: 20261127w
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261127x"
down_revision = "20261127w"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _whose()


def _whose() -> None:
    key, instant = postgresql.UUID(as_uuid=True), sa.DateTime(timezone=True)
    op.add_column("connection", sa.Column("holder_link", key, nullable=True, comment="the link on which somebody logged in last"))
    since = "what runs of a later epoch brought is of the account that logged in then"
    op.add_column("connection", sa.Column("holder_epoch", sa.BigInteger(), nullable=True, comment=since))
    from_link = "of a MANAGE session that a link's browser opened: the link"
    op.add_column("link_session", sa.Column("from_link", key, nullable=True, comment=from_link))
    own_at = "when it was first shown to be the customer's own (database time)"
    op.add_column("link_session", sa.Column("own_at", instant, nullable=True, comment=own_at))
