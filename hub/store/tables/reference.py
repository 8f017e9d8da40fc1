"""What the lender knows or has configured, and the relationship graph: dated, versioned, never overwritten."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Date, Index, Integer, Numeric, Table

from hub.store.metadata import customer_key, document, instant, metadata, text, uid
from hub.store.tables.columns import OWNED

reference_version = Table(
    "reference_version",
    metadata,
    text("name", primary_key=True, comment="which document, for example margin_bands"),
    Column("version", Integer, primary_key=True, comment="1 for the first"),
    text("sha256", comment="hex, over its canonical JSON"),
    text("source", comment="where the lender has it from"),
    Column("effective_from", Date, nullable=False),
    Column("effective_to", Date, nullable=True, comment="last day; null: until another one is in effect"),
    document("document"),
    instant("loaded_at", comment="business time: it is known from then on"),
    text("loaded_by", comment="client, or operator"),
)


def _edge(*more: Any) -> list[Any]:
    return [
        uid("edge_id", primary_key=True),
        text("from_uscc"),
        text("to_uscc", nullable=True, comment="null for NONE alone: the business was looked at, and nothing was found"),
        text("type", comment="a RelationType"),
        Column("weight", Numeric(9, 4), nullable=True, comment="share held, of SHAREHOLDING"),
        Column("valid_from", Date, nullable=True, comment="first day; null: not told"),
        Column("valid_to", Date, nullable=True, comment="last day; null: none so far"),
        text("evidence", nullable=True, comment="what it was found by, in the lender's words"),
        text("source", comment="where the lender has it from"),
        instant("known_from", comment="business time"),
        instant("known_to", nullable=True, comment="a newer version replaced it, or it was taken back"),
        text("loaded_by"),
        *more,
    ]


relation = Table("relation", metadata, *_edge(Index("ix_relation_from", "from_uscc"), Index("ix_relation_to", "to_uscc")))
"""The lender's whole graph, whoever is a customer. Nothing that a client's transaction sees: admins who may load it page through it by the hub's."""

customer_relation = Table("customer_relation", metadata, customer_key(), *_edge(Index("ix_customer_relation_edge", "edge_id")), info=OWNED)
"""The edges that touch a customer, with the customer: what evaluations and clients read."""
