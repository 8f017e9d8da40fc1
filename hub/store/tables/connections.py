"""Connected and fetched: connections, credentials, runs, windows, what went wrong on the way, raw pages, quarantine."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Float, Identity, Index, Integer, LargeBinary, Table
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
    text(
        "holder_hash",
        nullable=True,
        comment="keyed hash of who authorised, in the platform's words: equal ones of a connector are one account",
    ),
    Column("epoch", BigInteger, nullable=False, server_default=sql("0")),
    instant("lease_until", nullable=True),
    instant("due_at", nullable=True, comment="database time at which the next sync is due; null: not scheduled"),
    text("last_verdict", nullable=True),
    text("last_fault", nullable=True, comment="class of the fault that ended the last run"),
    text("last_fault_detail", nullable=True, comment="what the fault said; never a value"),
    Column("failures", Integer, nullable=False, server_default=sql("0"), comment="runs in a row that failed or did not come to their end"),
    instant("created_at"),
    instant(
        "grant_expires_at",
        nullable=True,
        comment="when the customer must authorise again at the latest; null: the platform sets no such day",
    ),
    instant("ended_at", nullable=True, comment="database time of the disconnection"),
    text("ended_reason", nullable=True, comment="REQUESTED or CONSENT_ENDED"),
    instant("told_end", nullable=True, comment="the grant_expires_at that was told of"),
    Column("told_days", Integer, nullable=True, comment="and how many days before it at most"),
    uid("holder_link", nullable=True, comment="the link on which somebody logged in last"),
    Column("holder_epoch", BigInteger, nullable=True, comment="what runs of a later epoch brought is of the account that logged in then"),
    Index("uq_connection_connector", "customer_id", "connector", unique=True),
    Index("ix_connection_account", "connector", "account_hash", postgresql_where=sql("account_hash IS NOT NULL")),
    Index("ix_connection_holder", "connector", "holder_hash", postgresql_where=sql("holder_hash IS NOT NULL")),
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
    Column("previous", LargeBinary, nullable=True, comment="sealed Grant before this one, kept until this one has worked once"),
    instant("refresh_at", nullable=True, comment="from when on a run refreshes before it calls"),
    instant("refresh_expires_at", nullable=True, comment="end of the refresh token, where the platform tells it"),
    instant("keep_alive_at", nullable=True, comment="from when on a worker refreshes, whether or not anything is synced"),
    Column("interrupted", Integer, nullable=False, server_default=sql("0"), comment="exchanges in a row that died with their process"),
    Column("failures", Integer, nullable=False, server_default=sql("0"), comment="exchanges in a row that gave no answer"),
    text("reason", nullable=True, comment="why it is unknown or must be authorised again; never a value"),
    Index("ix_credential_keep_alive", "keep_alive_at", postgresql_where=sql("keep_alive_at IS NOT NULL")),
    info=OWNED,
)

revocation = Table(
    "revocation",
    metadata,
    customer_key(),
    uid("revocation_id", primary_key=True),
    uid("connection_id"),
    text("connector"),
    text("reason", comment="as the connection's ended_reason"),
    text("state", comment="DUE, DONE, GAVE_UP or SUPERSEDED (the customer has authorised anew)"),
    Column("sealed", LargeBinary, nullable=True, comment="sealed Grant; gone with the end, whatever the platform answered"),
    Column("attempts", Integer, nullable=False, server_default=sql("0")),
    instant("due_at"),
    text("answer", nullable=True, comment="what the platform said last; never a value"),
    instant("asked_at"),
    instant("ended_at", nullable=True),
    Index("ix_revocation_due", "due_at", postgresql_where=sql("state = 'DUE'")),
    info=OWNED,
)

sync_run = Table(
    "sync_run",
    metadata,
    customer_key(),
    uid("run_id", primary_key=True),
    uid("connection_id"),
    Column("epoch", BigInteger, nullable=False),
    text("kind", server_default=sql("'SYNC'"), comment="SYNC, BACKFILL or REPLAY"),
    uid("batch_id", nullable=True, comment="the backfill or replay that this run is a part of"),
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
    Index("ix_sync_run_newest", "run_id"),
    info=OWNED,
)


def _windows(name: str) -> Table:
    """The state of windows: one row per stream and partition (its first day)."""
    return Table(
        name,
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
        text("scope_hash", nullable=True, comment="what was asked: another scope is read anew; null: by a version that did not say"),
        Column(
            "repeated", BigInteger, nullable=False, server_default=sql("0"), comment="fetched records that came before in the same pass"
        ),
        Column(
            "moved",
            Boolean,
            nullable=False,
            server_default=sql("false"),
            comment="its list changed while it was read: the pass proves nothing",
        ),
        Column("keys_print", BigInteger, nullable=True, comment="of the last pass of several pages: which keys it brought"),
        Column("passes", Integer, nullable=False, server_default=sql("1"), comment="how often it was read in a row because its list moved"),
        Column("proven_from", BigInteger, nullable=True, comment="serial of the first page of the last proven full pass"),
        info=OWNED,
    )


sync_window = _windows("sync_window")
backfill_window = _windows("backfill_window")
"""Windows that were asked for apart from the timetable: the live ones, their cursors and their verdict do not know of them."""

sync_event = Table(
    "sync_event",
    metadata,
    customer_key(),
    uid("event_id", primary_key=True),
    uid("connection_id"),
    uid("run_id"),
    instant("at", comment="database time"),
    text("kind", comment="ATTEMPT (one that failed; one that was answered is a raw page), WAIT or PARK"),
    text("stream", nullable=True),
    Column("first_day", Date, nullable=True),
    text("fault", nullable=True, comment="class of the fault"),
    text("detail", nullable=True, comment="what the fault said; never a value"),
    Column("status", Integer, nullable=True, comment="HTTP status; null: no answer"),
    Column("repeated", Boolean, nullable=False, server_default=sql("false")),
    Column("seconds", Float, nullable=True, comment="how long the run pauses then"),
    instant("until", nullable=True),
    text("interaction", nullable=True),
    Index("ix_sync_event_run", "customer_id", "run_id", "event_id"),
    Index("ix_sync_event_at", "at"),
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
    Column("body", LargeBinary, nullable=False, comment="sealed, zstd-compressed bytes; empty once an item on it was erased"),
    Column("serial", BigInteger, Identity(), nullable=False, comment="order of commit within a connection: pages are folded in this order"),
    Column(
        "life_ends_on",
        Date,
        nullable=True,
        comment="the day on which its data life is over; null: the consent says how long that is after it was fetched",
    ),
    Column("life_days", Integer, nullable=True, comment="how long that was when it was written: a consent may shorten it later"),
    # Without the customer: else PostgreSQL, while the table is small, takes this one to look whether the page of a fact is there, and reads all the customer's.
    Index("ix_raw_page_serial", "connection_id", "serial"),
    Index("ix_raw_page_life", "life_ends_on"),
    Index("ix_raw_page_consent", "consent_id"),
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
