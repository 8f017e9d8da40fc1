"""客户行为管理 and 客户行为分析: where a customer stands and how it may be contacted; how its business moves (domain brief, section 6.1 and 6.2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from hub.credit.expressions import Layers, Value
from hub.credit.features.catalogue import Null
from hub.credit.maths import corr, mean
from hub.credit.models.declare import Case, Given, Produces, decided, figures, first_match, known, model, tried
from hub.credit.parameters import parameters
from hub.domain.enums import MissingReason, Outcome, SourceKind, Unit
from hub.domain.facts import BehaviourSession
from hub.domain.models import ModelSlot
from hub.domain.money import ZERO
from hub.domain.periods import Month, china_day, window

OFFERS = (Outcome.ENHANCED, Outcome.BASE_ONLY)
STAGES = ("COLLECTION", "AT_RISK", "ACTIVE_BORROWER", "PRE_APPROVED", "CONNECTED", "DORMANT", "PROSPECT")
PATTERNS = ("DECLINING", "GROWING", "VOLATILE", "SEASONAL", "STABLE")
ONE = Decimal(1)


@model(
    ModelSlot.BEHAVIOUR_MANAGEMENT,
    Produces("stage", Unit.ENUM, "客户阶段, the first that applies.", STAGES),
    Produces("engagement", Unit.SCORE, "活跃度, 0 to 100."),
    Produces(
        "marketingAllowed",
        Unit.BOOL,
        "Marketing contact is allowed: agreed to, and not too often yet. Offer what is not personalised, too (PIPL 24).",
    ),
    Produces("contactsLeft", Unit.COUNT, "Marketing contacts left within 30 days."),
)
def behaviour_management(case: Case) -> Given:
    """Stage, the first that applies: COLLECTION (days past due >= 1), AT_RISK (level of post-loan monitoring ORANGE or RED), ACTIVE_BORROWER (balance > 0),
    PRE_APPROVED (the evaluation offers a limit; such an offer is valid for 30 days), CONNECTED (an active connection), DORMANT (the last session in the app is
    90 days ago or longer), PROSPECT. Engagement, 0 to 100: 40 x min(1, 30 / days since the last session) + 30 x min(1, sessions of the 90 days before as-of / 12)
    + 30 x min(1, connections / 4). Sessions are those of the DEVICE source; where it is not readable, engagement and whatever stage depends on it have its reason
    instead of a value. Loans are those the lender recorded. Marketing needs the customer's agreement, which the lender records, and at most 2 contacts in 30 days.
    Source: domain brief, section 6.1."""
    return {
        "stage": _stage(case),
        "engagement": tried(lambda: _engagement(case)),
        "marketingAllowed": tried(lambda: _contacts_left(case) > 0),
        "contactsLeft": tried(lambda: _contacts_left(case)),
    }


def _stage(case: Case) -> Value | MissingReason:
    watch = case.watch
    return first_match(
        [
            ("COLLECTION", watch.days_past_due >= 1),
            ("AT_RISK", _at_risk(case)),
            ("ACTIVE_BORROWER", watch.balance > 0),
            ("PRE_APPROVED", case.made.outcome in OFFERS and case.found.limit is not None),
            ("CONNECTED", watch.connections >= 1),
            ("DORMANT", _dormant(case)),
        ],
        "PROSPECT",
    )


def _at_risk(case: Case) -> bool | MissingReason:
    level = case.results[ModelSlot.POST_LOAN]["level"]
    return level.missing or level.value in figures()["stages"]["at_risk"]


def _session_days(case: Case) -> list[date]:
    """The days of the sessions before as-of, oldest first."""
    reason = case.made.dossier.source(SourceKind.DEVICE).reason
    if reason:
        raise Null(reason)
    days = (china_day(one.at) for one in case.made.dossier.of(BehaviourSession))
    return sorted(day for day in days if day < case.made.dossier.as_of)


def _dormant(case: Case) -> bool | MissingReason:
    try:
        days = _session_days(case)
    except Null as null:
        return null.reason
    return not days or (case.made.dossier.as_of - days[-1]).days >= figures()["stages"]["dormant_days"]


def _engagement(case: Case) -> Decimal:
    terms, days, as_of = figures()["engagement"], _session_days(case), case.made.dossier.as_of
    recency, sessions, sources = terms["recency"], terms["sessions"], terms["sources"]
    recent = sum(1 for day in days if (as_of - day).days <= sessions["days"])
    latest = min(ONE, Decimal(recency["days"]) / (as_of - days[-1]).days) if days else ZERO
    often = min(ONE, Decimal(recent) / sessions["count"])
    wide = min(ONE, Decimal(case.watch.connections) / sources["count"])
    return Decimal(recency["weight"] * latest + sessions["weight"] * often + sources["weight"] * wide)


def _contacts_left(case: Case) -> int:
    contact, most = case.watch.contact, int(figures()["marketing"]["contacts"])
    if contact.marketing is None:
        raise Null(MissingReason.CONSENT_MISSING)
    if not contact.marketing:
        return 0
    if contact.contacts is None:
        raise Null(MissingReason.NOT_CONNECTED)
    return max(0, most - contact.contacts)


@model(
    ModelSlot.BEHAVIOUR_ANALYSIS,
    Produces("pattern", Unit.ENUM, "经营走势, the first that applies.", PATTERNS),
    Produces("anomaly", Unit.TIMES, "z of the last complete month against the eleven before it."),
    Produces("anomalous", Unit.BOOL, "The last month is out of the ordinary: |z| is 2.5 or more."),
    Produces("buyerRecency", Unit.DAYS, "R: days since the last paid order."),
    Produces("buyerFrequency", Unit.TIMES, "F: paid orders of a buyer in twelve months."),
    Produces("buyerMonetary", Unit.YUAN, "M: what a buyer paid in twelve months."),
)
def behaviour_analysis(case: Case) -> Given:
    """Pattern of the sales series S, the first that applies: DECLINING (ss_growth_6m_yoy < -0.20 or ss_trend < -0.03), GROWING (ss_growth_6m_yoy > 0.20), VOLATILE
    (ss_cv > 0.60), SEASONAL (ss_peak_ratio >= 2, and the correlation of W12 with the twelve months before >= 0.70), else STABLE. A rule that cannot be told
    leaves the pattern unknown, with its reason. Anomaly z = (M0 - mean of M-1 to M-11) / their population standard deviation; all of M0 and ten of the eleven
    must be covered, else INSUFFICIENT_COVERAGE; ZERO_DENOMINATOR where they are all alike. Buyers (RFM): days from the last paid order to as-of; paid orders, and
    what was paid with VAT, of W12 over cb_buyer_count. Source: domain brief, section 6.2."""
    anomaly = tried(lambda: _anomaly(case))
    bound = Decimal(figures()["pattern"]["anomaly"])
    return {
        "pattern": _pattern(case),
        "anomaly": anomaly,
        "anomalous": abs(anomaly) >= bound if isinstance(anomaly, Decimal) else _reason(anomaly),
        "buyerRecency": tried(lambda: _buyer_recency(case)),
        "buyerFrequency": tried(lambda: _per_buyer(case, "ORDERS")),
        "buyerMonetary": tried(lambda: _per_buyer(case, "GMV")),
    }


def _pattern(case: Case) -> Value | MissingReason:
    terms, found = figures()["pattern"], tried(lambda: _season_correlation(case))
    season = known(None, found) if isinstance(found, MissingReason) else known(found, MissingReason.NOT_APPLICABLE)
    names = Layers(case.names, {"season_correlation": season})
    return first_match([(one["is"], decided(one["any"], names)) for one in terms["rules"]], terms["otherwise"])


def _season_correlation(case: Case) -> Decimal:
    """Over the month pairs that both years cover."""
    months = _sales(case)
    year, before = window(case.made.dossier.as_of, 12), window(case.made.dossier.as_of, 12, 12)
    pairs = [(months[one], months[other]) for one, other in zip(year, before, strict=True) if one in months and other in months]
    if len(pairs) < parameters().minimum_months[12]:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    found = corr([one for one, _ in pairs], [other for _, other in pairs])
    return _defined(found)


def _anomaly(case: Case) -> Decimal:
    months, year = _sales(case), window(case.made.dossier.as_of, 12)
    before = [months[month] for month in year[:-1] if month in months]
    if year[-1] not in months or len(before) < parameters().minimum_months[12]:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    middle = _defined(mean(before))
    variance = sum(((one - middle) ** 2 for one in before), ZERO) / len(before)
    if variance == 0:
        raise Null(MissingReason.ZERO_DENOMINATOR)
    return (months[year[-1]] - middle) / variance.sqrt()


def _sales(case: Case) -> Mapping[Month, Decimal]:
    sales = case.found.sales
    if sales.missing:
        raise Null(sales.missing)
    return sales.months


def _defined(value: Decimal | None) -> Decimal:
    if value is None:
        raise Null(MissingReason.ZERO_DENOMINATOR)
    return value


def _buyer_recency(case: Case) -> int:
    reason = case.names["cb_buyer_count"].missing
    if reason:
        raise Null(reason)
    orders = case.made.dossier.orders
    if orders is None or orders.last_paid_on is None:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return (case.made.dossier.as_of - orders.last_paid_on).days


def _per_buyer(case: Case, series: str) -> Decimal:
    buyers = case.number("cb_buyer_count")
    if buyers <= 0:
        raise Null(MissingReason.ZERO_DENOMINATOR)
    amounts = case.made.dossier.series(series, SourceKind.SHOP, window(case.made.dossier.as_of, 12))
    return sum(amounts.values(), ZERO) / buyers


def _reason(value: Value | MissingReason) -> MissingReason:
    assert isinstance(value, MissingReason)
    return value


__all__ = ["behaviour_analysis", "behaviour_management"]
