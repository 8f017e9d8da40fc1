"""Facts out of the store, of all kinds and many customers in one statement.

Of each fact its columns come as a JSON array, so that rows of different kinds fit into one result; no amount of money passes through a float.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import TextClause, text

from hub.domain.facts import FactSpec, Order, Refund, ShopMonthlySummary, spec_of_name
from hub.store.database import Read, Write
from hub.store.dossier.evidence import Version, counted, versions
from hub.store.dossier.moment import ASKED, Moment, asking, of_life
from hub.store.fact_tables import columns_of

SUMMED = frozenset({Order, Refund, ShopMonthlySummary})
"""Kinds that are summed and counted in the store, see :mod:`hub.store.dossier.orders`."""

_OF = itemgetter(0, 1)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was read at one moment: facts in the order of their keys, and which versions of each kind they are. A personal field is its keyed hash."""

    facts: dict[type, tuple[Any, ...]] = field(default_factory=dict)
    versions: dict[str, list[Version]] = field(default_factory=dict)


async def load_facts(tx: Read | Write, moments: Sequence[Moment]) -> list[Loaded]:
    """The facts of every moment, in their order. Of the kinds that are summed only which versions there are."""
    found: list[tuple[dict[type, tuple[Any, ...]], dict[str, list[Version]]]] = [({}, {}) for _ in moments]
    specs, values = asking(moments)
    if not specs:
        return [Loaded() for _ in moments]
    for (place, name), rows in groupby(await tx.execute(_statement(specs), values), key=_OF):
        cls, reader = _reader(name)
        columns, ids, days, counts = zip(*(row[2:] for row in rows), strict=True)
        facts, read = found[place]
        facts[cls] = tuple(reader.decode(f"[{','.join(columns)}]"))
        read[name] = list(map(Version, ids, days, counts))
    for place, name, read_versions in await versions(tx, moments, [spec for spec in specs if spec.cls in SUMMED]):
        found[place][1][name] = read_versions
    return [Loaded(facts, read) for facts, read in found]


@cache
def _statement(specs: tuple[FactSpec, ...]) -> TextClause:
    branches = " UNION ALL ".join(_branch(spec) for spec in specs if spec.cls not in SUMMED) or _NOTHING
    wanted = f"SELECT place, kind, columns, id, day, counted FROM ({branches}) AS found ORDER BY place, kind, source_key, id"  # noqa: S608
    return text(f"WITH {ASKED} {wanted}")


_NOTHING = "SELECT 0 AS place, '' AS kind, '' AS columns, '' AS id, 0 AS day, 0 AS counted, '' AS source_key WHERE false"


def _branch(spec: FactSpec) -> str:
    columns = ", ".join(f"f.{columns_of(field)[0]}" for field in spec.fields)
    of = f"asked.place, '{spec.name}' AS kind, json_build_array({columns})::text AS columns, f.fact_id::text AS id, {counted(spec)}, f.source_key"
    return f"SELECT {of} FROM {of_life(spec)}"  # noqa: S608


@cache
def _reader(name: str) -> tuple[type, msgspec.json.Decoder[list[Any]]]:
    """The class of a kind, and what makes facts of an array of arrays. A struct takes its fields by their place, all in one go."""
    cls = spec_of_name(name).cls
    return cls, msgspec.json.Decoder(list[cls])  # type: ignore[valid-type]
