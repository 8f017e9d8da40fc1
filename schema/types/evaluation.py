"""Evaluation (场景增信)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import strawberry

from hub.domain.enums import Outcome, SourceKind
from schema.access import DataKind, access, asked, shown, stored
from schema.types import product_match
from schema.types.dispute import Dispute
from schema.types.enums import LimitPartKind, LoanPurpose, Tier
from schema.types.evaluation_parts import CheckResult, LackingInput, LimitPart, PolicyVersion, Reason, ScorePoint, SeriesMonth
from schema.types.feature_value import FeatureValue
from schema.types.model_result import ModelResult
from schema.types.node import Node
from schema.types.reference_version import ReferenceVersion, Relation

_EVIDENCE = access("evidence:read", DataKind.EVIDENCE)


def _some(doc: str) -> strawberry.types.arguments.StrawberryArgumentAnnotation:
    return strawberry.argument(description=doc)


@strawberry.type(
    description="场景增信: one evaluation of one customer for one scenario, immutable. A newer one supersedes it and leaves it readable.",
    directives=[access("enhancement:read", DataKind.RESULT)],
)
class Evaluation(Node):
    id: strawberry.ID = shown("Opaque id; `node(id)` finds it.")
    scenario: str = shown("Scenario, for example `S03`.")
    policy: PolicyVersion = shown("The policy it followed.")
    as_of: date = shown("Day it speaks of: windows are complete calendar months before it.")
    known_at: datetime = shown("Instant up to which facts were known to it.")
    created_at: datetime = shown("Made.")
    what_if: bool = shown("Of another day than that on which it was made, or of what was known before: nothing is decided by it.")
    supersedes: strawberry.ID | None = shown("The evaluation before it.")
    purpose: LoanPurpose = shown("What the money is for.")
    requested_amount: Decimal | None = shown("Amount asked for, in yuan.")
    outcome: Outcome = shown("The result.")
    tier: Tier | None = shown("How far independent sources confirm each other; null when nothing could be asserted.")
    tau: Decimal | None = shown("Share of the uplift the tier earns (1.0, 0.5 or 0).")
    consistency: Decimal | None = shown("C: weighted agreement of all checks that could be made, 0 to 1.")
    coverage: Decimal | None = shown("K: share of the applicable checks that could be made, 0 to 1.")
    verified_revenue: Decimal | None = shown("核实收入: 12 months, in yuan, net of returns, excluding VAT, before platform fees.")
    score: int | None = shown("Points of the scorecard.")
    grade: str | None = shown("A (best) to E.")
    probability_of_default: Decimal | None = shown("12-month probability, 0 to 1.")
    base_limit: Decimal | None = shown("基础额度: limit without enhancement, in yuan. Null is not zero.")
    final_limit: Decimal | None = shown("增信后额度: limit with enhancement, in yuan.")
    enhancement: Decimal | None = shown("增信额度: what the enhancement adds to the base limit, in yuan.")
    base_rate: Decimal | None = shown("Annual rate without enhancement, 0.04 is 4 %.")
    rate: Decimal | None = shown("Annual rate offered.")
    all_in_cost: Decimal | None = shown(
        "综合年化成本: rate and every fee the borrower pays, a year, by the simple method (单利). Null only where there is no rate, or in evaluations of before it was kept."
    )
    risk_adjusted_margin: Decimal | None = shown("Margin after funding, operation and expected loss.", _EVIDENCE)
    base_term_months: int | None = shown("Term without enhancement.")
    term_months: int | None = shown("Term offered.")
    repayment: str | None = shown("还款方式, for example REVOLVING (随借随还).")
    guarantee: str | None = shown("担保方式, for example UNSECURED.")
    binding: list[str] = shown("Caps that decided the limit, for example CAPACITY.")
    flags: list[str] = shown("Flags of the cross-validation.", _EVIDENCE)
    notes: list[str] = shown("Codes of checks that deviate and are not among the reasons.", _EVIDENCE)
    next_best_source: SourceKind | None = shown("The source whose connection would add most to the coverage.")
    inputs_digest: str = shown("SHA-256 (hex) over everything the evaluation read: same inputs, same digest.")
    code_version: str | None = shown(
        "Version of the hub that made it; null: made before that was kept, or its inputs are erased.", _EVIDENCE
    )
    engine_sha256: str | None = shown("SHA-256 (hex) over the versions of the formulas and the engine's own documents.", _EVIDENCE)
    result_sha256: str | None = shown(
        "SHA-256 (hex) over everything it says, as canonical JSON: `reproduceEvaluation` compares it.", _EVIDENCE
    )
    references: list[ReferenceVersion] = shown("The versions of the reference documents it was made by.", _EVIDENCE)
    relations: list[Relation] = shown("The edges of the relationship graph that it knew: at most 200.", _EVIDENCE)
    disputes: list[Dispute] = shown("异议: what the customer objects to in the result; the newest first, at most 20.", _EVIDENCE)
    reasons: list[Reason] = shown("Principal reasons, most important first.")
    lacking: list[LackingInput] = shown(
        "What kept it from deciding (INSUFFICIENT_DATA, or REFER_MANUAL without a limit), by name; at most 100. Empty where it decided, and in evaluations of before it was kept.",
        _EVIDENCE,
    )
    models: list[ModelResult] = shown("六大模型: what each of the six models says.")
    checks: list[CheckResult] = shown("The cross-checks.", _EVIDENCE)
    score_points: list[ScorePoint] = shown("Points by characteristic.", _EVIDENCE)

    @asked("The features, or those named.", _EVIDENCE)
    def features(self, ids: Annotated[list[str] | None, _some("Ids of features, at most 200.")] = None) -> list[FeatureValue]:
        return stored()  # type: ignore[no-any-return]

    @asked("Legs, uplifts and caps of the limit.", _EVIDENCE)
    def limit_parts(self, parts: Annotated[list[LimitPartKind] | None, _some("Only these parts.")] = None) -> list[LimitPart]:
        return stored()  # type: ignore[no-any-return]

    @asked(
        "产品匹配与组合: the products of the catalogue that was known, those that fit first, the loan before what goes with it; then peers' that can be compared. Empty where no catalogue"
        " was known, or nothing could be found; at most 200.",
    )
    def products(
        self, fits: product_match.Fits = None, kinds: product_match.Kinds = None, holder: product_match.Holder = None
    ) -> list[product_match.ProductMatch]:
        return stored()  # type: ignore[no-any-return]

    @asked("Monthly series.", _EVIDENCE)
    def series(self, names: Annotated[list[str] | None, _some("Names of series, at most 200.")] = None) -> list[SeriesMonth]:
        return stored()  # type: ignore[no-any-return]
