"""What operators changed, and from where on trimmed chains are told (:mod:`hub.access.audit`). The access log is with the clients."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Index, LargeBinary, SmallInteger, Table

from hub.store.metadata import document, instant, metadata, text, uid


def linked() -> tuple[Column[Any], ...]:
    """Where a row stands in its chain. Null: written by a version of the hub that had none, or not by the hub."""
    return (
        Column("shard", SmallInteger, nullable=True),
        Column("sequence", BigInteger, nullable=True, comment="without gaps within a shard"),
        Column("hash", LargeBinary, nullable=True, comment="HMAC-SHA256 over the hash before and this row"),
    )


audit_event = Table(
    "audit_event",
    metadata,
    uid("event_id", primary_key=True),
    instant("at"),
    text("actor", comment="a client, operator or clock"),
    text("action", comment="<noun>.<verb>"),
    text("subject", comment="<kind>:<id>"),
    document("before", nullable=True),
    document("after", nullable=True),
    *linked(),
    Index("ix_audit_event_chain", "shard", "sequence"),
    Index("ix_audit_event_subject", "subject", "at"),
)

audit_anchor = Table(
    "audit_anchor",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False, comment="last row that left"),
    Column("hash", LargeBinary, nullable=False, comment="its hash"),
    Column("seal", LargeBinary, nullable=False, comment="HMAC-SHA256: only the hub can say that what came before left by rule"),
    instant("at", comment="all rows that left are older"),
)
