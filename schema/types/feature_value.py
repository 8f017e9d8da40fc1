"""FeatureValue."""

from __future__ import annotations

from decimal import Decimal

import strawberry

from hub.domain.enums import MissingReason, Unit
from hub.domain.periods import Month
from schema.access import DataKind, access, shown
from schema.types.dispute import Dispute
from schema.types.feature_evidence import FeatureEvidence


@strawberry.type(
    description="A feature as it was computed: its value or why there is none, its formula, window and coverage, and what it read.",
    directives=[access("evidence:read", DataKind.EVIDENCE)],
)
class FeatureValue:
    id: strawberry.ID = shown("Id of the feature, for example `ss_gmv_mean`.")
    number: Decimal | None = shown("Value of a numeric feature, rounded to its unit; null with a `missingReason`, or for a textual one.")
    text: str | None = shown("Value of an enumeration, a flag or a special value such as NO_DEBT.")
    unit: Unit = shown("Unit of the value.")
    missing_reason: MissingReason | None = shown("Why there is no value. Null is never zero.")
    formula: str = shown("The formula in words.")
    formula_version: str = shown("Version of the formula.")
    window_first: Month | None = shown("First month of the window.")
    window_last: Month | None = shown("Last month of the window.")
    covered_months: int | None = shown("Months of the window that the source covers.")
    evidence: list[FeatureEvidence] = shown("The sets of facts it was computed from.")
    disputes: list[Dispute] = shown("异议: what the customer objects to in this value; the newest first, at most 20.")
