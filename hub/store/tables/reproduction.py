"""What an evaluation was made from, and what windows had covered before they were read again: so that it can be made once more."""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, Column, Date, Identity, Table, Text
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import DATEMULTIRANGE

from hub.store.metadata import customer_key, document, instant, metadata, text, uid
from hub.store.tables.columns import OWNED

evaluation_inputs = Table(
    "evaluation_inputs",
    metadata,
    customer_key(),
    uid("evaluation_id", primary_key=True),
    document("document", comment="grantee, source states, terms of the consents, months served, versions and digests of what was read"),
    text("code_version", comment="of the hub that made it"),
    text("engine_sha256", comment="hex, over the formulas' versions and the engine's documents"),
    text("result_sha256", comment="hex, over the canonical JSON of all its rows"),
    info=OWNED,
)

window_before = Table(
    "window_before",
    metadata,
    customer_key(),
    uid("connection_id", primary_key=True),
    Column("entry", BigInteger, Identity(always=True), primary_key=True),
    text("stream"),
    Column("first_day", Date, nullable=False),
    text("source"),
    Column("kinds", ARRAY(Text), nullable=False),
    Column("covered", DATEMULTIRANGE, nullable=False),
    instant("completed_at", comment="business time"),
    instant("replaced_at", server_default=sql("clock_timestamp()"), comment="real time"),
    info=OWNED,
)
"""Written by a trigger when a window is set anew: what was complete at an instant stays told."""
