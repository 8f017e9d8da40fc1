"""The quota ledger: one row per platform credential, shared by every worker on every host. It belongs to nobody and names no customer."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, Table
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB

from hub.store.metadata import instant, metadata, text
from hub.store.tables.columns import count

quota_ledger = Table(
    "quota_ledger",
    metadata,
    text("connector", primary_key=True),
    text("credential", primary_key=True, comment="keyed hash of the application's identity at the platform, and of its address"),
    instant("arrival", server_default=sql("'-infinity'"), comment="when the bucket is full again; later by one interval per call"),
    Column("minute", BigInteger, nullable=False, server_default=sql("0"), comment="minutes since 1970"),
    count("minute_calls"),
    count("minute_retries"),
    Column("minute_foreign", BigInteger, nullable=False, server_default=sql("0"), comment="calls the platform counted beyond ours"),
    Column("day", BigInteger, nullable=False, server_default=sql("0"), comment="days since 1970 in China Standard Time"),
    count("day_calls"),
    Column("day_foreign", BigInteger, nullable=False, server_default=sql("0"), comment="calls the platform counted beyond ours"),
    Column("places", JSONB, nullable=False, server_default=sql("'{}'"), comment="in flight: process -> [places, lease's end]"),
    instant("parked_until", nullable=True, comment="the platform asked to wait until then"),
    text("wanted_by", nullable=True, comment="a process that was refused: the others leave it a place and a call"),
    Column("wanted_interactive", Boolean, nullable=False, server_default=sql("false")),
    instant("wanted_until", nullable=True),
    text("circuit", server_default=sql("'CLOSED'"), comment="CLOSED, OPEN or HALF_OPEN"),
    Column("circuit_failures", Integer, nullable=False, server_default=sql("0"), comment="failures in a row"),
    instant("circuit_since", nullable=True, comment="the first of them"),
    instant("circuit_until", nullable=True, comment="OPEN: when a probe may leave; HALF_OPEN: until when it is waited for"),
    text("circuit_probe", nullable=True, comment="the process whose probe is under way"),
)
