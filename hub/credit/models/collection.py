"""逾期催清收: bucket, priority and way of collection of what is overdue (domain brief, section 6.6)."""

from __future__ import annotations

from decimal import Decimal

from hub.credit.crosscheck.verdict import Tier
from hub.credit.expressions import Value
from hub.credit.features.catalogue import Null
from hub.credit.features.reading import Reading, Shared
from hub.credit.features.risk_return import cash_of
from hub.credit.models.declare import Case, Given, Produces, figures, model, tried
from hub.credit.models.triggers import Sight, latest_sales_ratio
from hub.domain.enums import MissingReason, Unit
from hub.domain.models import ModelSlot
from hub.domain.money import ZERO

ONE = Decimal(1)
BUCKETS = ("M0", "M1", "M2", "M3", "M4+")
SEGMENTS = ("REMIND", "RESTRUCTURE", "LEGAL")


@model(
    ModelSlot.COLLECTION,
    Produces("bucket", Unit.ENUM, "逾期阶段: M0 not overdue, M1 1 to 30 days, M2 31 to 60, M3 61 to 90, M4+ more.", BUCKETS),
    Produces("priority", Unit.SCORE, "催收优先级, 0 to 100; the highest first."),
    Produces("segment", Unit.ENUM, "By will and ability: REMIND (auto-debit), RESTRUCTURE (or extend), LEGAL.", SEGMENTS),
    Produces(
        "contactFrom",
        Unit.ENUM,
        "Nobody is contacted before that time of day, China time. Only the debtor is, and every contact is logged.",
    ),
    Produces("contactUntil", Unit.ENUM, "Nor after it."),
    Produces("callsPerDay", Unit.COUNT, "At most so many calls a day."),
)
def collection(case: Case) -> Given:
    """Of all loans of the customer that the lender recorded and that are owed, under consents for POST_LOAN (else CONSENT_PURPOSE); NOT_APPLICABLE without one. Days
    past due (DPD) are the largest of them, the balance their sum. Priority = 40 x min(1, DPD / 90) + 30 x min(1, balance / 100,000) + 20 x (1 - ability) + 10 if
    the debtor can be reached; ability = net operating cash of W3 x 4 / max(1, rr_debt_service_12m), between 0 and 1. Where one part is unknown, so is the priority,
    with its reason. Segment of what is overdue: LEGAL where the sources contradict each other (tier CONFLICT) or a hard flag stands, REMIND where sales are still normal
    (M0 at 0.70 or more of what was expected, as trigger T1 has it), else RESTRUCTURE. Source: domain brief, section 6.6; the hours of contact and the number of
    calls are hard bounds (GB/T 45251-2025, as reported)."""
    terms = figures()["collection"]
    law: Given = {"contactFrom": terms["contact_from"], "contactUntil": terms["contact_until"], "callsPerDay": terms["calls_per_day"]}
    reason = MissingReason.NOT_APPLICABLE if not case.watch.owed else None if case.watch.monitoring else MissingReason.CONSENT_PURPOSE
    if reason:
        return {**dict.fromkeys(("bucket", "priority", "segment"), reason), **law}
    days = case.watch.days_past_due
    return {
        "bucket": next(name for name, least in terms["buckets"] if days >= least),
        "priority": tried(lambda: _priority(case)),
        "segment": tried(lambda: _segment(case)),
        **law,
    }


def _priority(case: Case) -> Decimal:
    terms = figures()["collection"]
    reachable = case.watch.contact.reachable
    if reachable is None:
        raise Null(MissingReason.NOT_CONNECTED)
    cash, service = _cash(case), max(ONE, case.number("rr_debt_service_12m"))
    ability = min(ONE, max(ZERO, cash * terms["ability"]["quarters"] / service))
    days, balance = terms["days"], terms["balance"]
    return Decimal(
        days["weight"] * min(ONE, Decimal(case.watch.days_past_due) / days["full"])
        + balance["weight"] * min(ONE, case.watch.balance / balance["full"])
        + terms["ability"]["weight"] * (1 - ability)
        + (terms["contact"]["weight"] if reachable else 0)
    )


def _cash(case: Case) -> Decimal:
    """Net operating cash of W3. NOT_APPLICABLE for a person without a business."""
    reading = Reading(Shared(case.made.dossier, case.made.policy.profile))
    if not reading.is_business:
        raise Null(MissingReason.NOT_APPLICABLE)
    return cash_of(reading, 3)


def _segment(case: Case) -> Value:
    if case.watch.days_past_due < 1:
        raise Null(MissingReason.NOT_APPLICABLE)
    verdict, terms = case.found.verdict, figures()["collection"]
    if verdict.tier is Tier.CONFLICT or set(verdict.flags) & set(terms["legal_flags"]):
        return "LEGAL"
    found = latest_sales_ratio(Sight.of(case))
    return "REMIND" if Decimal(str(found)) >= Decimal(terms["normal_sales"]) else "RESTRUCTURE"
