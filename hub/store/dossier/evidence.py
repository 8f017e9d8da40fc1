"""Digests of what the formulas read: number of fact versions and SHA-256 over their ids, sorted, one per line.

The set of a kind and window is selected by the day its facts are dated, so that the walk from a number to its facts finds it again. Where
a fact counts on another day (an order when it is paid, a refund when it succeeds), the days are widened to hold all that was read.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

from sqlalchemy import TextClause, text

from hub.credit.dossier import EvidenceSet
from hub.credit.features import CATALOGUE
from hub.credit.features.catalogue import ALL, Span
from hub.credit.features.series import KINDS_OF
from hub.domain.enums import SourceKind
from hub.domain.facts import (
    BusinessRegistration,
    FactSpec,
    FarmHolding,
    FarmPlot,
    FinancialStatement,
    HouseholdRegistration,
    HousingFundEntry,
    Order,
    Qualification,
    ReceivableAccount,
    Refund,
    Settlement,
    spec_of,
)
from hub.store.database import Read, Write
from hub.store.dossier.moment import ASKED, Moment, asking, of_life

COUNTED: dict[type, str] = {
    Order: "(f.paid_at AT TIME ZONE 'Asia/Shanghai')::date",
    Refund: "(f.succeeded_at AT TIME ZONE 'Asia/Shanghai')::date",
    Settlement: "f.period_end",
    HousingFundEntry: "(f.period || '-01')::date",
}
"""The day a fact counts on, where it is not the day it is dated."""
_OF_THE_PROFILE = (BusinessRegistration, HouseholdRegistration, Qualification, FinancialStatement, FarmPlot)
"""Read whole, for what kind of customer it is."""
_OF_SCENARIOS = (FarmHolding, ReceivableAccount)
"""Read whole by inputs of scenarios, and by no formula."""
REACH = timedelta(days=100)
"""How far beyond a window a fact that counts within it is looked for."""
_EPOCH = date(1970, 1, 1)


class Version(NamedTuple):
    """A fact version that was read: its id, the day it is dated and the day it counts on, as numbers since the first of 1970."""

    id: str
    day: int | None
    counted: int | None


def counted(spec: FactSpec) -> str:
    """The two days of a :class:`Version`, in SQL."""
    return f"(f.occurred_on - date '1970-01-01') AS day, ({COUNTED.get(spec.cls, 'f.occurred_on')} - date '1970-01-01') AS counted"


async def versions(tx: Read | Write, moments: Sequence[Moment], specs: Sequence[FactSpec]) -> Iterable[tuple[int, str, list[Version]]]:
    """Which versions there are of kinds whose facts are not loaded: ``(place of the moment, kind, versions)``."""
    if not specs:
        return []
    _, values = asking(moments, [spec.cls for spec in specs])
    rows = await tx.execute(_statement(tuple(specs)), values)
    return [(row.place, row.kind, [Version(*one) for one in zip(row.ids, row.days, row.counts, strict=True)]) for row in rows]


@cache
def _statement(specs: tuple[FactSpec, ...]) -> TextClause:
    return text(f"WITH {ASKED} " + " UNION ALL ".join(_branch(spec) for spec in specs))


def _branch(spec: FactSpec) -> str:
    read = f"SELECT asked.place, f.fact_id::text AS id, {counted(spec)} FROM {of_life(spec)}"  # noqa: S608
    columns = "array_agg(id) AS ids, array_agg(day) AS days, array_agg(counted) AS counts"
    return f"SELECT place, '{spec.name}' AS kind, {columns} FROM ({read}) AS one GROUP BY place"  # noqa: S608


def evidence(read: Mapping[str, Sequence[Version]], sources: frozenset[SourceKind], as_of: date) -> tuple[EvidenceSet, ...]:
    """The non-empty sets of every kind and window that a formula of the catalogue reads, of some sources."""
    found = []
    for spec, spans in wanted().items():
        if spec.source in sources and read.get(spec.name):
            rows = sorted(read[spec.name])
            sets = (_set(spec, span, rows, as_of) for span in spans)
            found += [one for one in sets if one.facts]
    return tuple(found)


@cache
def wanted() -> dict[FactSpec, tuple[Span, ...]]:
    """The windows each kind is read over, by any formula, and for the profile."""
    found: dict[FactSpec, set[Span]] = defaultdict(set)
    sales = {kind for kinds in KINDS_OF.values() for kind in kinds}
    for entry in CATALOGUE.values():
        for read in entry.reads:
            for kind in {*read.kinds, *(sales if read.sales else ())}:
                found[spec_of(kind)].add(read.span)
    for kind in (*_OF_THE_PROFILE, *_OF_SCENARIOS):
        found[spec_of(kind)].add(ALL)
    return {spec: tuple(sorted(spans, key=lambda span: span.name)) for spec, spans in sorted(found.items(), key=lambda item: item[0].name)}


def _set(spec: FactSpec, span: Span, rows: Sequence[Version], as_of: date) -> EvidenceSet:
    days = _days(spec, span, rows, as_of)
    if days is None:
        ids = [row.id for row in rows]
    else:
        first, last = _number(days[0]), _number(days[1])
        ids = [row.id for row in rows if row.day is not None and first <= row.day <= last]
    digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()
    first_day, last_day = days or (None, None)
    return EvidenceSet(spec.name, spec.source, first_day, last_day, len(ids), digest, span.name)


def _days(spec: FactSpec, span: Span, rows: Sequence[Version], as_of: date) -> tuple[date, date] | None:
    """First and last day of the set. None: everything."""
    days = span.range(as_of)
    if days is None or spec.cls not in COUNTED:
        return days
    first, last = (_number(day) for day in days)
    near = range(_number(days[0] - REACH), _number(days[1] + REACH) + 1)
    counting = [row for row in rows if row.counted is not None and first <= row.counted <= last]
    dated = [row.day for row in counting if row.day is not None and row.day in near]
    return _EPOCH + timedelta(days=min([first, *dated])), _EPOCH + timedelta(days=max([last, *dated]))


def _number(day: date) -> int:
    return (day - _EPOCH).days
