"""Writes facts: same key and same content is nothing new, same key and other content closes the old version and adds the next.

A page's facts of one kind cost two statements: what lives under these keys, and one insert from arrays. (COPY would be faster still, but PostgreSQL does
not let it write to a table with row-level security.)
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy.dialects import postgresql

from hub.connect import Unreadable
from hub.domain.facts import FactSpec, FieldType, spec_of
from hub.domain.identifiers import CustomerId, mask, new_id
from hub.store.database import Write
from hub.store.fact_tables import FACT_TABLES, columns_of
from hub.vault import Blind

LONGEST_KEY = 500
"""Characters. An index entry of PostgreSQL holds 2,704 bytes."""


@dataclass(frozen=True, slots=True)
class PageScope:
    """Where facts come from."""

    customer_id: CustomerId
    connection_id: UUID
    consent_id: UUID
    page_id: UUID
    known_from: datetime


class Counts(NamedTuple):
    """How many records of a page were new or changed, and how many were known already."""

    stored: int
    unchanged: int


class _Row(NamedTuple):
    position: int
    source_key: str
    content_hash: bytes
    occurred_on: date | None
    values: tuple[Any, ...]


class _Live(NamedTuple):
    fact_id: UUID
    version: int
    content_hash: bytes


async def write_facts(tx: Write, scope: PageScope, facts: Iterable[tuple[int, object]], blind: Blind) -> Counts:
    """Writes ``(position in the page, fact)`` pairs. Counts records: a record is stored when any fact of it was new or changed."""
    kinds: dict[FactSpec, dict[str, _Row]] = defaultdict(dict)
    positions: set[int] = set()
    for position, fact in facts:
        spec = spec_of(type(fact))
        row = _row(spec, position, fact, blind)
        positions.add(position)
        kinds[spec][row.source_key] = row
    changed: set[int] = set()
    for spec, rows in kinds.items():
        changed |= await _write_kind(tx, scope, spec, rows)
    return Counts(len(changed), len(positions - changed))


async def _write_kind(tx: Write, scope: PageScope, spec: FactSpec, rows: dict[str, _Row]) -> set[int]:
    live = await _live(tx, scope, spec, list(rows))
    new = [row for key, row in rows.items() if key not in live or live[key].content_hash != row.content_hash]
    stale = [live[row.source_key].fact_id for row in new if row.source_key in live]
    if stale:
        close = f"UPDATE {spec.table} SET known_to = %s WHERE customer_id = %s AND fact_id = ANY(%s)"  # noqa: S608
        await tx.exec_driver_sql(close, (scope.known_from, scope.customer_id, stale))
    if new:
        await tx.exec_driver_sql(_insert_sql(spec), _arrays(scope, new, live))
    return {row.position for row in new}


async def _live(tx: Write, scope: PageScope, spec: FactSpec, keys: list[str]) -> dict[str, _Live]:
    statement = (
        f"SELECT source_key, fact_id, version, content_hash FROM {spec.table} "  # noqa: S608
        "WHERE customer_id = %s AND connection_id = %s AND source_key = ANY(%s) AND known_to IS NULL"
    )
    found = await tx.exec_driver_sql(statement, (scope.customer_id, scope.connection_id, keys))
    return {row.source_key: _Live(row.fact_id, row.version, bytes(row.content_hash)) for row in found}


def _arrays(scope: PageScope, rows: Sequence[_Row], live: dict[str, _Live]) -> tuple[Any, ...]:
    """The insert's parameters: what all rows share, then one array per column."""
    before = [live.get(row.source_key) for row in rows]
    envelope = [
        [new_id() for _ in rows],
        [row.source_key for row in rows],
        [(old.version + 1) if old else 1 for old in before],
        [old.fact_id if old else None for old in before],
        [row.occurred_on for row in rows],
        [row.position for row in rows],
        [row.content_hash for row in rows],
    ]
    shared = (scope.customer_id, scope.known_from, scope.connection_id, scope.consent_id, scope.page_id)
    return (*shared, *envelope, *(list(column) for column in zip(*(row.values for row in rows), strict=True)))


@cache
def _insert_sql(spec: FactSpec) -> str:
    """An insert from arrays. Names come from the declaration, never from data."""
    own = [name for field in spec.fields for name in columns_of(field)]
    types = {column.name: column.type.compile(dialect=postgresql.dialect()) for column in FACT_TABLES[spec.name].columns}  # type: ignore[no-untyped-call]
    varying = ["fact_id", "source_key", "version", "supersedes", "occurred_on", "position", "content_hash", *own]
    arrays = ", ".join(f"%s::{_array_type(types[name])}" for name in varying)
    fixed = ("customer_id", "known_from", "connection_id", "consent_id", "page_id")
    target = ", ".join((*fixed, *varying))
    return (
        f"INSERT INTO {spec.table} ({target}) SELECT %s, %s::timestamptz, %s, %s, %s, u.* FROM unnest({arrays}) AS u({', '.join(varying)})"  # noqa: S608
    )


def _array_type(name: str) -> str:
    return f"{name.split('(')[0] if name.startswith(('NUMERIC', 'VARCHAR')) else name}[]"


def _row(spec: FactSpec, position: int, fact: object, blind: Blind) -> _Row:
    values = [(kind, getattr(fact, name)) for name, kind in _fields(spec)]
    hashed = _hasher(spec, blind)
    columns: list[Any] = []
    shown: dict[str, str] = {}
    for (kind, value), (name, _) in zip(values, _fields(spec), strict=True):
        if kind is FieldType.PERSONAL:
            shown[name] = hashed(name, value) if value is not None else ""
            columns += [shown[name], mask(value)] if value is not None else [None, None]
        elif kind is FieldType.LINES:
            columns.append(orjson.dumps({line: str(amount) for line, amount in value.items()}, option=orjson.OPT_SORT_KEYS).decode())
        else:
            columns.append(str(value) if kind is FieldType.ENUM and value is not None else value)
    key = "|".join(shown[name] if name in shown else _part(_text(getattr(fact, name))) for name in spec.key)
    return _Row(position, key, _digest(columns), spec.occurred_on(fact), tuple(columns))


@cache
def _fields(spec: FactSpec) -> tuple[tuple[str, FieldType], ...]:
    return tuple((field.name, field.kind) for field in spec.fields)


def _hasher(spec: FactSpec, blind: Blind) -> Callable[[str, str], str]:
    return lambda field, text: blind.of_field(spec.name, field, text)


def _text(value: object) -> str:
    return "" if value is None else value.isoformat() if isinstance(value, date) else str(value)


def _part(text: str) -> str:
    """One part of a key. A separator inside it is escaped: a platform must not be able to make two keys one."""
    return text.replace("\\", "\\\\").replace("|", "\\|") if "|" in text or "\\" in text else text


def _digest(columns: Sequence[Any]) -> bytes:
    """SHA-256 over the canonical text of the columns, as they are stored."""
    return hashlib.sha256(orjson.dumps(columns, default=_plain)).digest()


def storable(fact: object) -> None:
    """Raises Unreadable, naming the field, for a fact that PostgreSQL would refuse: one bad record must not cost its page."""
    spec = spec_of(type(fact))
    for field in spec.fields:
        value = getattr(fact, field.name)
        reason = _refusal(field.kind, value) if value is not None else "" if field.nullable else "is missing"
        if reason:
            raise Unreadable(field.name, reason)
    if len(spec.source_key(fact)) > LONGEST_KEY:
        raise Unreadable(spec.key[-1], "is longer than any key")


def _refusal(kind: FieldType, value: Any) -> str:
    """Why a value does not fit its column; empty when it does."""
    if isinstance(value, str):
        return _TEXTS.get(kind, _text_fault)(value)
    if kind is FieldType.LINES:
        return next((reason for line, amount in value.items() if (reason := _text_fault(line) or _number_fault(amount, 18))), "")
    if kind is FieldType.INSTANT:
        return "" if value.tzinfo is not None else "is a time without an offset"
    return _number_fault(value, _DIGITS[kind]) if kind in _DIGITS else ""


def _text_fault(text: str) -> str:
    """PostgreSQL keeps no NUL, UTF-8 no half of a surrogate pair."""
    return "holds a character that is none" if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text) else ""


def _month_fault(text: str) -> str:
    return "" if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text, re.ASCII) else "is no month"


def _number_fault(number: int | float | Decimal, digits: int) -> str:
    finite = number.is_finite() if isinstance(number, Decimal) else isinstance(number, int) or math.isfinite(number)
    return "" if finite and abs(number) < 10**digits else "is larger than any real one"


_TEXTS: Mapping[FieldType, Callable[[str], str]] = {FieldType.MONTH: _month_fault}
_DIGITS: Mapping[FieldType, int] = {FieldType.INT: 18, FieldType.MONEY: 16, FieldType.NUMBER: 12, FieldType.COORDINATE: 4}
"""Digits before the point that a column holds, or a coordinate may have."""


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    raise TypeError(type(value).__name__)
