"""D5 成本结构: cost over sales, staff and contributions (domain brief, section 3).

The denominator is S over the months both cover: without VAT for wages and the VAT burden, with VAT for amounts paid from accounts.
"""

from __future__ import annotations

from decimal import Decimal

from hub.credit.features.catalogue import ALL, W12, Null, Reads, Value, formula
from hub.credit.features.reading import Reading, ratio
from hub.credit.features.series import employer_months, headcounts, is_small_scale, observed, settled_fees, vat_by_month, withholding
from hub.domain.enums import MissingReason, SourceKind, Unit
from hub.domain.facts import (
    EmployerSocialInsuranceMonth,
    HousingFundEntry,
    Order,
    PaymentTransaction,
    Refund,
    Settlement,
    ShopMonthlySummary,
    TaxpayerProfile,
    TaxReturn,
)
from hub.domain.money import ZERO
from hub.domain.periods import Month

SALES = Reads(W12, sales=True)
PAID = Reads(W12, (PaymentTransaction,))
WAGES = Reads(W12, (TaxReturn, PaymentTransaction))
STAFF = (Reads(W12, (EmployerSocialInsuranceMonth,)),)
FEWEST_HEADS = 3


@formula("cs_wage_ratio", Unit.RATIO, span=W12, reads=[WAGES, SALES], business_only=True)
def wage_ratio(read: Reading) -> Value:
    """Wages of the withholding returns (else OUT[WAGE]) / S without VAT, over the months both cover."""
    return read.against_sales(_wages(read), 12, with_vat=False)


def _wages(read: Reading) -> dict[Month, Decimal]:
    """Declared wages by month if enough months were declared, otherwise wages paid from accounts."""
    declared = {month: one.wage_total for month, one in withholding(read.dossier, read.window(12)).items() if one.wage_total is not None}
    if len(declared) >= read.parameters.minimum_months[12]:
        return declared
    if not read.dossier.readable(SourceKind.PAYMENT):
        read.need(SourceKind.TAX, SourceKind.PAYMENT)
    return read.dossier.series("OUT.WAGE", SourceKind.PAYMENT, read.window(12))


@formula("cs_rent_ratio", Unit.RATIO, span=W12, reads=[PAID, SALES], business_only=True)
def rent_ratio(read: Reading) -> Value:
    """OUT[RENT] / S including VAT, over the months both cover."""
    return _paid_ratio(read, "OUT.RENT")


@formula("cs_logistics_ratio", Unit.RATIO, span=W12, reads=[PAID, SALES], business_only=True)
def logistics_ratio(read: Reading) -> Value:
    """OUT[LOGISTICS] / S including VAT, over the months both cover."""
    return _paid_ratio(read, "OUT.LOGISTICS")


@formula("cs_utility_ratio", Unit.RATIO, span=W12, reads=[PAID, SALES], business_only=True)
def utility_ratio(read: Reading) -> Value:
    """OUT[UTILITY] / S including VAT, over the months both cover."""
    return _paid_ratio(read, "OUT.UTILITY")


def _paid_ratio(read: Reading, name: str) -> Decimal:
    read.need(SourceKind.PAYMENT)
    return read.against_sales(read.dossier.series(name, SourceKind.PAYMENT, read.window(12)), 12, with_vat=True)


@formula("cs_take_rate", Unit.RATIO, span=W12, reads=[Reads(W12, (Settlement, Order, Refund, ShopMonthlySummary))], business_only=True)
def take_rate_12m(read: Reading) -> Value:
    """(Commission + advertising + other fees) / NGMV of the settled months. Null without settlements, NOT_APPLICABLE without a shop."""
    read.need_shop()
    read.need(SourceKind.SHOP, SourceKind.SETTLEMENT)
    fees = settled_fees(read.dossier, read.window(12))
    sales = observed(read.dossier, "TRADE", [month for month in read.window(12) if month in fees])
    months = read.enough(sales, 12)
    return ratio(sum((fees[month] for month in months), ZERO), sum(sales.values(), ZERO))


@formula("cs_vat_burden", Unit.RATIO, span=W12, reads=[Reads(W12, (TaxReturn,)), Reads(ALL, (TaxpayerProfile,))], business_only=True)
def vat_burden(read: Reading) -> Value:
    """VAT payable / declared revenue of the VAT returns of W12. NOT_APPLICABLE to a small-scale taxpayer."""
    read.need(SourceKind.TAX)
    if is_small_scale(read.dossier):
        raise Null(MissingReason.NOT_APPLICABLE)
    by_month = vat_by_month(read.dossier)
    months = read.enough((month for month in read.window(12) if month in by_month), 12)
    returns = {(one.period_start, one.period_end): one for one in (by_month[month] for month in months)}.values()
    payable = sum((read.known(one.tax_payable) for one in returns), ZERO)
    return ratio(payable, sum((one.declared_revenue or ZERO for one in returns), ZERO))


@formula(
    "cs_social_cost_ratio",
    Unit.RATIO,
    span=W12,
    reads=[WAGES, Reads(W12, (EmployerSocialInsuranceMonth, HousingFundEntry))],
    business_only=True,
)
def social_cost_ratio(read: Reading) -> Value:
    """Employer parts of social insurance due and of housing-fund deposits the business made / wages, over the months both cover. NOT_APPLICABLE without
    employees."""
    staff = _with_employees(read)
    wages = _wages(read)
    months = read.enough((month for month in staff if month in wages), 12)
    rows = employer_months(read.dossier, months)
    social = sum((row.due for month in months for row in rows[month]), ZERO)
    return ratio(social + _fund_parts(read, months), sum((wages[month] for month in months), ZERO))


def _fund_parts(read: Reading, months: list[Month]) -> Decimal:
    own = read.dossier.subject.uscc
    entries = [one for one in read.dossier.of(HousingFundEntry) if one.employer == own and one.kind in ("DEPOSIT", "BACK_PAYMENT")]
    return sum((one.employer_amount for one in entries if one.period in months), ZERO)


@formula("cs_headcount_avg", Unit.HEADS, span=W12, reads=STAFF, business_only=True)
def headcount_avg(read: Reading) -> Value:
    """Mean insured head-count over the covered months. NOT_APPLICABLE without employees."""
    staff = _with_employees(read)
    return Decimal(sum(staff.values())) / len(staff)


@formula("cs_headcount_change", Unit.RATIO, span=W12, reads=STAFF, business_only=True)
def headcount_change(read: Reading) -> Value:
    """Head-count of M0 / head-count of M-11 - 1. NOT_APPLICABLE without employees or with fewer than 3 in M-11."""
    staff, months = _with_employees(read), read.window(12)
    now, before = read.known(staff.get(months[-1])), read.known(staff.get(months[0]))
    if before < FEWEST_HEADS:
        raise Null(MissingReason.NOT_APPLICABLE)
    return Decimal(now) / before - 1


@formula("cs_si_on_time_months", Unit.COUNT, span=W12, reads=STAFF, business_only=True)
def si_on_time_months(read: Reading) -> Value:
    """Number of months whose employer parts of all insurances were paid by their due day. NOT_APPLICABLE without employees."""
    months = list(_with_employees(read))
    return sum(1 for rows in employer_months(read.dossier, months).values() if rows and all(_on_time(row) for row in rows))


def _on_time(row: EmployerSocialInsuranceMonth) -> bool:
    return row.paid_on is not None and (row.due_on is None or row.paid_on <= row.due_on)


def _with_employees(read: Reading) -> dict[Month, int]:
    """Head-counts of the covered months of W12, if the business has employees. One that the source knows nothing of as an employer is unknown."""
    covered = read.months(SourceKind.SOCIAL_INSURANCE, 12)
    staff = headcounts(read.dossier, covered)
    if not staff:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    if not any(staff.values()):
        raise Null(MissingReason.NOT_APPLICABLE)
    return staff
