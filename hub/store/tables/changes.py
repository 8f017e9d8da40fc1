"""That something of a customer changed: a row in the transaction that changes it, written by triggers, so that nobody can forget it.

What it says is thin: what kind of thing, of what, when. ``xid`` is the transaction's: whoever was told everything up to a snapshot asks for what that snapshot did
not see, and gets each change once, in whatever order transactions commit.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Identity, Index, Table
from sqlalchemy import text as sql

from hub.store.metadata import customer_key, instant, metadata, text
from hub.store.tables.columns import OWNED

profile_change = Table(
    "profile_change",
    metadata,
    customer_key(),
    Column("change_id", BigInteger, Identity(always=True), primary_key=True),
    text("kind", comment="FACTS, EVALUATION, CONSENT, PARTIES or IDENTITY"),
    text("of", comment="the connector, the scenario, the kind of source, or what happened"),
    text("purpose", nullable=True, comment="of the consent; null: whatever the purpose"),
    instant("known_at", comment="read as of this instant, it is there"),
    instant("at", server_default=sql("clock_timestamp()")),
    Column("xid", BigInteger, nullable=False, server_default=sql("pg_current_xact_id()::text::bigint")),
    Index("ix_profile_change_at", "at"),
    info=OWNED,
)
