"""An evaluation as canonical JSON: all its rows, in one order and one spelling, whether they are about to be written or come back from the store.

What the store adds (ids, when it was made, what it replaced) is left out: the same inputs give the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, Column, Numeric, Table

from hub.store import tables

ORDER = (
    tables.evaluation,
    tables.reason_text,
    tables.limit_part,
    tables.check_result,
    tables.score_point,
    tables.feature_value,
    tables.feature_evidence,
    tables.series_month,
    tables.evaluation_profile,
    tables.model_result,
    tables.evaluation_hint,
)
ADDED = frozenset({"evaluation_id", "created_at", "supersedes", "inputs_digest", "inputs_erased_on", "use_purpose", "what_if"})
LATER = frozenset({"all_in_cost", "lacking", "clusters", "clusters_undecided", "products"})
"""Columns that evaluations of the form before do not have: null there, and not spelled at all, so that they keep the bytes they had."""
Rows = Mapping[Table, Iterable[Mapping[str, Any]]]
Document = list[dict[str, Any]]


def document_of(rows: Rows) -> Document:
    """The tables in their order, the rows by their keys."""
    return [{"table": str(table.name), "rows": sorted(_rows(table, rows.get(table, ())), key=_key(table))} for table in ORDER]


def canonical(document: Document) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def sha256_of(rows: Rows) -> str:
    """Hex SHA-256 over the canonical JSON."""
    return hashlib.sha256(canonical(document_of(rows))).hexdigest()


def first_difference(before: Document, after: Document) -> tuple[str, Any, Any] | None:
    """Where two documents part, what was there and what is; None where they do not."""
    for was, now in zip(before, after, strict=True):
        known = {_name(was["table"], row): row for row in was["rows"]}
        found = {_name(now["table"], row): row for row in now["rows"]}
        for name in [*known, *(one for one in found if one not in known)]:
            if known.get(name) != found.get(name):
                return _member(name, known.get(name), found.get(name))
    return None


def _member(name: str, was: Any, now: Any) -> tuple[str, Any, Any]:
    """The first member that differs, as deep as both are objects or lists of one length."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted(was.keys() | now.keys()):
            if was.get(key) != now.get(key):
                return _member(f"{name}.{key}", was.get(key), now.get(key))
    if isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for place, (one, other) in enumerate(zip(was, now, strict=True)):
            if one != other:
                return _member(f"{name}[{place}]", one, other)
    return name, was, now


def _keys(table: Table) -> list[str]:
    return [str(one.name) for one in table.primary_key if one.name not in ("customer_id", "evaluation_id")]


def _key(table: Table) -> Any:
    names = _keys(table)
    return lambda row: [row[name] for name in names]


def _name(table: str, row: Mapping[str, Any]) -> str:
    keys = [str(row[name]) for name in _keys(tables.evaluation.metadata.tables[table])]
    return f"{table} {'/'.join(keys)}" if keys else table


def _rows(table: Table, rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    shown = [one for one in table.columns if one.name not in ADDED]
    return ({str(one.name): _plain(one, row.get(one.name)) for one in shown if not _before(one, row)} for row in rows)


def _before(column: Column[Any], row: Mapping[str, Any]) -> bool:
    return column.name in LATER and row.get(column.name) is None


def _plain(column: Column[Any], value: Any) -> Any:
    """As it is after a way through the store."""
    if value is None:
        return [] if isinstance(column.type, ARRAY) else None
    if isinstance(column.type, Numeric):
        return _number(Decimal(value), column.type.scale)
    return _spelled(value)


def _number(value: Decimal, scale: int | None) -> str:
    """PostgreSQL rounds a column's digits half away from zero, and so does this."""
    if scale is not None:
        value = value.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
    return f"{value.normalize() + 0:f}" if value else "0"


def _spelled(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date() | UUID():
            return str(value)
        case dict():
            return {str(_spelled(name)): _spelled(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_spelled(inner) for inner in value]
        case str():
            return str(value)
    return value
