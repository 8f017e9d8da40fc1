"""Who: customers, the parties behind them, the clients that may see them, their data keys."""

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
    Index("ix_customer_erased", "erased_on", postgresql_where=sql("erased_on IS NOT NULL")),
    Index("uq_customer_subject", "subject_hash", unique=True),
    info=OWNED,
)

party = Table(
    "party",
    metadata,
    customer_key(),
    uid("party_id", primary_key=True),
    text("role", comment="SUBJECT, OPERATOR or LEGAL_REP"),
    text("name_masked"),
    text("id_hash"),
    text("id_masked"),
    Column("birth_on", Date, nullable=True),
    Column("identity", LargeBinary, nullable=False, comment="sealed {name, identifier}"),
    info=OWNED,
)

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
