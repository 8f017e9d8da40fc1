"""What became of facts and of the shape of records: marks on versions, keys of a pass, replays, shapes.

A fact's own table says when a version began and ended; a mark says what was behind it, where that was not simply a page that came.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, LargeBinary, Table
from sqlalchemy import text as sql

from hub.store.metadata import customer_key, document, instant, metadata, text, uid
from hub.store.tables.columns import OWNED

fact_mark = Table(
    "fact_mark",
    metadata,
    customer_key(),
    uid("fact_id", primary_key=True),
    text(
        "mark",
        primary_key=True,
        comment="REPLAYED (this version was made by a replay), GONE (closed: a proven full pass did not bring it), RETRACTED (closed: its page gives no such fact)",
    ),
    text("kind", comment="kind of fact"),
    uid("run_id"),
    instant("at", comment="business time"),
    info=OWNED,
)

window_keys = Table(
    "window_keys",
    metadata,
    customer_key(),
    uid("connection_id", primary_key=True),
    text("windows", primary_key=True, comment="sync_window or backfill_window"),
    text("stream", primary_key=True),
    Column("first_day", Date, primary_key=True),
    uid("page_id", primary_key=True),
    Column("records", LargeBinary, nullable=False, comment="8 bytes per record with facts: which keys it brought"),
    Column("facts", LargeBinary, nullable=True, comment="8 bytes per fact, where absence means deletion"),
    info=OWNED,
)
"""The keys of a pass that is under way. They go when it ends."""

replay = Table(
    "replay",
    metadata,
    uid("replay_id", primary_key=True),
    document("scope", comment="the filters it was started with"),
    instant("started_at"),
    instant("ended_at", nullable=True, comment="null: not finished, or died"),
)

record_shape = Table(
    "record_shape",
    metadata,
    text("connector", primary_key=True),
    text("stream", primary_key=True),
    text("path", primary_key=True, comment="where in a record; never a value"),
    text("type", primary_key=True, comment="bool, int, number, text, list or object"),
    Column("sightings", BigInteger, nullable=False, server_default=sql("0"), comment="sampled records that had it"),
    Column("drifted", Boolean, nullable=False, comment="first seen after the stream's shape had been learned"),
    instant("first_seen", comment="real time"),
    instant("last_seen", comment="real time"),
)
