"""Inputs about the register, the bureau, the accounts, and what the cross-check found."""

from __future__ import annotations

from hub.credit.expressions import Value
from hub.credit.features import Null
from hub.credit.features.risk_return import open_accounts
from hub.credit.features.series import RECEIPTS, movements
from hub.credit.scenario.inputs.table import Material, given
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import (
    BusinessRegistration,
    CreditAccount,
    PaymentAccount,
    PublicRecord,
    RepaymentMonth,
    ShopPenalty,
)
from hub.domain.money import ZERO
from hub.domain.periods import first_day, window

ARREARS = frozenset("1234567")
CLEAN = frozenset("NCM")
ARREARS_RUN, ARREARS_TOTAL = 3, 6


@given("verified_revenue", "NUMBER", features=("rr_verified_revenue",))
def verified_revenue(material: Material) -> Value:
    """Verified revenue (VR) of W12 by what observes it: tax, sales and receipts. With the haircut of a single observer where there is only one."""
    if material.verdict.revenue is None:
        conflict = material.verdict.tier == "CONFLICT" or "REVENUE_CONFLICT" in material.verdict.flags
        raise Null(MissingReason.CONFLICT if conflict else MissingReason.INSUFFICIENT_COVERAGE)
    return material.verdict.revenue


@given("aligned_months", "NUMBER")
def aligned_months(material: Material) -> Value:
    """Number of months that verified revenue is a sum of: those that its observers cover together."""
    if material.observers is None or not material.observers.months:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return len(material.observers.months)


@given("purpose", ("OPERATING", "CONSUMPTION"))
def purpose(material: Material) -> Value:
    """What the money is asked for."""
    return material.purpose


@given("consistency", "NUMBER")
def consistency(material: Material) -> Value:
    """How far the sources agree, from 0 (not at all) to 1: C of the cross-check."""
    if material.verdict.consistency is None:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return material.verdict.consistency


@given("contribution_streak", "NUMBER", features=("op_si_streak", "op_hf_streak"))
def contribution_streak(material: Material) -> Value:
    """The longer of the social-insurance and housing-fund streaks that are known; NOT_APPLICABLE only if both are."""
    streaks = [material.features["op_si_streak"], material.features["op_hf_streak"]]
    values = [one.number for one in streaks if one.number is not None]
    if values:
        return max(values)
    reasons = [one.missing for one in streaks if one.missing is not MissingReason.NOT_APPLICABLE]
    raise Null(reasons[0] or MissingReason.NOT_APPLICABLE if reasons else MissingReason.NOT_APPLICABLE)


@given("registration_status", ("ACTIVE", "REVOKED", "CANCELLED", "ABNORMAL"))
def registration_status(material: Material) -> Value:
    """Status of the business in the company register."""
    material.need(SourceKind.REGISTRATION)
    own = [one for one in material.dossier.of(BusinessRegistration) if one.uscc == material.dossier.subject.uscc]
    if not own:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return own[0].status


@given("in_service_area")
def in_service_area(material: Material) -> Value:
    """It is registered, or has its registered operating place, in a city that the lender serves; a person without a business lives there. NOT_APPLICABLE where the
    lender is bound to no area (互联网贷款 2021-24)."""
    area, subject = material.dossier.reference.service_area, material.dossier.subject
    if area is None:
        raise Null(MissingReason.NOT_APPLICABLE)
    if not subject.is_business:
        cities = {subject.residence_city}
    else:
        material.need(SourceKind.REGISTRATION)
        cities = {
            city for one in material.dossier.of(BusinessRegistration) if one.uscc == subject.uscc for city in (one.city, one.operating_city)
        }
    if not cities - {None}:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return bool(cities & area)


@given("dishonest_record")
def dishonest_record(material: Material) -> Value:
    """An open entry on the list of dishonest debtors (失信被执行人)."""
    material.need(SourceKind.PUBLIC_RECORD)
    return any(one.kind == "DISHONEST" and one.status == "OPEN" and one.role == "DEFENDANT" for one in material.dossier.of(PublicRecord))


def _arrears(material: Material) -> set[str]:
    """Months of W24 with an arrears status on an account that counts."""
    material.need(SourceKind.BUREAU)
    debtors = material.reading.debtors
    counted = {one.account_number for one in material.dossier.of(CreditAccount) if one.borrower in debtors}
    months = set(window(material.dossier.as_of, 24))
    rows = (one for one in material.dossier.of(RepaymentMonth) if one.account_number in counted and one.month in months)
    return {one.month for one in rows if one.status in ARREARS}


@given("arrears_in_m0")
def arrears_in_m0(material: Material) -> Value:
    """An account of those whose debts count has a status of arrears in M0, by the bureau's report."""
    return window(material.dossier.as_of, 1)[0] in _arrears(material)


@given("three_consecutive_six_total", features=("rr_arrears_count_24m",))
def three_consecutive_six_total(material: Material) -> Value:
    """连三累六: three consecutive or six total months of arrears in W24."""
    months, run, longest = _arrears(material), 0, 0
    for month in window(material.dossier.as_of, 24):
        run = run + 1 if month in months else 0
        longest = max(longest, run)
    return longest >= ARREARS_RUN or len(months) >= ARREARS_TOTAL


@given("fake_trade_penalty")
def fake_trade_penalty(material: Material) -> Value:
    """A FAKE_TRADE (刷单) penalty decided in W12 or since."""
    material.need(SourceKind.SHOP)
    since = first_day(window(material.dossier.as_of, 12)[0])
    return any(one.kind == "FAKE_TRADE" and one.decided_on >= since for one in material.dossier.of(ShopPenalty))


@given("settlement_account_at_lender")
def settlement_account_at_lender(material: Material) -> Value:
    """The account that receives the sales money is kept at the lending bank."""
    material.need(SourceKind.PAYMENT)
    lender = material.dossier.reference.lender
    return any(one.role == "SETTLEMENT" and one.institution == lender for one in material.dossier.of(PaymentAccount))


@given("lender_receipts_share", "NUMBER")
def lender_receipts_share(material: Material) -> Value:
    """Share of the sales receipts and payouts of W12 that arrived in accounts at the lender."""
    material.need(SourceKind.PAYMENT)
    dossier = material.dossier
    at_lender = {one.account_number for one in dossier.of(PaymentAccount) if one.institution == dossier.reference.lender}
    months = set(dossier.source(SourceKind.PAYMENT).covered_of(window(dossier.as_of, 12)))
    rows = [one for month, one in movements(dossier) if month in months and one.direction == "IN" and one.category in RECEIPTS]
    total = sum((one.amount for one in rows), ZERO)
    if total <= 0:
        raise Null(MissingReason.ZERO_DENOMINATOR)
    return sum((one.amount for one in rows if one.account_number in at_lender), ZERO) / total


@given("existing_balances", "NUMBER")
def existing_balances(material: Material) -> Value:
    """Balances of the open accounts of those whose debts count, by the bureau's report, in yuan."""
    return sum((one.balance for one in open_accounts(material.reading)), ZERO)


@given("working_capital_balances", "NUMBER")
def working_capital_balances(material: Material) -> Value:
    """Balances of open working-capital loans (operating loans that are repaid at the end or at will), by the bureau's report, in yuan."""
    loans = [one for one in open_accounts(material.reading) if one.kind == "OPERATING" and one.repayment in ("BULLET", "REVOLVING")]
    return sum((one.balance for one in loans), ZERO)


@given("monthly_debt_due", "NUMBER")
def monthly_debt_due(material: Material) -> Value:
    """What is due every month on the open accounts of those whose debts count, in yuan."""
    return sum((one.monthly_due for one in open_accounts(material.reading)), ZERO)


@given("clean_months_at_lender", "NUMBER")
def clean_months_at_lender(material: Material) -> Value:
    """Months of W12 in a row up to M0 in which every account at the lender was paid in time; 0 without an earlier loan there."""
    material.need(SourceKind.BUREAU)
    dossier, debtors = material.dossier, material.reading.debtors
    own = {one.account_number for one in dossier.of(CreditAccount) if one.borrower in debtors and one.lender == dossier.reference.lender}
    count = 0
    for month in reversed(window(dossier.as_of, 12)):
        statuses = [one.status for one in dossier.of(RepaymentMonth) if one.account_number in own and one.month == month]
        if not statuses or any(status not in CLEAN for status in statuses):
            break
        count += 1
    return count


@given("other_bank_tax_loan")
def other_bank_tax_loan(material: Material) -> Value:
    """An open bank-tax loan (银税贷) of any lender, by the bureau's report."""
    return any(one.bank_tax_loan for one in open_accounts(material.reading))


@given("invoice_readable")
def invoice_readable(material: Material) -> Value:
    """The customer's invoices are connected and may be used."""
    return material.dossier.readable(SourceKind.INVOICE)
