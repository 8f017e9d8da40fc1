"""What customers object to: an annotation on a fact or on a value of an evaluation, shown with it wherever it is read."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, LargeBinary, Table
from sqlalchemy import text as sql

from hub.store.metadata import customer_key, instant, metadata, text, uid
from hub.store.tables.columns import OWNED

dispute = Table(
    "dispute",
    metadata,
    customer_key(),
    uid("dispute_id", primary_key=True),
    text("kind", comment="kind of fact, or Evaluation"),
    uid("about", comment="the fact, or the evaluation"),
    text("source_key", nullable=True, comment="of a fact: later versions of it are disputed as well"),
    text("feature_id", nullable=True, comment="of an evaluation: the value; null: the result"),
    text("state", comment="OPEN, CORRECTED or KEPT"),
    Column("statement", LargeBinary, nullable=False, comment="sealed: what the customer says"),
    Column("note", LargeBinary, nullable=True, comment="sealed: what was answered"),
    instant("raised_at", comment="business time"),
    text("raised_by", comment="client that passed it on"),
    Column("due_on", Date, nullable=False, comment="day by which it must be answered"),
    instant("resolved_at", nullable=True, comment="business time"),
    text("resolved_by", nullable=True),
    Index("ix_dispute_about", "customer_id", "about"),
    Index("ix_dispute_open", "due_on", postgresql_where=sql("state = 'OPEN'")),
    info=OWNED,
)
