"""Inputs about employers and persons: contributions, housing fund, income, residence."""

from __future__ import annotations

from decimal import Decimal

from hub.credit.expressions import Value
from hub.credit.features import Null
from hub.credit.features.reading import ratio
from hub.credit.features.risk_return import open_accounts
from hub.credit.features.series import employer_months, headcounts
from hub.credit.parameters import parameters
from hub.credit.policies import document
from hub.credit.scenario.inputs.table import Material, given, nobody_says
from hub.credit.segments import is_new_citizen
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import (
    BusinessRegistration,
    HousingFundAccount,
    HousingFundEntry,
    PersonalIncome,
    SocialInsuranceContribution,
)
from hub.domain.money import ZERO
from hub.domain.periods import Month, add_months, last_day, window

DEPOSITS = ("DEPOSIT", "BACK_PAYMENT")
FUNDS = (SourceKind.SOCIAL_INSURANCE, SourceKind.HOUSING_FUND)
HALF_YEAR = 6
"""Months that somebody must have been here and active; fewer are only known to be fewer where the sources cover the year."""


@given("insured_headcount", "NUMBER", features=("cs_headcount_avg",))
def insured_headcount(material: Material) -> Value:
    """Mean insured head-count of W12; 0 of a business that is known to have no employees."""
    found = material.features["cs_headcount_avg"]
    if found.missing is MissingReason.NOT_APPLICABLE and material.dossier.subject.is_business:
        return 0
    return _of(material, "cs_headcount_avg")


def _of(material: Material, feature: str) -> Decimal:
    found = material.features[feature]
    if found.number is None:
        raise Null(found.missing or MissingReason.INSUFFICIENT_COVERAGE)
    return found.number


@given("insurance_arrears")
def insurance_arrears(material: Material) -> Value:
    """There is a covered month of W12 for which the employer's part of an insurance is not paid."""
    return _unpaid_months(material) > 0


@given("unpaid_insurance_months", "NUMBER")
def unpaid_insurance_months(material: Material) -> Value:
    """Number of covered months of W12 for which the employer's part of an insurance is not paid."""
    return _unpaid_months(material)


def _unpaid_months(material: Material) -> int:
    months = material.reading.months(SourceKind.SOCIAL_INSURANCE, 12)
    known = employer_months(material.dossier, months)
    if not known:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return sum(1 for rows in known.values() if any((one.due > 0 and one.paid_on is None) or one.arrears > 0 for one in rows))


@given("employer_contributions", "NUMBER")
def employer_contributions(material: Material) -> Value:
    """Employer parts of all insurances that were paid for the covered months of W12, in yuan."""
    months = material.reading.months(SourceKind.SOCIAL_INSURANCE, 12)
    known = employer_months(material.dossier, months)
    if not known:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return sum((one.paid for rows in known.values() for one in rows if one.paid_on is not None), ZERO)


@given("fund_staff_share", "NUMBER")
def fund_staff_share(material: Material) -> Value:
    """Share of the insured staff of M0 for whom the business made a housing-fund deposit of M0."""
    material.need(SourceKind.HOUSING_FUND, SourceKind.SOCIAL_INSURANCE)
    month = window(material.dossier.as_of, 1)[0]
    holders = {one.account_number: one.person for one in material.dossier.of(HousingFundAccount)}
    rows = (one for one in material.dossier.of(HousingFundEntry) if one.period == month and one.kind in DEPOSITS)
    staff = {holders.get(one.account_number, one.account_number) for one in rows if one.employer == material.dossier.subject.uscc}
    insured = headcounts(material.dossier, [month]).get(month, 0)
    return ratio(Decimal(len(staff)), Decimal(insured))


@given("jobs_created", "NUMBER")
def jobs_created(material: Material) -> Value:
    """Insured head-count of M0 less that of M-11, at least 0; 0 of a business that is known to have no employees."""
    material.need(SourceKind.SOCIAL_INSURANCE)
    months = window(material.dossier.as_of, 12)
    heads = headcounts(material.dossier, months)
    if months[0] not in heads or months[-1] not in heads:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return max(0, heads[months[-1]] - heads[months[0]])


@given("jobs_created_share", "NUMBER")
def jobs_created_share(material: Material) -> Value:
    """Jobs created over the head-count of M0. NOT_APPLICABLE to anybody but an enterprise (USCC 91)."""
    if not (material.dossier.subject.uscc or "").startswith("91"):
        raise Null(MissingReason.NOT_APPLICABLE)
    month = window(material.dossier.as_of, 1)[0]
    created = Decimal(jobs_created(material))
    return ratio(created, Decimal(headcounts(material.dossier, [month])[month]))


# Housing fund


def _accounts(material: Material) -> list[HousingFundAccount]:
    """The person's accounts, the current one last."""
    material.need(SourceKind.HOUSING_FUND)
    own = [one for one in material.dossier.of(HousingFundAccount) if one.person == material.person]
    return sorted(own, key=lambda one: (one.paid_through or "", one.opened_on or material.dossier.as_of))


@given("fund_account_status", ("NORMAL", "SEALED", "CLOSED", "MOVED", "OTHER", "NONE"))
def fund_account_status(material: Material) -> Value:
    """Status of the person's current housing-fund account: the one paid into last. NONE when the source knows no account of his."""
    accounts = _accounts(material)
    return accounts[-1].status if accounts else "NONE"


def _deposits(material: Material) -> dict[Month, Decimal]:
    """Deposits of the person by month, both parts, up to M0."""
    own, last = {one.account_number for one in _accounts(material)}, window(material.dossier.as_of, 1)[0]
    found: dict[Month, Decimal] = {}
    for one in material.dossier.of(HousingFundEntry):
        if one.account_number in own and one.kind in DEPOSITS and one.period and one.period <= last:
            found[one.period] = found.get(one.period, ZERO) + one.total
    return found


@given("monthly_deposit", "NUMBER")
def monthly_deposit(material: Material) -> Value:
    """Employer's and employee's part of the last month up to M0 for which there was a deposit, in yuan."""
    found = _deposits(material)
    if not found:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return found[max(found)]


@given("fund_streak", "NUMBER", features=("op_hf_streak",))
def fund_streak(material: Material) -> Value:
    """Months in a row with a housing-fund deposit (the feature op_hf_streak). Less than a year is unknown when the month before the streak is
    not covered and an account is older than it: then nobody knows of an interruption."""
    found, month = int(_of(material, "op_hf_streak")), window(material.dossier.as_of, 1)[0]
    last = month if month in _deposits(material) else add_months(month, -1)
    before = add_months(last, -found)
    older = any(one.opened_on is None or one.opened_on <= last_day(before) for one in _accounts(material))
    if found < 2 * HALF_YEAR and older and not material.dossier.source(SourceKind.HOUSING_FUND).covers(before):
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return found


@given("fund_missed_months", "NUMBER")
def fund_missed_months(material: Material) -> Value:
    """Covered months of W3 without a deposit."""
    found = _deposits(material)
    return sum(1 for month in material.reading.months(SourceKind.HOUSING_FUND, 3) if month not in found)


@given("debt_to_income", "NUMBER", features=("op_hf_implied_income",))
def debt_to_income(material: Material) -> Value:
    """DTI: what is due every month on open accounts over the income that the housing fund implies."""
    due = sum((one.monthly_due for one in open_accounts(material.reading)), ZERO)
    return ratio(due, _of(material, "op_hf_implied_income"))


@given("same_employer_in_m0")
def same_employer_in_m0(material: Material) -> Value:
    """The employer that pays the person's social insurance of M0 is the one that pays his housing fund of M0."""
    material.need(SourceKind.SOCIAL_INSURANCE, SourceKind.HOUSING_FUND)
    month = window(material.dossier.as_of, 1)[0]
    named = {one.account_number: one.employer for one in _accounts(material)}
    fund = {
        one.employer or named[one.account_number]
        for one in material.dossier.of(HousingFundEntry)
        if one.period == month and one.account_number in named and one.kind in DEPOSITS
    }
    insured = {one.employer for one in _contributions(material) if one.period == month and one.paid_on is not None}
    return bool((fund & insured) - {"", None})


# Income and residence of a person


def _contributions(material: Material) -> list[SocialInsuranceContribution]:
    rows = material.dossier.of(SocialInsuranceContribution)
    return [one for one in rows if one.person == material.person and one.kind != "REFUND"]


@given("verified_income", "NUMBER", features=("rr_net_operating_cash", "op_hf_implied_income"))
def verified_income(material: Material) -> Value:
    """Income a month, in yuan. An owner's: operating cash over the covered months. An employee's: the smaller of the income the housing fund implies and the
    mean declared one; with a haircut if only one is known."""
    if material.dossier.subject.is_business:
        return _of(material, "rr_net_operating_cash") / len(material.reading.months(SourceKind.PAYMENT, 12))
    known = [one for one in (material.features["op_hf_implied_income"].number, _declared_income(material)) if one is not None]
    if not known:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return min(known) if len(known) > 1 else Decimal(document("engine")["single_income_haircut"]) * known[0]


def _declared_income(material: Material) -> Decimal | None:
    """Mean declared income of the covered months of W12; None where too few are covered or nothing was declared."""
    if not material.reading.covers_enough(SourceKind.TAX, 12):
        return None
    months = material.reading.months(SourceKind.TAX, 12)
    rows = [one for one in material.dossier.of(PersonalIncome) if one.person == material.person and one.month in months]
    return sum((one.amount for one in rows), ZERO) / len(months) if rows else None


@given("new_citizen")
def new_citizen(material: Material) -> Value:
    """新市民: lives where he has no local hukou, or has had it for less than three years."""
    material.need(SourceKind.IDENTITY)
    found = is_new_citizen(material.dossier)
    if found is None:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return found


@given("local_insurance_months", "NUMBER")
def local_insurance_months(material: Material) -> Value:
    """Months of W60 with a payment into social insurance in the city of operation, of residence for a person without a business."""
    material.need(SourceKind.SOCIAL_INSURANCE)
    city, months = _city(material), set(window(material.dossier.as_of, 60))
    return len({one.period for one in _contributions(material) if one.city == city and one.paid_on} & months)


def _city(material: Material) -> str | None:
    subject = material.dossier.subject
    if not subject.is_business:
        return subject.residence_city
    own = [one for one in material.dossier.of(BusinessRegistration) if one.uscc == subject.uscc]
    return (own[0].operating_city or own[0].city) if own else None


@given("local_months", "NUMBER", features=("op_local_months",))
def local_months(material: Material) -> Value:
    """Months in the city (the feature op_local_months). Unknown when it is less than half a year and neither social insurance nor housing fund
    covers enough of W12 to say that there were no more."""
    found = _of(material, "op_local_months")
    covered = {month for kind in FUNDS for month in _covered(material, kind)}
    if found < HALF_YEAR and len(covered) < parameters().minimum_months[12]:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return found


def _covered(material: Material, kind: SourceKind) -> list[Month]:
    """Covered months of W12; none of a source that is not readable."""
    state = material.dossier.source(kind)
    return [month for month in window(material.dossier.as_of, 12) if state.readable and state.covers(month)]


@given("activity_months", "NUMBER")
def activity_months(material: Material) -> Value:
    """Months of W12 with activity in the one source that shows most of them: paid orders, sales receipts, or an employer's contributions. Unknown when they are less
    than half a year and a source that covers too little of W12 may have had more: a month that it does not cover is no month without activity."""
    shown = {kind: count for kind, count in _active(material).items() if material.dossier.readable(kind)}
    if not shown:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    covered = {kind: len(_covered(material, kind)) for kind in shown}
    short = [kind for kind in shown if covered[kind] < parameters().minimum_months[12]]
    most = max(shown.values())
    if most < HALF_YEAR and any(shown[kind] + 12 - covered[kind] >= HALF_YEAR for kind in short):
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return most


def _active(material: Material) -> dict[SourceKind, int]:
    """Months of W12 with activity, by source."""
    dossier, months = material.dossier, window(material.dossier.as_of, 12)

    def sold(kind: SourceKind, *names: str) -> int:
        return len({month for name in names for month, amount in dossier.series(name, kind, months).items() if amount > 0})

    insured = {one.period for one in _contributions(material) if one.employer and one.paid_on}
    deposited = set(_deposits(material)) if dossier.readable(SourceKind.HOUSING_FUND) else set()
    return {
        SourceKind.SHOP: sold(SourceKind.SHOP, "GMV"),
        SourceKind.PAYMENT: sold(SourceKind.PAYMENT, "IN.SALES_RECEIPT", "IN.PLATFORM_PAYOUT"),
        SourceKind.SOCIAL_INSURANCE: len(insured & set(months)),
        SourceKind.HOUSING_FUND: len(deposited & set(months)),
    }


@given("rent_months", "NUMBER")
def rent_months(material: Material) -> Value:
    """Months of W6 in which rent was paid from an account."""
    months = material.reading.months(SourceKind.PAYMENT, 6)
    return sum(1 for amount in material.dossier.series("OUT.RENT", SourceKind.PAYMENT, months).values() if amount > 0)


nobody_says("skill_certificate", "FLAG", "A certificate of a skill (职业技能证书). No source serves certificates.")
