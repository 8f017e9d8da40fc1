"""Facts out of the store, of all kinds in one statement.

Every column comes as text, so that rows of different kinds fit into one result and no amount of money passes through a float.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import TextClause, text

from hub.domain.enums import SourceKind
from hub.domain.facts import FactSpec, FieldSpec, FieldType, Order, Refund, ShopMonthlySummary, all_specs
from hub.store.database import Read, Write
from hub.store.dossier.moment import Moment, live
from hub.store.fact_tables import columns_of

SUMMED = (Order, Refund, ShopMonthlySummary)
"""Kinds that are summed and counted in the store, see :mod:`hub.store.dossier.orders`."""

Decode = Callable[[str], Any]


async def load_facts(tx: Read | Write, moment: Moment, sources: frozenset[SourceKind]) -> dict[type, tuple[Any, ...]]:
    """The facts of some sources, in the order of their keys. A personal field is its keyed hash."""
    if not sources:
        return {}
    found: dict[type, list[Any]] = {}
    for name, values in await tx.execute(_statement(sources), moment.values()):
        cls, build = _reader(name)
        found.setdefault(cls, []).append(build(values))
    return {cls: tuple(rows) for cls, rows in found.items()}


@cache
def _statement(sources: frozenset[SourceKind]) -> TextClause:
    specs = [spec for spec in all_specs() if spec.source in sources and spec.cls not in SUMMED]
    branches = " UNION ALL ".join(_branch(spec) for spec in specs)
    return text(f"SELECT kind, columns FROM ({branches}) AS found ORDER BY kind, source_key, fact_id")  # noqa: S608


def _branch(spec: FactSpec) -> str:
    columns = ", ".join(f"{columns_of(field)[0]}::text" for field in spec.fields)
    return f"SELECT '{spec.name}' AS kind, ARRAY[{columns}] AS columns, source_key, fact_id FROM {spec.table} WHERE {live(spec)}"  # noqa: S608


@cache
def _reader(name: str) -> tuple[type, Callable[[Iterable[str | None]], Any]]:
    spec = next(spec for spec in all_specs() if spec.name == name)
    fields = [(field.name, _decoder(field)) for field in spec.fields]

    def build(values: Iterable[str | None]) -> Any:
        pairs = zip(fields, values, strict=True)
        return spec.cls(**{field: None if value is None else decode(value) for (field, decode), value in pairs})

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
