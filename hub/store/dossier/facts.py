"""Facts out of the store, of all kinds and many customers in one statement.

Every column comes as text, so that rows of different kinds fit into one result and no amount of money passes through a float.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import TextClause, text

from hub.domain.facts import FactSpec, FieldSpec, FieldType, Order, Refund, ShopMonthlySummary, all_specs
from hub.store.database import Read, Write
from hub.store.dossier.evidence import Version, counted, versions
from hub.store.dossier.moment import ASKED, Moment, asking, of_life
from hub.store.fact_tables import columns_of

SUMMED = frozenset({Order, Refund, ShopMonthlySummary})
"""Kinds that are summed and counted in the store, see :mod:`hub.store.dossier.orders`."""

Decode = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was read at one moment: facts in the order of their keys, and which versions of each kind they are. A personal field is its keyed hash."""

    facts: dict[type, tuple[Any, ...]] = field(default_factory=dict)
    versions: dict[str, list[Version]] = field(default_factory=dict)


async def load_facts(tx: Read | Write, moments: Sequence[Moment]) -> list[Loaded]:
    """The facts of every moment, in their order. Of the kinds that are summed only which versions there are."""
    found: list[tuple[dict[type, list[Any]], dict[str, list[Version]]]] = [({}, {}) for _ in moments]
    specs, values = asking(moments)
    if not specs:
        return [Loaded() for _ in moments]
    for place, name, columns, *version in await tx.execute(_statement(specs), values):
        cls, build = _reader(name)
        facts, read = found[place]
        facts.setdefault(cls, []).append(build(columns))
        read.setdefault(name, []).append(Version(*version))
    for place, name, read_versions in await versions(tx, moments, [spec for spec in specs if spec.cls in SUMMED]):
        found[place][1][name] = read_versions
    return [Loaded({cls: tuple(rows) for cls, rows in facts.items()}, read) for facts, read in found]


@cache
def _statement(specs: tuple[FactSpec, ...]) -> TextClause:
    branches = " UNION ALL ".join(_branch(spec) for spec in specs if spec.cls not in SUMMED) or _NOTHING
    wanted = f"SELECT place, kind, columns, id, day, counted FROM ({branches}) AS found ORDER BY place, kind, source_key, id"  # noqa: S608
    return text(f"WITH {ASKED} {wanted}")


_NOTHING = "SELECT 0 AS place, '' AS kind, ARRAY['']::text[] AS columns, '' AS id, 0 AS day, 0 AS counted, '' AS source_key WHERE false"


def _branch(spec: FactSpec) -> str:
    columns = ", ".join(f"f.{columns_of(field)[0]}::text" for field in spec.fields)
    of = f"asked.place, '{spec.name}' AS kind, ARRAY[{columns}] AS columns, f.fact_id::text AS id, {counted(spec)}, f.source_key"
    return f"SELECT {of} FROM {of_life(spec)}"  # noqa: S608


@cache
def _reader(name: str) -> tuple[type, Callable[[Iterable[str | None]], Any]]:
    spec = next(spec for spec in all_specs() if spec.name == name)
    fields = [(field.name, _decoder(field)) for field in spec.fields]

    def build(values: Iterable[str | None]) -> Any:
        pairs = zip(fields, values, strict=True)
        return spec.cls(**{name: None if value is None else decode(value) for (name, decode), value in pairs})

    return spec.cls, build


def _decoder(field: FieldSpec) -> Decode:
    if field.enum is not None:
        return field.enum
    return _DECODERS.get(field.kind, str)


def _lines(value: str) -> dict[str, Decimal]:
    return {line: Decimal(amount) for line, amount in json.loads(value, parse_float=str, parse_int=str).items()}


_DECODERS: dict[FieldType, Decode] = {
    FieldType.INT: int,
    FieldType.MONEY: Decimal,
    FieldType.NUMBER: Decimal,
    FieldType.COORDINATE: float,
    FieldType.DATE: date.fromisoformat,
    FieldType.INSTANT: datetime.fromisoformat,
    FieldType.BOOL: lambda value: value == "true",
    FieldType.LINES: _lines,
}
