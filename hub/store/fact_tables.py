"""The tables of facts, derived from their declarations (design, idea 3).

Each has the same envelope before its own columns. A fact is never overwritten: a change closes the old version (``known_to``) and adds
a new one, so every read can take ``(as_of, known_at)``. The view ``fact`` unites the envelopes of all kinds: the walk from a number
to its evidence goes through it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    String,
    Table,
    Text,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB, UUID

from hub.domain.facts import FactSpec, FieldSpec, FieldType, all_specs
from hub.store.metadata import customer_key, instant, metadata, text, uid

ENVELOPE = (
    "customer_id",
    "fact_id",
    "source_key",
    "version",
    "supersedes",
    "occurred_on",
    "known_from",
    "known_to",
    "connection_id",
    "consent_id",
    "page_id",
    "position",
    "content_hash",
)

_TYPES: dict[FieldType, Any] = {
    FieldType.TEXT: Text(),
    FieldType.INT: BigInteger(),
    FieldType.MONEY: Numeric(18, 2),
    FieldType.NUMBER: Numeric(18, 6),
    FieldType.COORDINATE: Double(),
    FieldType.DATE: Date(),
    FieldType.INSTANT: DateTime(timezone=True),
    FieldType.MONTH: String(7),
    FieldType.BOOL: Boolean(),
    FieldType.ENUM: Text(),
    FieldType.LINES: JSONB(),
}


def columns_of(field: FieldSpec) -> list[str]:
    """Names of the columns a field is stored in: a personal one as keyed hash and masked form."""
    return [f"{field.name}_hash", f"{field.name}_masked"] if field.kind is FieldType.PERSONAL else [field.name]


def _columns(field: FieldSpec) -> list[Column[Any]]:
    kind = Text() if field.kind is FieldType.PERSONAL else _TYPES[field.kind]
    return [Column(name, kind, nullable=field.nullable, comment=field.doc) for name in columns_of(field)]


def _fact_table(spec: FactSpec) -> Table:
    return Table(
        spec.table,
        metadata,
        customer_key(),
        uid("fact_id", primary_key=True),
        text("source_key"),
        Column("version", Integer, nullable=False),
        Column("supersedes", UUID(as_uuid=True), nullable=True),
        Column("occurred_on", Date, nullable=True),
        instant("known_from"),
        instant("known_to", nullable=True),
        uid("connection_id"),
        uid("consent_id"),
        uid("page_id"),
        Column("position", Integer, nullable=False),
        Column("content_hash", LargeBinary, nullable=False),
        *[column for field in spec.fields for column in _columns(field)],
        ForeignKeyConstraint(["customer_id", "page_id"], ["raw_page.customer_id", "raw_page.page_id"]),
        Index(f"uq_{spec.table}_version", "customer_id", "connection_id", "source_key", "version", unique=True),
        Index(f"uq_{spec.table}_live", "customer_id", "connection_id", "source_key", unique=True, postgresql_where=sql("known_to IS NULL")),
        Index(f"ix_{spec.table}_occurred", "customer_id", "occurred_on"),
        comment=spec.doc,
        info={"owner": "customer", "fact": spec},
    )


FACT_TABLES: dict[str, Table] = {spec.name: _fact_table(spec) for spec in all_specs()}
