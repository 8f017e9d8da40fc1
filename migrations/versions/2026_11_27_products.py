"""products

Industry clusters of a profile, and how products fit. Expand only: a profile from before has neither, which is told apart from an empty set.

Revision ID: 20261127z
Revises: 20261127y
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127z"
down_revision = "20261127y"
branch_labels = None
depends_on = None

_TEXTS = sa.ARRAY(sa.Text())


def upgrade() -> None:
    _clusters()


def _clusters() -> None:
    known = "industry clusters it is known to belong to; null: by a version that did not tell"
    op.add_column("evaluation_profile", sa.Column("clusters", _TEXTS, nullable=True, comment=known))
    op.add_column("evaluation_profile", sa.Column("clusters_undecided", _TEXTS, nullable=True, comment="those of which nobody can tell"))
    fitting = "how the products of the catalogue fit, in their order; null: no catalogue was known"
    op.add_column("evaluation_profile", sa.Column("products", sa.dialects.postgresql.JSONB(), nullable=True, comment=fitting))
    axes = "ALL, CUSTOMER_TYPE, CLUSTER, INDUSTRY, REGION, SIZE, TIER, SCENARIO, or LEFT: why there is no result"
    op.alter_column("portfolio_count", "axis", comment=axes)
