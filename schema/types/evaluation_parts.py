"""The parts of an evaluation that are rows of their own and small."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import strawberry

from hub.domain.enums import MissingReason, Unit
from hub.domain.periods import Month
from schema.access import DataKind, access, shown
from schema.types.enums import CheckStatus, LimitPartKind
from schema.types.feature_value import FeatureValue

_RESULT = access("enhancement:read", DataKind.RESULT)
_EVIDENCE = access("evidence:read", DataKind.EVIDENCE)


@strawberry.type(description="The dated policy document an evaluation followed.", directives=[_RESULT])
class PolicyVersion:
    id: strawberry.ID = shown("Scenario and policy, for example `S03`.")
    version: str = shown("Version.")
    sha256: str = shown("SHA-256 (hex) of the document.")
    effective_from: date = shown("First day it applies to.")
    published_at: datetime = shown("When it was published in this hub.")


@strawberry.type(description="A principal reason, specific and actionable; at most four of them.", directives=[_RESULT])
class Reason:
    code: str = shown("Code of the reason catalogue, for example `C06`.")
    text_zh: str = shown("说明 (Chinese).")
    text_en: str = shown("The same in English.")
    cure_zh: str = shown("改善办法 (Chinese).")
    cure_en: str = shown("How to cure it, in English.")
    customer_visible: bool = shown("May be told to the customer. Internal reasons are left out for partners.")


@strawberry.type(
    description="An input that kept an evaluation from deciding: it has no value, which is not a value that declines.",
    directives=[_EVIDENCE],
)
class LackingInput:
    name: str = shown("A feature, an input of policies, or a source that closed the gate: for example `ss_tax_paid` or `TAX`.")
    reason: MissingReason = shown("Why there is no value.")
    part: str = shown(
        "Of what: the code of a rule, for example `E08`; LIMIT: a leg, the factor or the term; GATE: a source that the scenario cannot do without."
    )


@strawberry.type(description="交叉检验: one cross-check of independent sources.", directives=[_EVIDENCE])
class CheckResult:
    id: strawberry.ID = shown("Code, for example `R2`.")
    dimension: str = shown("R (revenue), P (people and income) or L (identity, location, relations).")
    status: CheckStatus = shown("Result.")
    deviation: Decimal | None = shown("Deviation from agreement; null when it could not be computed.")
    score: Decimal | None = shown("1 for agreement down to 0; null when it could not be computed.")
    weight: Decimal = shown("Weight in its dimension.")
    explanation_zh: str = shown("说明 (Chinese).")
    explanation_en: str = shown("The same in English.")


@strawberry.type(description="Points of one characteristic of the scorecard.", directives=[_EVIDENCE])
class ScorePoint:
    characteristic: str = shown("Number of the characteristic, for example `06`.")
    feature_id: str = shown("Feature it is read from.")
    points: int = shown("Points earned.")
    maximum: int = shown("Points that can be earned.")
    feature: FeatureValue | None = shown("The feature.")


@strawberry.type(description="A part of the limit: a leg of the base, an uplift or a cap.", directives=[_EVIDENCE])
class LimitPart:
    part: LimitPartKind = shown("What it is.")
    code: str = shown("Its code, for example `REVENUE` or `S03.U1`.")
    amount: Decimal | None = shown("Amount in yuan; null for an uplift or when it could not be computed.")
    share: Decimal | None = shown("Share of the base, for an uplift.")
    earned: bool | None = shown("Whether an uplift was earned.")
    binding: bool = shown("It decided the limit.")
    features: list[FeatureValue] = shown("The features it was computed from: the start of the walk to the facts.")


@strawberry.type(description="One month of a series the evaluation used.", directives=[_EVIDENCE])
class SeriesMonth:
    series: str = shown("Name of the series, for example `GMV`.")
    month: Month = shown("Month.")
    value: Decimal | None = shown("Value; null: the month is not covered, which is not zero.")
    unit: Unit = shown("Unit of the value: YUAN, or COUNT for `ORDERS`.")
    missing_reason: MissingReason | None = shown("Why there is no value.")
    source: str = shown("Source of the series.")
