"""Tombstones: what was erased, why, and that it was due."""

from __future__ import annotations

from sqlalchemy import ARRAY, Column, Date, Index, Table
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import UUID

from hub.store.metadata import customer_key, document, instant, metadata, text, uid
from hub.store.tables.columns import OWNED, texts

_IDS = ARRAY(UUID(as_uuid=True))

tombstone = Table(
    "tombstone",
    metadata,
    customer_key(),
    uid("tombstone_id", primary_key=True),
    text("reason", comment="CONSENT_REVOKED, CONSENT_EXPIRED, LIFE_ENDED, ITEM_ENDED, INPUTS_ENDED or SUBJECT_ERASED"),
    uid("consent_id", nullable=True, comment="under which it was fetched"),
    Column("due_on", Date, nullable=False),
    Column("done_on", Date, nullable=False, comment="business day"),
    instant("done_at", server_default=sql("clock_timestamp()")),
    texts("kinds"),
    document("rows", comment="table -> number of rows that are gone"),
    Column(
        "pages", _IDS, nullable=False, server_default=sql("'{}'"), comment="pages that are gone, with their facts where no facts are named"
    ),
    Column("facts", _IDS, nullable=True, comment="facts that are gone, where not all of their pages are"),
    Column("bodies", _IDS, nullable=False, server_default=sql("'{}'"), comment="pages whose text is gone"),
    Column("evaluations", _IDS, nullable=False, server_default=sql("'{}'"), comment="evaluations whose inputs are gone"),
    text("pages_sha256", comment="hex SHA-256 over the SHA-256 of the pages and bodies that are gone, sorted, one per line"),
    text("note", nullable=True, comment="who asked for it, and why; nothing personal"),
    text(
        "xact", server_default=sql("(pg_current_xact_id())::text"), comment="the transaction that erased: what it deletes, this row names"
    ),
    Index("ix_tombstone_xact", "xact"),
    Index("ix_tombstone_consent", "customer_id", "consent_id"),
    info=OWNED,
)
