"""The tables of facts, derived from their declarations (design, idea 3).

Each has the same envelope before its own columns. A fact is never overwritten: a change closes the old version (``known_to``) and adds
a new one, so every read can take ``(as_of, known_at)``. The view ``fact`` unites the envelopes of all kinds: the walk from a number
to its evidence goes through it.

Two laws hold in the database as well. Of a fact only its end can be written (the right to update is one to ``known_to``). And it names a page that is there:
pages are append-only, so it is enough to look when facts come, once per statement (:data:`PAGE_LAW`); a foreign key would look once per row, which is a
quarter of the time that a page takes.
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
    FieldType.PARTY: Text(),
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
    """Names of the columns a field is stored in: a personal one as keyed hash and masked form. A party's number stands in the first, a natural person's as keyed hash;
    only that one has a masked form."""
    if field.kind is FieldType.PARTY:
        return [field.name, f"{field.name}_masked"]
    return [f"{field.name}_hash", f"{field.name}_masked"] if field.kind is FieldType.PERSONAL else [field.name]


def _columns(field: FieldSpec) -> list[Column[Any]]:
    kind = Text() if field.kind is FieldType.PERSONAL else _TYPES[field.kind]
    optional = {f"{field.name}_masked"} if field.kind is FieldType.PARTY else set()
    return [Column(name, kind, nullable=field.nullable or name in optional, comment=field.doc) for name in columns_of(field)]


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
        Index(f"uq_{spec.table}_version", "customer_id", "connection_id", "source_key", "version", unique=True),
        Index(f"uq_{spec.table}_live", "customer_id", "connection_id", "source_key", unique=True, postgresql_where=sql("known_to IS NULL")),
        Index(f"ix_{spec.table}_occurred", "customer_id", "occurred_on"),
        comment=spec.doc,
        info={"owner": "customer", "fact": spec},
    )


PAGE_LAW = """
BEGIN
    PERFORM 1 FROM (SELECT DISTINCT customer_id, page_id FROM added) a
    WHERE NOT EXISTS (SELECT 1 FROM public.raw_page p WHERE p.customer_id = a.customer_id AND p.page_id = a.page_id OFFSET 0);
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'foreign_key_violation', MESSAGE = 'a fact names a page that is not there', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END
"""
"""The body of ``fact_names_its_page()``, which the trigger of that name on each of these tables calls after an insert. The page is looked for in the hub's own
schema: a temporary table of its name must not stand for it. ``OFFSET 0`` has it looked up: while pages were few, PostgreSQL would rather read all of them."""

FACT_TABLES: dict[str, Table] = {spec.name: _fact_table(spec) for spec in all_specs()}
