"""Features that need the cross-check or an offer: declared in the catalogue, made here."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from hub.credit.crosscheck.verdict import Tier, Verdict
from hub.credit.dossier import Dossier
from hub.credit.features import Null, Reads, Span, declare
from hub.credit.models.score import Score
from hub.credit.policies import document
from hub.credit.scenario.inputs import Material, existing_balances
from hub.credit.values import Feature
from hub.domain.enums import MissingReason, Unit
from hub.domain.facts import CreditAccount, Order, PaymentTransaction, Refund, Settlement, ShopMonthlySummary, TaxReturn

if TYPE_CHECKING:
    from hub.credit.scenario.limit import Price

W12 = Span(12)
REVENUE_FACTS = (TaxReturn, Order, Refund, ShopMonthlySummary, PaymentTransaction, Settlement)

VERIFIED_REVENUE = declare(
    "rr_verified_revenue",
    Unit.YUAN,
    "Verified revenue of the aligned months: the median of three observers that agree, the smaller of two, the agreeing pair's where one is an outlier.",
    span=W12,
    reads=[Reads(W12, REVENUE_FACTS)],
    business_only=True,
)
DEBT_TO_REVENUE = declare(
    "rr_debt_to_revenue",
    Unit.RATIO,
    "Sum of the balances of open accounts / verified revenue.",
    span=W12,
    reads=[Reads(Span(), (CreditAccount,)), Reads(W12, REVENUE_FACTS)],
    business_only=True,
)
EXPECTED_LOSS = declare("rr_expected_loss_rate", Unit.RATIO, "Probability of default of the score x loss given default.")
MARGIN = declare(
    "rr_risk_adjusted_margin", Unit.RATIO, "Offered rate - funding - operating cost - probability of default x loss given default."
)

OF_THE_OFFER = frozenset({EXPECTED_LOSS.id, MARGIN.id})
"""Made of the score and the offer: nothing that leads to an offer can ask for them."""


def after_cross_check(dossier: Dossier, verdict: Verdict, material: Material) -> dict[str, Feature]:
    """Verified revenue, and debt against it. The haircut revenue of one observer is used inside formulas and not published."""
    published = {Tier.UNVERIFIED: MissingReason.INSUFFICIENT_COVERAGE, Tier.CONFLICT: MissingReason.CONFLICT}.get(verdict.tier)
    if _no_revenue(dossier, verdict):
        published = MissingReason.NOT_APPLICABLE
    value = None if published else verdict.revenue
    revenue = VERIFIED_REVENUE.feature(dossier, value, published or (_why_null(verdict) if value is None else None))
    return {revenue.id: revenue, DEBT_TO_REVENUE.id: _debt_to_revenue(dossier, verdict, material)}


def _no_revenue(dossier: Dossier, verdict: Verdict) -> bool:
    """Nobody has revenue to verify: a person without a business, a farmer, a scenario without observers."""
    return not dossier.subject.is_business or verdict.frame.farmer or not verdict.frame.has_observers


def _why_null(verdict: Verdict) -> MissingReason:
    conflict = verdict.tier is Tier.CONFLICT or "REVENUE_CONFLICT" in verdict.flags
    return MissingReason.CONFLICT if conflict else MissingReason.INSUFFICIENT_COVERAGE


def _debt_to_revenue(dossier: Dossier, verdict: Verdict, material: Material) -> Feature:
    if _no_revenue(dossier, verdict):
        return DEBT_TO_REVENUE.feature(dossier, missing=MissingReason.NOT_APPLICABLE)
    try:
        balances = Decimal(existing_balances(material))
    except Null as null:
        return DEBT_TO_REVENUE.feature(dossier, missing=null.reason)
    if verdict.revenue is None:
        return DEBT_TO_REVENUE.feature(dossier, missing=_why_null(verdict))
    if verdict.revenue <= 0:
        return DEBT_TO_REVENUE.feature(dossier, missing=MissingReason.ZERO_DENOMINATOR)
    return DEBT_TO_REVENUE.feature(dossier, balances / verdict.revenue)


def after_offer(dossier: Dossier, points: Score, offer: Price | None) -> dict[str, Feature]:
    """Expected loss, and the margin where there is an offer."""
    loss = points.default_probability * Decimal(document("engine")["price"]["lgd"])
    margin = MARGIN.feature(dossier, offer.margin) if offer else MARGIN.feature(dossier, missing=MissingReason.NOT_APPLICABLE)
    return {EXPECTED_LOSS.id: EXPECTED_LOSS.feature(dossier, loss), MARGIN.id: margin}
