"""Who: customers, the parties behind them, which of them are one, the clients that may see them, their data keys."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, LargeBinary, Table
from sqlalchemy import text as sql

from hub.store.metadata import customer_key, instant, metadata, text, uid
from hub.store.tables.columns import OWNED

customer = Table(
    "customer",
    metadata,
    customer_key(),
    text("kind", comment="ORG or PERSON"),
    text("name_masked"),
    text("uscc", nullable=True),
    text("subject_hash", comment="keyed hash of the USCC or resident ID: the join key across platforms"),
    instant("created_at"),
    Column(
        "erased_on",
        Date,
        nullable=True,
        comment="the day on which the subject was erased: its key is destroyed, the rest goes within the day",
    ),
    text("category", nullable=True, comment="as it was said; null: by kind and code"),
    text("claim_hash", nullable=True, comment="keyed hash of all that its maker had to know; null: by a version that did not keep it"),
    Index("ix_customer_erased", "erased_on", postgresql_where=sql("erased_on IS NOT NULL")),
    # What two clients say of one subject may differ: then they are two customers (ADR 31).
    Index("ix_customer_subject", "subject_hash"),
    Index("uq_customer_claim", "claim_hash", unique=True),
    info=OWNED,
)

party = Table(
    "party",
    metadata,
    customer_key(),
    uid("party_id", primary_key=True),
    text("role", comment="SUBJECT, OPERATOR, LEGAL_REP, CONTROLLER, SPOUSE or GUARANTOR"),
    text("name_masked"),
    text("id_hash"),
    text("id_masked"),
    Column("birth_on", Date, nullable=True),
    Column("identity", LargeBinary, nullable=False, comment="sealed {name, identifier}"),
    Column("valid_from", Date, nullable=True, comment="first day in the role; null: not told"),
    Column("valid_to", Date, nullable=True, comment="first day no longer in the role; null: none so far"),
    instant("added_at", nullable=True, comment="business time at which it was told; null: when the customer was made known"),
    instant("ended_at", nullable=True, comment="business time at which the end was told"),
    info=OWNED,
)

customer_merge = Table(
    "customer_merge",
    metadata,
    customer_key(),
    uid("into_id", comment="the customer that answers for this one, for whoever sees both"),
    instant("merged_at", comment="business time"),
    Index("ix_customer_merge_into", "into_id"),
    info=OWNED,
)
"""Customers that are one and the same. No row moves: a merge is this row, a split deletes it (ADR 32)."""

identity_event = Table(
    "identity_event",
    metadata,
    customer_key(),
    uid("event_id", primary_key=True),
    text("kind", comment="PARTY_ADDED, PARTY_ENDED, MERGED or SPLIT"),
    uid("other_id", nullable=True, comment="the surviving customer of a merge or split"),
    uid("party_id", nullable=True),
    text("actor", comment="client that did it"),
    text("reason", nullable=True),
    instant("at", comment="business time"),
    Index("ix_identity_event_newest", "event_id"),
    info=OWNED,
)
"""Who changed who a customer is, when, why and how. A merge is told under the customer that was merged: whoever sees the other one alone learns nothing."""

customer_client = Table(
    "customer_client",
    metadata,
    customer_key(),
    text("client_id", primary_key=True, comment="a client that may see this customer"),
    info=OWNED,
)

data_key = Table(
    "data_key",
    metadata,
    customer_key(),
    uid("key_id", primary_key=True),
    Column("wrapped", LargeBinary, nullable=True, comment="null once destroyed: what it sealed is unreadable for good"),
    text("kek_id"),
    instant("created_at"),
    instant("destroyed_at", nullable=True),
    info=OWNED,
)
