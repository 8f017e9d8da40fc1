"""natural persons in invoices

Revision ID: 20261127w
Revises: 20261127v
"""

revision = "20261127w"
down_revision = "20261127v"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
