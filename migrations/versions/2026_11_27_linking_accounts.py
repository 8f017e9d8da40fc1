"""linking accounts

What a link session and a connection know of an account at a platform.

Revision ID: 20261127f
Revises: 20261127e
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "20261127f"
down_revision = "20261127e"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A session says what it asks for and of which kind it is. One of the version before says no sources: it shows what it showed."""
    op.add_column("link_session", sa.Column("kind", sa.Text(), server_default="LINK", nullable=False, comment="LINK (asks) or MANAGE (shows and withdraws)"))
    op.add_column("link_session", sa.Column("sources", ARRAY(sa.Text()), server_default="{}", nullable=False))
    # A page finds its session by the browser that shows it; the secret is new for each session.
    op.create_index("uq_link_session_browser", "link_session", ["browser_hash"], unique=True, postgresql_where=sa.text("browser_hash IS NOT NULL"))
