"""clients live and end

A client's tokens can be ended, and when it was last there is known. Expand only: the version before does not look at either, so a client's tokens end everywhere when the
last process of it is gone.

Revision ID: 20261127i
Revises: 20261127h
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127i"
down_revision = "20261127h"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, comment in (
        ("tokens_from", "tokens issued before are refused; null: none are for this"),
        ("last_token_at", "when it last got a token, to the minute"),
    ):
        op.add_column("client", sa.Column(name, sa.DateTime(timezone=True), nullable=True, comment=comment))
    op.alter_column("signing_key", "retired_at", comment="signs nothing from then on; may lie ahead")
    op.execute("GRANT UPDATE (last_token_at) ON client TO hub_app")
