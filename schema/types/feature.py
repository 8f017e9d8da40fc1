"""Feature: an entry of the catalogue."""

from __future__ import annotations

import strawberry

from hub.domain.enums import SourceKind, Unit
from schema.access import DataKind, access, shown


@strawberry.type(
    description="特征: an entry of the feature catalogue, as this version of the hub computes it.",
    directives=[access("evidence:read", DataKind.EVIDENCE)],
)
class Feature:
    id: strawberry.ID = shown("Id, for example `ss_cv`: the `id` of a FeatureValue.")
    family: str = shown(
        "Family: rr (risk and return), sc (supply chain), ps (purchase and settlement), ss (sales), cs (cost), op (operator), cb (buyers)."
    )
    name_zh: str = shown("名称 (Chinese).")
    name_en: str = shown("Name in English.")
    unit: Unit = shown("Unit of the value.")
    formula: str = shown("The formula in words, and when it has no value.")
    formula_version: str = shown("Version of the formula.")
    window: str = shown(
        "Window: `W12` is the 12 complete calendar months before the day of the evaluation, `W12-12` the 12 before those, `D90` the 90 days before it, `ALL` everything known."
    )
    months: int | None = shown("Length of the window in months; null where it is not counted in months.")
    days: int | None = shown("Length of the window in days; null where it is not counted in days.")
    business_only: bool = shown("NOT_APPLICABLE to a person without a business.")
    sources: list[SourceKind] = shown(
        "Kinds of source it may be read from. Empty: it is computed from other features and from the decision."
    )
