"""policies name their assessment

A published policy keeps by which impact assessment (PIPL 55-56) it decides. Versions are never changed, so those that are here keep none: null, they were published before that was asked.

Revision ID: 20261128a
Revises: 20261127z
"""

import sqlalchemy as sa
from alembic import op

revision = "20261128a"
down_revision = "20261127z"
branch_labels = None
depends_on = None


def upgrade() -> None:
    record = "the institution's id of the impact assessment; null: not stated, it was published before that was asked"
    op.add_column("policy", sa.Column("assessment_id", sa.Text(), nullable=True, comment=record))
    op.add_column("policy", sa.Column("assessed_on", sa.Date(), nullable=True))
