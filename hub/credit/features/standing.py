"""D4 行业风险与合规: what the tax authority and the register say of the business (domain brief, section 3)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.credit.dossier import Dossier
from hub.credit.features.catalogue import ALL, W12, W24, Null, Reads, Value, formula
from hub.credit.features.reading import Reading
from hub.credit.features.series import files_quarterly, files_vat, vat_by_month
from hub.domain.enums import MissingReason, SourceKind, Unit
from hub.domain.facts import BusinessRegistration, TaxCreditRating, TaxPayment, TaxReturn
from hub.domain.money import ZERO
from hub.domain.periods import Month, add_months, china_day, first_day, full_months, last_day, month_of

REVENUE_TAXES = ("VAT", "CIT", "IIT_BUSINESS")


@formula("ss_zero_filings", Unit.COUNT, span=W12, reads=[Reads(W12, (TaxReturn,))], business_only=True)
def zero_filings(read: Reading) -> Value:
    """Number of months of W12 whose VAT return declares no revenue; a zero quarter counts its three months. A missed return is not a zero return: its months are
    not covered."""
    read.need(SourceKind.TAX)
    returns = vat_by_month(read.dossier)
    months = read.enough((month for month in read.window(12) if month in returns), 12)
    return sum(1 for month in months if returns[month].declared_revenue == 0)


@formula(
    "ss_missed_filings", Unit.COUNT, span=W24, reads=[Reads(W24, (TaxReturn,)), Reads(ALL, (BusinessRegistration,))], business_only=True
)
def missed_filings(read: Reading) -> Value:
    """Number of VAT periods of W24 that were due by the data end and not filed. A period that was over before the business was established was not due;
    null when nothing says that the business files VAT at all."""
    return len(missed_periods(read))


def missed_periods(read: Reading) -> list[tuple[Month, date]]:
    """Such periods: the month each ends with, and the day it was due. Raises Null."""
    months = read.months(SourceKind.TAX, 24)
    if not files_vat(read.dossier):
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    length = 3 if files_quarterly(read.dossier) else 1
    ends = [month for month in months if length == 1 or int(month[5:]) % 3 == 0]
    return [(month, _due_on(read, month)) for month in ends if _missed(read, month, length)]


def _due_on(read: Reading, end: Month) -> date:
    return first_day(add_months(end, 1)).replace(day=read.parameters.tax_due_day)


def _missed(read: Reading, end: Month, length: int) -> bool:
    """The period that ends with the month was covered throughout, due by the data end, and has no return."""
    state, filed = read.dossier.source(SourceKind.TAX), vat_by_month(read.dossier)
    begun = all(one.established_on <= last_day(end) for one in own_registrations(read.dossier))
    covered = begun and all(state.covers(add_months(end, -back)) for back in range(length))
    return covered and state.data_end is not None and _due_on(read, end) <= state.data_end and end not in filed


@formula("ss_tax_paid", Unit.YUAN, span=W12, reads=[Reads(W12, (TaxPayment,))], business_only=True)
def tax_paid(read: Reading) -> Value:
    """Σ VAT and CIT (or VAT and IIT_BUSINESS) paid in W12 by day of payment, in yuan. Surcharges and late fees do not count."""
    paid = tax_paid_by_month(read.dossier, read.months(SourceKind.TAX, 12))
    return sum(paid.values(), ZERO)


def tax_paid_by_month(dossier: Dossier, months: list[Month]) -> dict[Month, Decimal]:
    """VAT and income tax paid by month of payment, covered ones of ``months`` only."""
    paid = {month: ZERO for month in months if dossier.source(SourceKind.TAX).covers(month)}
    for one in dossier.of(TaxPayment):
        month = month_of(one.paid_on)
        if month in paid and one.tax_kind in REVENUE_TAXES and not one.late_fee:
            paid[month] += one.amount
    return paid


@formula("ss_tax_rating", Unit.ENUM, reads=[Reads(ALL, (TaxCreditRating,))], business_only=True)
def tax_rating(read: Reading) -> Value:
    """Grade (A, B, M, C, D) of the latest rated year that was published by known-at. Null when never rated; STALE when published more than 400 days before
    as-of."""
    read.need(SourceKind.TAX)
    latest = max(published_ratings(read.dossier), key=lambda one: one.rating_year, default=None)
    if (read.dossier.as_of - read.known(latest).published_on).days > read.parameters.rating_days:
        raise Null(MissingReason.STALE)
    return read.known(latest).grade


def published_ratings(dossier: Dossier) -> list[TaxCreditRating]:
    """Ratings that were public by known-at, oldest year first."""
    known_on = china_day(dossier.known_at)
    return sorted((one for one in dossier.of(TaxCreditRating) if one.published_on <= known_on), key=lambda one: one.rating_year)


@formula("ss_months_in_business", Unit.MONTHS, reads=[Reads(ALL, (BusinessRegistration,))], business_only=True)
def months_in_business(read: Reading) -> Value:
    """Full months from the day of establishment to as-of."""
    return full_months(registration(read).established_on, read.dossier.as_of)


@formula("ss_industry_risk", Unit.ENUM, reads=[Reads(ALL, (BusinessRegistration,))], business_only=True)
def industry_risk(read: Reading) -> Value:
    """LOW, MEDIUM, HIGH or PROHIBITED: the entry of the longest prefix of the industry code in the parameters, MEDIUM without one; PROHIBITED when the
    lender bars the industry."""
    code = registration(read).industry_code
    if any(code.startswith(barred) for barred in read.dossier.reference.prohibited_industries):
        return "PROHIBITED"
    levels = read.parameters.industry_risk
    return next((levels[code[:length]] for length in range(len(code), 0, -1) if code[:length] in levels), "MEDIUM")


def registration(read: Reading) -> BusinessRegistration:
    """The subject's own entry in the business register."""
    read.need(SourceKind.REGISTRATION)
    own = own_registrations(read.dossier)
    return read.known(own[0] if own else None)


def own_registrations(dossier: Dossier) -> list[BusinessRegistration]:
    return [one for one in dossier.of(BusinessRegistration) if one.uscc == dossier.subject.uscc]
