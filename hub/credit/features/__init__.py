"""The feature catalogue: a formula per feature, by family (domain brief, section 3).

:func:`compute_features` computes everything that needs neither the cross-check nor an offer; the rest is declared by those who know these.
"""

from __future__ import annotations

from hub.credit.dossier import Dossier
from hub.credit.features import accounts, buyers, cost, owner, purchase, risk_return, stability, standing, streaks, supply_chain
from hub.credit.features.catalogue import CATALOGUE, Formula, Null, Reads, Span, declare, formula
from hub.credit.features.reading import SALES, Reading, Shared
from hub.credit.features.series import KINDS_OF, SalesSeries, SeriesProfile, r_vat, sales_series
from hub.credit.values import Feature, FeatureSet
from hub.domain.enums import MissingReason
from hub.domain.facts import spec_of

FAMILIES = (risk_return, supply_chain, purchase, accounts, stability, standing, cost, owner, streaks, buyers)
"""The modules that declare formulas; importing them fills the catalogue."""

__all__ = [
    "CATALOGUE",
    "Formula",
    "Null",
    "Reading",
    "Reads",
    "SalesSeries",
    "SeriesProfile",
    "Span",
    "compute_features",
    "declare",
    "formula",
    "r_vat",
    "sales_series",
    "sources_of",
]


def sources_of(entry: Formula) -> tuple[str, ...]:
    """The kinds of source that a feature may be read from: of what it reads, and of every series that sales may come from."""
    of_sales = [kind for kinds in KINDS_OF.values() for kind in kinds]
    kinds = {kind for read in entry.reads for kind in (*read.kinds, *(of_sales if read.sales else ()))}
    return tuple(sorted({str(spec_of(kind).source) for kind in kinds}))


def compute_features(dossier: Dossier, profile: SeriesProfile) -> FeatureSet:
    """Every feature of the catalogue that has a formula of its own, by id, unrounded. Profiles that differ in nothing that a formula can see have the same set."""
    return _features(dossier, Shared(dossier, profile))


def _features(dossier: Dossier, shared: Shared) -> FeatureSet:
    found: list[tuple[dict[str, object], FeatureSet]] = dossier.memo.setdefault(_features, [])
    for aspects, features in found:
        if aspects == shared.aspects:
            return features
    made = {entry.id: _compute(entry, shared) for entry in CATALOGUE.values() if entry.compute is not None}
    found.append((shared.aspects, made))
    return made


def _compute(entry: Formula, shared: Shared) -> Feature:
    """What another scenario found by the same dossier, where the formula saw nothing that is otherwise in this one; else by the formula."""
    found: list[tuple[dict[str, object], Feature]] = shared.dossier.memo.setdefault(entry.id, [])
    for seen, feature in found:
        if seen.items() <= shared.aspects.items():
            return feature
    reading = Reading(shared)
    if entry.reads_sales:
        reading.see(SALES)
    feature = _by_formula(entry, reading)
    found.append((reading.seen, feature))
    return feature


def _by_formula(entry: Formula, reading: Reading) -> Feature:
    dossier, shared = reading.dossier, reading.shared
    if entry.business_only and not reading.is_business:
        return entry.feature(dossier, missing=MissingReason.NOT_APPLICABLE)
    kinds = shared.sales.kinds
    try:
        value = entry.compute(reading) if entry.compute else None
    except Null as null:
        return entry.feature(dossier, missing=null.reason, covered=reading.covered, sales_kinds=kinds)
    return entry.feature(dossier, value, covered=reading.covered, sales_kinds=kinds)
