"""What kind of customer an evaluation found: segments, size, industry, region; and why what is missing is missing. Pure: values in, a row out.

It is a part of its evaluation, written with it, shown with it and erased with it. What it was read from beside the features' own evidence is kept as evidence, too,
under the name of no feature: so it is shown only while a consent covers all of that (ADR 14).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hub.credit.crosscheck import Tier
from hub.credit.dossier import Dossier, EvidenceSet
from hub.credit.evaluate import Findings
from hub.credit.features.series import industry
from hub.credit.segments import is_new_citizen, region_of
from hub.domain.enums import MissingReason, SourceKind

PROFILE = "profile"
"""Stands for a feature's id among the evidence."""
READ = frozenset(
    {"BusinessRegistration", "HouseholdRegistration", "Qualification", "FinancialStatement", "TaxReturn", "EmployerSocialInsuranceMonth"}
)
_SPANS = frozenset({"ALL", "W12"})


def profile_evidence(dossier: Dossier) -> tuple[EvidenceSet, ...]:
    """What the profile was read from."""
    return tuple(one for one in dossier.evidence if one.kind in READ and one.window in _SPANS and one.facts)


def profile_row(dossier: Dossier, found: Findings) -> dict[str, Any]:
    """The row of ``evaluation_profile``."""
    groups, code, region = found.segments, industry(dossier), region_of(dossier)
    row = {
        "customer_type": groups.customer_type,
        "overlays": list(groups.overlays),
        "size_class": groups.size,
        "product_class": groups.product_class,
        "clusters": list(groups.clusters.known),
        "clusters_undecided": list(groups.clusters.undecided),
        "industry_section": code[:1] if code else None,
        "industry_code": code,
        "region": region,
    }
    return row | {"missing": dict(_missing(dossier, found, row))}


def _missing(dossier: Dossier, found: Findings, row: dict[str, Any]) -> Iterator[tuple[str, MissingReason]]:
    business = dossier.subject.is_business
    registered = _why(dossier, SourceKind.REGISTRATION) if business else MissingReason.NOT_APPLICABLE
    size = _why(dossier, SourceKind.REGISTRATION, SourceKind.TAX, SourceKind.SOCIAL_INSURANCE)
    if row["size_class"] is None:
        yield "size", size if business else MissingReason.NOT_APPLICABLE
    if row["customer_type"] is None:
        yield "customerType", size
    if row["product_class"] is None:
        yield "productClass", _why(dossier, SourceKind.REGISTRATION)
    if not business:
        yield "clusters", MissingReason.NOT_APPLICABLE
    elif row["clusters_undecided"]:
        yield "clusters", _why(dossier, SourceKind.REGISTRATION, SourceKind.TAX, SourceKind.SHOP)
    if row["industry_code"] is None:
        yield "industry", registered
    if row["region"] is None:
        yield "region", registered
    if is_new_citizen(dossier) is None:
        yield "overlays", _why(dossier, SourceKind.IDENTITY)
    if found.verdict.revenue is None:
        yield "verifiedRevenue", MissingReason.CONFLICT if found.verdict.tier is Tier.CONFLICT else MissingReason.INSUFFICIENT_COVERAGE


def _why(dossier: Dossier, *sources: SourceKind) -> MissingReason:
    """Why the first of the sources that cannot be used cannot; where all can, they do not say it."""
    reasons = (dossier.source(kind).reason for kind in sources)
    return next((reason for reason in reasons if reason is not None), MissingReason.INSUFFICIENT_COVERAGE)
