"""Digests of what the formulas read: number of fact versions and SHA-256 over their ids, sorted, one per line.

The set of a kind and window is selected by the day its facts are dated, so that the walk from a number to its facts finds it again. Where
a fact counts on another day (an order when it is paid, a refund when it succeeds), the days are widened to hold all that was read.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache

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
from hub.store.dossier.moment import Moment, of_life

COUNTED: dict[type, str] = {
    Order: "(paid_at AT TIME ZONE 'Asia/Shanghai')::date",
    Refund: "(succeeded_at AT TIME ZONE 'Asia/Shanghai')::date",
    Settlement: "period_end",
    HousingFundEntry: "(period || '-01')::date",
}
"""The day a fact counts on, where it is not the day it is dated."""
_OF_THE_PROFILE = (BusinessRegistration, HouseholdRegistration, Qualification, FinancialStatement, FarmPlot)
"""Read whole, for what kind of customer it is."""
_OF_SCENARIOS = (FarmHolding, ReceivableAccount)
"""Read whole by inputs of scenarios, and by no formula."""
REACH = 100
"""Days beyond a window in which a fact that counts within it is looked for."""


async def load_evidence(tx: Read | Write, moment: Moment, sources: frozenset[SourceKind]) -> tuple[EvidenceSet, ...]:
    """The non-empty sets of every kind and window that a formula of the catalogue reads, of some sources."""
    spans = {spec: found for spec, found in wanted().items() if spec.source in sources}
    if not spans:
        return ()
    asked = [(spec.name, span.name, *(span.range(moment.as_of) or (None, None))) for spec, found in spans.items() for span in found]
    names = ("kinds", "spans", "firsts", "lasts")
    parameters = {name: list(column) for name, column in zip(names, zip(*asked, strict=True), strict=True)}
    rows = await tx.execute(_statement(tuple(spans)), moment.values(**parameters))
    return tuple(EvidenceSet(row.kind, SourceKind(row.source), row.first, row.last, row.facts, row.digest, row.span) for row in rows)


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


_WANTED = """
    WITH wanted AS MATERIALIZED (
        SELECT * FROM unnest(CAST(:kinds AS text[]), CAST(:spans AS text[]), CAST(:firsts AS date[]), CAST(:lasts AS date[]))
               AS u(kind, span, first, last)
    )"""


@cache
def _statement(specs: tuple[FactSpec, ...]) -> TextClause:
    return text(_WANTED + " UNION ALL ".join(_branch(spec) for spec in specs) + " ORDER BY kind, span")


def _branch(spec: FactSpec) -> str:
    inside = f"FROM {spec.table} WHERE {of_life(spec)}"
    counted = COUNTED.get(spec.cls)
    days = "SELECT w.first, w.last"
    if counted:
        days = f"""
            SELECT least(w.first, min(occurred_on)) AS first, greatest(w.last, max(occurred_on)) AS last {inside}
              AND occurred_on BETWEEN w.first - {REACH} AND w.last + {REACH} AND {counted} BETWEEN w.first AND w.last"""
    return f"""
        SELECT w.kind, '{spec.source}' AS source, w.span, d.first, d.last, x.facts, x.digest
        FROM wanted AS w
        CROSS JOIN LATERAL ({days}) AS d
        CROSS JOIN LATERAL (
            SELECT count(*) AS facts, encode(sha256(convert_to(string_agg(fact_id::text, E'\n' ORDER BY fact_id), 'UTF8')), 'hex') AS digest
            {inside} AND (d.first IS NULL OR occurred_on >= d.first) AND (d.last IS NULL OR occurred_on <= d.last)
        ) AS x WHERE w.kind = '{spec.name}' AND x.facts > 0"""  # noqa: S608
