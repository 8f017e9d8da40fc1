"""What platforms told the hub by themselves: pushes that were received, and the days they said had changed."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, Integer, Table
from sqlalchemy import text as sql

from hub.store.metadata import customer_key, instant, metadata, text, uid
from hub.store.tables.columns import OWNED, texts

inbound_event = Table(
    "inbound_event",
    metadata,
    text("connector", primary_key=True),
    text("event_hash", primary_key=True, comment="keyed hash of the platform's id of the event: a repetition has no effect"),
    instant("received_at", server_default=sql("clock_timestamp()")),
    text("reference_hash", nullable=True, comment="as connection.account_hash; null: the event is about no authorisation"),
    text("kind", comment="CHANGED or READY"),
    texts("streams"),
    Column("first_day", Date, nullable=True),
    Column("last_day", Date, nullable=True),
    text("body_hash", comment="keyed hash of the bytes as received; the body itself is not kept"),
    Column("connections", Integer, nullable=False, server_default=sql("0"), comment="how many connections it made due"),
    instant("due_at", nullable=True, comment="when these are due; null: it made none due"),
    Index("ix_inbound_event_due", "connector", "reference_hash", "due_at", postgresql_where=sql("due_at IS NOT NULL")),
    Index("ix_inbound_event_received", "received_at"),
)

touched_days = Table(
    "touched_days",
    metadata,
    customer_key(),
    uid("connection_id", primary_key=True),
    text("stream", primary_key=True),
    Column("first_day", Date, primary_key=True),
    Column("last_day", Date, primary_key=True),
    instant("at", server_default=sql("clock_timestamp()")),
    info=OWNED,
)
