"""Hint: what could be offered, renewed or done next."""

from __future__ import annotations

from decimal import Decimal

import strawberry

from hub.domain.models import HintKind
from schema.access import DataKind, access, shown
from schema.types.evaluation import Evaluation

_RESULT = access("enhancement:read", DataKind.RESULT)


@strawberry.type(
    description="What could be offered, renewed or done next, and why. It offers nothing by itself: evaluate first.", directives=[_RESULT]
)
class Hint:
    kind: HintKind = shown("What kind of hint.")
    code: str = shown(
        "A scenario (`S06`), a product (PAYROLL, DEPOSITS, ACQUIRING, SETTLEMENT_ACCOUNT, CROP_INSURANCE, IP_SERVICES), RENEW or RENEW_WITHOUT_REPAYMENT"
        " (无还本续贷), or an action: FREEZE_UNDRAWN, REDUCE_UNDRAWN, STOP_DRAWS, REVIEW, LOSE_SUBSIDY, LOWER_CLASS, RECOMPUTE_AT_REVIEW, CANCEL_UNDRAWN_ENHANCEMENT."
    )
    share: Decimal | None = shown("Of REDUCE_UNDRAWN: by which share of what is not drawn, 0 to 1.")
    why_zh: str = shown("说明 (Chinese).")
    why_en: str = shown("Why: in words; of an action the policy's condition, the tier or the source that asks for it.")
    loan: str | None = shown("The lender's number of the loan it is about.")
    scenario: str = shown("The scenario whose evaluation it comes from.")
    feature_ids: list[str] = shown("Ids of the features that speak for it.")
    evaluation: Evaluation = shown("The evaluation it comes from; its `features` have their values.")


@strawberry.type(
    description="总额度: only one unsecured operating limit may be active, so the limits of several scenarios are not a sum.",
    directives=[_RESULT],
)
class GroupLimit:
    limit: Decimal = shown("The largest limit that the latest evaluations of all scenarios offer, in yuan.")
    scenario: str = shown("The scenario that offers it.")
