"""What is kept of reports: sums, in which no customer is."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, Table

from hub.store.metadata import instant, metadata, text
from hub.store.tables.columns import amount, rate

fairness_cell = Table(
    "fairness_cell",
    metadata,
    text("month", primary_key=True),
    text("scenario", primary_key=True, comment="empty: all of them"),
    text("axis", primary_key=True),
    text("segment", primary_key=True, comment="empty: nobody can tell"),
    Column("told", Boolean, nullable=False, comment="false: too few customers; then the rest is null"),
    Column("decided", Integer, nullable=True),
    Column("approved", Integer, nullable=True),
    rate("approval_rate"),
    amount("mean_limit"),
    rate("to_all"),
    instant("made_at"),
)

concentration_row = Table(
    "concentration_row",
    metadata,
    text("month", primary_key=True),
    text("partner", primary_key=True, comment="empty: all of them"),
    Column("loans", Integer, nullable=False),
    amount("balance", nullable=False),
    amount("ours", nullable=False, comment="what of it the institution funds"),
    rate("of_capital"),
    rate("of_all_loans"),
    Column("too_much", Boolean, nullable=False, comment="a limit is passed"),
    Column("below", Integer, nullable=False, comment="loans of which the partner funds less than it must"),
    instant("made_at"),
)
