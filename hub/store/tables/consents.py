"""By which consent: consents with their history, link sessions, authorisation attempts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, Boolean, Column, Date, Index, Integer, LargeBinary, Table, Text
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB

from hub.store.metadata import customer_key, document, instant, metadata, text, uid
from hub.store.tables.columns import OWNED, texts


def _one(name: str, which: str) -> Index:
    """At most one such consent for a source and a use: one that is asked for may stand beside the one it shall replace."""
    key = ("customer_id", "source", "grantee", "purpose")
    return Index(name, *key, unique=True, postgresql_where=sql(which))


def _by_default(name: str, value: str, comment: str) -> Column[Any]:
    return Column(name, Text, nullable=False, server_default=sql(f"'{value}'"), comment=comment)


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
    Column("kinds", ARRAY(Text), nullable=True, comment="kinds of fact; null: asked before they were named, every kind of its source"),
    _by_default("mode", "STORE", "VIEW, STORE, QUERY or STREAM"),
    _by_default("fetch_type", "PERIODIC", "ONETIME or PERIODIC"),
    Column("fetches_per_day", Integer, nullable=True, comment="how often a day its data may be fetched; null: as often as needed"),
    Column("offer", JSONB, nullable=True, comment="what the text named that was shown: scenarios, and the day it was made for"),
    uid("supersedes", nullable=True, comment="the consent that ends when this one is given"),
    instant("narrowed_at", nullable=True, comment="business time at which it last became narrower"),
    texts("apps", comment="clients of partner apps that the grantee may hand the data to, as consent_app says"),
    _one("uq_consent_asked", "status = 'PENDING'"),
    _one("uq_consent_given", "status IN ('ACTIVE', 'PAUSED')"),
    # Row-level security knows no grantee. To enter an index that names one before the purpose takes longer, and it is entered for each row of a fact.
    Index("ix_consent_active", "customer_id", "source", "purpose", postgresql_where=sql("status = 'ACTIVE'")),
    Index("ix_consent_ends", "expires_at", postgresql_where=sql("status IN ('PENDING', 'ACTIVE', 'PAUSED')")),
    info=OWNED,
)

consent_app = Table(
    "consent_app",
    metadata,
    customer_key(),
    uid("consent_id", primary_key=True),
    text("client_id", primary_key=True),
    instant("given_at", primary_key=True),
    instant("ended_at", nullable=True, comment="business time at which the app alone lost it; with its consent it ends anyway"),
    text("text_version"),
    text("text_hash", comment="hex SHA-256 of the text shown, which names the app"),
    document("evidence"),
    Index("uq_consent_app_standing", "customer_id", "consent_id", "client_id", unique=True, postgresql_where=sql("ended_at IS NULL")),
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
    text("step", nullable=True, comment="what happened, as ConsentStep; null: by a version that told states only"),
    Column("changes", JSONB, nullable=False, server_default=sql("'{}'"), comment="column -> [what was, what became]"),
    Index("uq_consent_event_soon", "customer_id", "consent_id", unique=True, postgresql_where=sql("step = 'ENDS_SOON'")),
    info=OWNED,
)

consent_fetch = Table(
    "consent_fetch",
    metadata,
    customer_key(),
    uid("consent_id", primary_key=True),
    Column("day", Date, primary_key=True, comment="business day in China Standard Time"),
    Column("times", Integer, nullable=False, comment="fetches that began on it"),
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
    uid("from_link", nullable=True, comment="of a MANAGE session that a link's browser opened: the link"),
    instant("own_at", nullable=True, comment="when it was first shown to be the customer's own (database time)"),
    Index("uq_link_session_browser", "browser_hash", unique=True, postgresql_where=sql("browser_hash IS NOT NULL")),
    info=OWNED,
)

refusal = Table(
    "refusal",
    metadata,
    customer_key(),
    uid("refusal_id", primary_key=True),
    text("source"),
    text("grantee"),
    text("purpose"),
    text("client_id", comment="the client that asked, or passed on what the customer said"),
    text("app", nullable=True, comment="the app that alone is not to ask; null: nobody is"),
    instant("refused_at", comment="business time"),
    instant("again_at", comment="business time from which on it may be asked for"),
    instant("lifted_at", nullable=True, comment="business time at which the customer gave it after all"),
    Index("ix_refusal_refused", "refused_at"),
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
