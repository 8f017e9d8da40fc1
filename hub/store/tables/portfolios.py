"""Portfolios that are pre-screened: what was asked, how far it is, what it counted, and what came of each customer."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Index, Integer, SmallInteger, Table
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import UUID

from hub.store.metadata import customer_key, document, instant, metadata, text, uid
from hub.store.tables.columns import OWNED, amount, count, rate, texts

portfolio_screening = Table(
    "portfolio_screening",
    metadata,
    uid("screening_id", primary_key=True),
    text("portfolio_id"),
    text("version"),
    text("sha256"),
    document("document"),
    text("purpose", comment="of the consents it reads under"),
    Column("as_of", Date, nullable=False),
    instant("known_at"),
    text("author", comment="client, or operator"),
    instant("created_at"),
    instant("ended_at", nullable=True, comment="when every customer had been come to; null: it goes on"),
    count("customers"),
    count("come_to"),
)

portfolio_part = Table(
    "portfolio_part",
    metadata,
    uid("screening_id", primary_key=True),
    Column("part", SmallInteger, primary_key=True, autoincrement=False),
    uid("last", comment="the part's last customer, in the order of ids"),
    Column("after", UUID(as_uuid=True), nullable=True, comment="behind this customer it goes on"),
    Column("done", Boolean, nullable=False, server_default=sql("false")),
)
"""A part is worked on by one worker at a time, and its results, counts and place are written in one transaction."""

portfolio_count = Table(
    "portfolio_count",
    metadata,
    uid("screening_id", primary_key=True),
    text(
        "axis",
        primary_key=True,
        comment="ALL, CUSTOMER_TYPE, CLUSTER, INDUSTRY, REGION, SIZE, TIER, SCENARIO, or LEFT: why there is no result",
    ),
    text("value", primary_key=True, comment="empty: nobody can tell"),
    text("outcome", primary_key=True, comment="an outcome, BELOW_FLOOR, or empty where there is no result"),
    count("customers"),
    amount("limits"),
)

portfolio_result = Table(
    "portfolio_result",
    metadata,
    customer_key(),
    uid("screening_id", primary_key=True),
    uid("result_id"),
    text("purpose", comment="of the consents it was read under"),
    instant("known_at"),
    text("scenario", comment="the one that gives most"),
    text("outcome"),
    text("tier", nullable=True),
    Column("below_floor", Boolean, nullable=False),
    amount("offered_limit"),
    rate("rate"),
    rate("all_in_cost", comment="rate and fees a year, simple"),
    Column("term_months", Integer, nullable=True),
    texts("reasons"),
    text("customer_type", nullable=True),
    text("size_class", nullable=True),
    text("industry_code", nullable=True),
    text("region", nullable=True),
    texts("sources"),
    Index("ix_portfolio_result_screening", "screening_id", "result_id"),
    info=OWNED,
)
