"""Inputs that policies may name beside features: small pure functions of the dossier, each documented and registered here.

A function returns a value, or raises Null with the reason, like a feature's formula.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from hub.credit.crosscheck.verdict import Verdict
from hub.credit.dossier import Dossier
from hub.credit.expressions import Known, Value
from hub.credit.features import Null
from hub.credit.features.reading import Reading, Shared
from hub.credit.features.risk_return import open_accounts
from hub.credit.features.series import SeriesProfile, filed, months_of_return
from hub.credit.values import FeatureSet
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import (
    BusinessRegistration,
    CreditAccount,
    PaymentAccount,
    PaymentTransaction,
    PublicRecord,
    RepaymentMonth,
    ShopPenalty,
    TaxArrear,
    TaxCreditRating,
    TaxPayment,
)
from hub.domain.money import ZERO
from hub.domain.periods import china_day, first_day, month_of, window

ARREARS = frozenset("1234567")
ARREARS_RUN, ARREARS_TOTAL = 3, 6
GOOD_RATINGS = frozenset("AB")


@dataclass(frozen=True, slots=True)
class Material:
    """What an input may look at."""

    dossier: Dossier
    features: FeatureSet
    verdict: Verdict


Input = Callable[[Material], Value]
_TABLE: dict[str, tuple[Input, bool, tuple[str, ...]]] = {}


def _input(name: str, *, numeric: bool = False, features: tuple[str, ...] = ()) -> Callable[[Input], Input]:
    def register(function: Input) -> Input:
        _TABLE[name] = (function, numeric, features)
        return function

    return register


def known_inputs(material: Material) -> dict[str, Known]:
    """Every input by name, check statuses among them."""
    found = {name: _known(entry, material) for name, entry in _TABLE.items()}
    return {**found, **{f"check_{name}": Known(str(one.status), None, False) for name, one in material.verdict.checks.items()}}


def _known(entry: tuple[Input, bool, tuple[str, ...]], material: Material) -> Known:
    function, numeric, features = entry
    try:
        return Known(function(material), None, numeric, features)
    except Null as null:
        return Known(None, null.reason, numeric, features)


def _need(material: Material, kind: SourceKind) -> None:
    reason = material.dossier.source(kind).reason
    if reason:
        raise Null(reason)


def _reading(material: Material) -> Reading:
    return Reading(Shared(material.dossier, SeriesProfile()))


@_input("verified_revenue", numeric=True, features=("rr_verified_revenue",))
def verified_revenue(material: Material) -> Value:
    """VR, with the haircut of a single observer where there is only one."""
    if material.verdict.revenue is None:
        raise Null(MissingReason.CONFLICT if material.verdict.tier == "CONFLICT" else MissingReason.INSUFFICIENT_COVERAGE)
    return material.verdict.revenue


@_input("consistency", numeric=True)
def consistency(material: Material) -> Value:
    """C of the cross-check."""
    if material.verdict.consistency is None:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return material.verdict.consistency


@_input("contribution_streak", numeric=True, features=("op_si_streak", "op_hf_streak"))
def contribution_streak(material: Material) -> Value:
    """The longer of the social-insurance and housing-fund streaks that are known; NOT_APPLICABLE only if both are."""
    streaks = [material.features["op_si_streak"], material.features["op_hf_streak"]]
    values = [one.number for one in streaks if one.number is not None]
    if values:
        return max(values)
    reasons = [one.missing for one in streaks if one.missing is not MissingReason.NOT_APPLICABLE]
    raise Null(reasons[0] or MissingReason.NOT_APPLICABLE if reasons else MissingReason.NOT_APPLICABLE)


@_input("registration_status")
def registration_status(material: Material) -> Value:
    """ACTIVE, REVOKED, CANCELLED or ABNORMAL."""
    _need(material, SourceKind.REGISTRATION)
    own = [one for one in material.dossier.of(BusinessRegistration) if one.uscc == material.dossier.subject.uscc]
    if not own:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return own[0].status


@_input("dishonest_record")
def dishonest_record(material: Material) -> Value:
    """An open entry on the list of dishonest debtors (失信被执行人)."""
    _need(material, SourceKind.PUBLIC_RECORD)
    return any(one.kind == "DISHONEST" and one.status == "OPEN" and one.role == "DEFENDANT" for one in material.dossier.of(PublicRecord))


def _arrears(material: Material) -> set[str]:
    """Months of W24 with an arrears status on an account that counts."""
    _need(material, SourceKind.BUREAU)
    debtors = _reading(material).debtors
    counted = {one.account_number for one in material.dossier.of(CreditAccount) if one.borrower in debtors}
    months = set(window(material.dossier.as_of, 24))
    rows = (one for one in material.dossier.of(RepaymentMonth) if one.account_number in counted and one.month in months)
    return {one.month for one in rows if one.status in ARREARS}


@_input("arrears_in_m0")
def arrears_in_m0(material: Material) -> Value:
    """Any arrears status in M0."""
    return window(material.dossier.as_of, 1)[0] in _arrears(material)


@_input("three_consecutive_six_total", features=("rr_arrears_count_24m",))
def three_consecutive_six_total(material: Material) -> Value:
    """连三累六: three consecutive or six total months of arrears in W24."""
    months, run, longest = _arrears(material), 0, 0
    for month in window(material.dossier.as_of, 24):
        run = run + 1 if month in months else 0
        longest = max(longest, run)
    return longest >= ARREARS_RUN or len(months) >= ARREARS_TOTAL


@_input("fake_trade_penalty")
def fake_trade_penalty(material: Material) -> Value:
    """A FAKE_TRADE (刷单) penalty decided in W12 or since."""
    _need(material, SourceKind.SHOP)
    since = first_day(window(material.dossier.as_of, 12)[0])
    return any(one.kind == "FAKE_TRADE" and one.decided_on >= since for one in material.dossier.of(ShopPenalty))


@_input("settlement_account_at_lender")
def settlement_account_at_lender(material: Material) -> Value:
    """The account that receives the sales money is kept at the lending bank."""
    _need(material, SourceKind.PAYMENT)
    lender = material.dossier.reference.lender
    return any(one.role == "SETTLEMENT" and one.institution == lender for one in material.dossier.of(PaymentAccount))


@_input("lender_receipts_share", numeric=True)
def lender_receipts_share(material: Material) -> Value:
    """Share of the sales receipts and payouts of W12 that arrived in accounts at the lender."""
    _need(material, SourceKind.PAYMENT)
    dossier = material.dossier
    at_lender = {one.account_number for one in dossier.of(PaymentAccount) if one.institution == dossier.reference.lender}
    months = {month for month in window(dossier.as_of, 12) if dossier.source(SourceKind.PAYMENT).covers(month)}
    kinds = ("SALES_RECEIPT", "PLATFORM_PAYOUT")
    rows = [
        one
        for one in dossier.of(PaymentTransaction)
        if one.direction == "IN" and one.category in kinds and month_of(china_day(one.at)) in months
    ]
    total = sum((one.amount for one in rows), ZERO)
    if total <= 0:
        raise Null(MissingReason.ZERO_DENOMINATOR)
    return sum((one.amount for one in rows if one.account_number in at_lender), ZERO) / total


@_input("existing_balances", numeric=True)
def existing_balances(material: Material) -> Value:
    """Balances of the open accounts of those whose debts count."""
    return sum((one.balance for one in open_accounts(_reading(material))), ZERO)


@_input("working_capital_balances", numeric=True)
def working_capital_balances(material: Material) -> Value:
    """Balances of open working-capital loans: OPERATING and BULLET or REVOLVING."""
    loans = [one for one in open_accounts(_reading(material)) if one.kind == "OPERATING" and one.repayment in ("BULLET", "REVOLVING")]
    return sum((one.balance for one in loans), ZERO)


@_input("other_bank_tax_loan")
def other_bank_tax_loan(material: Material) -> Value:
    """An open bank-tax loan elsewhere."""
    return any(one.bank_tax_loan for one in open_accounts(_reading(material)))


@_input("open_tax_arrears")
def open_tax_arrears(material: Material) -> Value:
    """Tax owed and not cleared."""
    _need(material, SourceKind.TAX)
    return any(one.cleared_on is None or one.cleared_on > material.dossier.as_of for one in material.dossier.of(TaxArrear))


@_input("tax_payments_3m", numeric=True)
def tax_payments_3m(material: Material) -> Value:
    """Number of payments of tax (no late fees) in W3."""
    _need(material, SourceKind.TAX)
    months = set(window(material.dossier.as_of, 3))
    counted = (one for one in material.dossier.of(TaxPayment) if not one.late_fee and one.tax_kind in ("VAT", "CIT", "IIT_BUSINESS"))
    return sum(1 for one in counted if month_of(one.paid_on) in months)


@_input("mean_tax_paid", numeric=True, features=("ss_tax_paid",))
def mean_tax_paid(material: Material) -> Value:
    """Mean of the tax paid in W12 and in the twelve months before, over the covered ones of the two."""
    _need(material, SourceKind.TAX)
    years = [total for skip in (0, 12) if (total := _tax_paid(material, skip)) is not None]
    if not years:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return sum(years, ZERO) / len(years)


def _tax_paid(material: Material, skip: int) -> Decimal | None:
    """VAT and the income tax that goes with it, by month of payment; None when the window is not covered enough."""
    reading = _reading(material)
    try:
        months = set(reading.months(SourceKind.TAX, 12, skip))
    except Null:
        return None
    kinds = ("VAT", "IIT_BUSINESS") if (material.dossier.subject.uscc or "").startswith("92") else ("VAT", "CIT")
    counted = (one for one in material.dossier.of(TaxPayment) if one.tax_kind in kinds and not one.late_fee)
    return sum((one.amount for one in counted if month_of(one.paid_on) in months), ZERO)


@_input("zero_filing_run", numeric=True, features=("ss_zero_filings",))
def zero_filing_run(material: Material) -> Value:
    """Most consecutive months of zero VAT filings in W12; a zero quarter counts three."""
    _need(material, SourceKind.TAX)
    zero = {month for one in filed(material.dossier, "VAT") if one.declared_revenue == 0 for month in months_of_return(one)}
    run = longest = 0
    for month in window(material.dossier.as_of, 12):
        run = run + 1 if month in zero else 0
        longest = max(longest, run)
    return longest


@_input("two_good_ratings", features=("ss_tax_rating",))
def two_good_ratings(material: Material) -> Value:
    """The two latest published ratings are consecutive years and A or B."""
    _need(material, SourceKind.TAX)
    known_on = china_day(material.dossier.known_at)
    ratings = sorted(
        (one for one in material.dossier.of(TaxCreditRating) if one.published_on <= known_on), key=lambda one: one.rating_year
    )[-2:]
    consecutive = len(ratings) == 2 and ratings[1].rating_year - ratings[0].rating_year == 1
    return consecutive and all(one.grade in GOOD_RATINGS for one in ratings)


@_input("invoice_readable")
def invoice_readable(material: Material) -> Value:
    """Invoices are connected and may be used."""
    return material.dossier.readable(SourceKind.INVOICE)


INPUTS = frozenset(_TABLE) | frozenset(
    f"check_{name}" for name in ("R1", "R2", "R3", "R4", "R5", "R6", "P1", "P2", "P3", "L1", "L2", "L3", "L4")
)
"""Every name that an expression may use beside feature ids."""

__all__ = ["INPUTS", "Material", "known_inputs"]
