"""By which consent: consents with their history, link sessions, authorisation attempts."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Index, Integer, LargeBinary, Table
from sqlalchemy import text as sql

from hub.store.metadata import customer_key, document, instant, metadata, text, uid
from hub.store.tables.columns import OWNED, texts

consent = Table(
    "consent",
    metadata,
    customer_key(),
    uid("consent_id", primary_key=True),
    text("source"),
    text("connector"),
    text("grantee"),
    text("purpose"),
    texts("scenarios"),
    Column("data_from", Date, nullable=False),
    Column("data_to", Date, nullable=False),
    text("status"),
    instant("starts_at", nullable=True),
    instant("expires_at", nullable=True),
    Column("data_life_days", Integer, nullable=False),
    Column("written", Boolean, nullable=False),
    Column("adverse_notice", Boolean, nullable=False),
    text("text_version"),
    text("text_hash", comment="hex SHA-256 of the consent text shown"),
    document("evidence"),
    instant("changed_at"),
    Index(
        "uq_consent_source",
        "customer_id",
        "source",
        "grantee",
        "purpose",
        unique=True,
        postgresql_where=sql("status IN ('PENDING', 'ACTIVE', 'PAUSED')"),
    ),
    info=OWNED,
)

consent_event = Table(
    "consent_event",
    metadata,
    customer_key(),
    uid("event_id", primary_key=True),
    uid("consent_id"),
    text("from_status", nullable=True),
    text("to_status"),
    text("actor"),
    instant("at"),
    info=OWNED,
)

link_session = Table(
    "link_session",
    metadata,
    customer_key(),
    uid("link_id", primary_key=True),
    text("token_hash", unique=True),
    text("client_id"),
    text("grantee"),
    text("purpose"),
    texts("scenarios"),
    text("return_url"),
    text("browser_hash", nullable=True, comment="bound to the first browser that opens it"),
    text("status", comment="OPEN, DONE or EXPIRED"),
    instant("expires_at"),
    instant("created_at"),
    text("kind", server_default=sql("'LINK'"), comment="LINK (asks) or MANAGE (shows and withdraws)"),
    texts("sources"),
    Index("uq_link_session_browser", "browser_hash", unique=True, postgresql_where=sql("browser_hash IS NOT NULL")),
    info=OWNED,
)

authorisation_attempt = Table(
    "authorisation_attempt",
    metadata,
    customer_key(),
    text("state_hash", primary_key=True),
    uid("link_id"),
    uid("connection_id"),
    Column("verifier", LargeBinary, nullable=False, comment="sealed PKCE verifier"),
    instant("expires_at"),
    instant("used_at", nullable=True),
    Index("uq_authorisation_attempt_state", "state_hash", unique=True),
    info=OWNED,
)
