"""Connected and fetched: connections, credentials, runs, windows, raw pages, quarantine."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Index, Integer, LargeBinary, Table
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import DATEMULTIRANGE, JSONB

from hub.store.metadata import customer_key, document, instant, metadata, text, uid
from hub.store.tables.columns import OWNED, count, texts

connection = Table(
    "connection",
    metadata,
    customer_key(),
    uid("connection_id", primary_key=True),
    text("connector"),
    text("status"),
    text("account_hash", nullable=True, comment="keyed hash of the account at the platform"),
    Column("epoch", BigInteger, nullable=False, server_default=sql("0")),
    instant("lease_until", nullable=True),
    instant("due_at", nullable=True, comment="database time at which the next sync is due; null: not scheduled"),
    text("last_verdict", nullable=True),
    text("last_fault", nullable=True, comment="class of the fault that ended the last run"),
    text("last_fault_detail", nullable=True, comment="what the fault said; never a value"),
    instant("created_at"),
    Index("uq_connection_connector", "customer_id", "connector", unique=True),
    Index("ix_connection_due", "due_at", postgresql_where=sql("due_at IS NOT NULL")),
    info=OWNED,
)

credential = Table(
    "credential",
    metadata,
    customer_key(),
    uid("connection_id", primary_key=True),
    Column("sealed", LargeBinary, nullable=False, comment="sealed Grant"),
    text("state", comment="valid, exchanging, unknown, reauth_required or revoked"),
    Column("epoch", BigInteger, nullable=False, server_default=sql("0")),
    instant("exchanging_since", nullable=True),
    instant("expires_at", nullable=True),
    instant("refreshed_at"),
    info=OWNED,
)

sync_run = Table(
    "sync_run",
    metadata,
    customer_key(),
    uid("run_id", primary_key=True),
    uid("connection_id"),
    Column("epoch", BigInteger, nullable=False),
    instant("started_at"),
    instant("ended_at", nullable=True),
    text("verdict", nullable=True),
    count("requests"),
    count("fetched"),
    count("stored"),
    count("unchanged"),
    count("quarantined"),
    count("rejected"),
    count("windows_planned"),
    count("windows_done"),
    text("fault", nullable=True),
    text("fault_detail", nullable=True),
    Index("ix_sync_run_connection", "customer_id", "connection_id", "started_at"),
    info=OWNED,
)

sync_window = Table(
    "sync_window",
    metadata,
    customer_key(),
    uid("connection_id", primary_key=True),
    text("stream", primary_key=True),
    Column("first_day", Date, primary_key=True),
    Column("last_day", Date, nullable=False),
    text("source"),
    texts("kinds"),
    text("state", comment="OPEN, DONE, NOT_SERVED (out of the platform's reach) or FAILED"),
    Column("cursor", JSONB, nullable=True),
    count("pages"),
    count("fetched"),
    count("stored"),
    count("unchanged"),
    count("quarantined"),
    count("rejected"),
    Column("declared_total", BigInteger, nullable=True),
    Column("covered", DATEMULTIRANGE, nullable=True, comment="days the facts of this window are complete for"),
    text("reason", nullable=True),
    uid("run_id"),
    instant("completed_at", nullable=True, comment="business time"),
    info=OWNED,
)

raw_page = Table(
    "raw_page",
    metadata,
    customer_key(),
    uid("page_id", primary_key=True),
    uid("connection_id"),
    uid("consent_id"),
    uid("run_id"),
    text("stream"),
    Column("first_day", Date, nullable=False),
    document("request", comment="the unsigned request: method, path, query, body hash"),
    Column("status", Integer, nullable=False),
    text("content_type", nullable=True),
    instant("fetched_at", comment="real time"),
    text("sha256", comment="hex SHA-256 of the bytes as received"),
    Column("size", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False, comment="sealed, zstd-compressed bytes"),
    info=OWNED,
)

quarantine = Table(
    "quarantine",
    metadata,
    customer_key(),
    uid("record_id", primary_key=True),
    uid("page_id"),
    Column("position", Integer, nullable=False),
    text("stream"),
    text("path"),
    text("reason"),
    Column("body", LargeBinary, nullable=False, comment="sealed record"),
    instant("at"),
    instant("resolved_at", nullable=True),
    info=OWNED,
)
