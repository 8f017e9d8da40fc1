"""Monthly series: the primary sales series S of a scenario, declared revenue, wage returns, employer months, and the rate of VAT.

The rule for S is that of the domain brief, head of section 3: the source a scenario fixes; without one, or when it has no monthly values, the
first readable of TRADE, INVOICE, TAX, CASH, leaving out partial observers and the TAX of a quarterly filer. S keeps the VAT basis of its source.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from hub.credit.dossier import Dossier, once
from hub.credit.parameters import parameters
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import (
    BusinessRegistration,
    EmployerSocialInsuranceMonth,
    Invoice,
    Order,
    PaymentAccount,
    PaymentTransaction,
    Refund,
    Settlement,
    Shop,
    ShopMonthlySummary,
    TaxpayerProfile,
    TaxReturn,
)
from hub.domain.money import ZERO
from hub.domain.periods import Month, china_day, month_of, month_range, window

Observer = Literal["TRADE", "INVOICE", "TAX", "CASH"]

SOURCE_OF: Mapping[Observer, SourceKind] = {
    "TRADE": SourceKind.SHOP,
    "INVOICE": SourceKind.INVOICE,
    "TAX": SourceKind.TAX,
    "CASH": SourceKind.PAYMENT,
}
KINDS_OF: Mapping[Observer, tuple[type, ...]] = {
    "TRADE": (Order, Refund, ShopMonthlySummary),
    "INVOICE": (Invoice,),
    "TAX": (TaxReturn,),
    "CASH": (PaymentTransaction,),
}
RECEIPTS = ("SALES_RECEIPT", "PLATFORM_PAYOUT")
SERIES_MONTHS = 24


@dataclass(frozen=True, slots=True)
class SeriesProfile:
    """What a policy says about S: the source it fixes, whether it names SHOP among its sources, whether it has a sales series at all.

    ``farmer``: the subject is judged by his plots, so what only a business has does not apply to him. ``requested`` is the amount asked for.
    """

    fixed: Observer | None = None
    names_shop: bool = False
    has_sales_series: bool = True
    farmer: bool = False
    requested: Decimal | None = None


@dataclass(frozen=True, slots=True)
class SalesSeries:
    """S over W24, covered months only. ``missing`` says why there is none; then ``source`` is None and ``months`` empty."""

    source: Observer | None
    vat_included: bool
    months: Mapping[Month, Decimal]
    missing: MissingReason | None = None

    @property
    def kinds(self) -> tuple[type, ...]:
        return KINDS_OF[self.source] if self.source else ()

    def including_vat(self, amount: Decimal, rate: Decimal) -> Decimal:
        """An amount of S, with VAT."""
        return amount if self.vat_included else amount * (1 + rate)

    def excluding_vat(self, amount: Decimal, rate: Decimal) -> Decimal:
        """An amount of S, without VAT."""
        return amount / (1 + rate) if self.vat_included else amount


@once
def movements(dossier: Dossier) -> list[tuple[Month, PaymentTransaction]]:
    """Every movement of the accounts with the month it counts in, oldest first; at the same time by number, which may be counted without leading zeros."""
    rows = sorted(dossier.of(PaymentTransaction), key=lambda one: (one.at, len(one.transaction_number), one.transaction_number))
    return [(month_of(china_day(one.at)), one) for one in rows]


@once
def sales_series(dossier: Dossier, profile: SeriesProfile) -> SalesSeries:
    """The primary sales series of a scenario."""
    if not profile.has_sales_series:
        return SalesSeries(None, False, {}, MissingReason.NOT_APPLICABLE)
    if profile.fixed and has_monthly_values(dossier, profile.fixed):
        return _series(dossier, profile.fixed)
    for observer in SOURCE_OF:
        if has_monthly_values(dossier, observer) and not is_partial(dossier, observer):
            return _series(dossier, observer)
    return SalesSeries(None, False, {}, _why_none(dossier, profile))


def has_monthly_values(dossier: Dossier, observer: Observer) -> bool:
    """The source is readable and tells months apart."""
    return dossier.readable(SOURCE_OF[observer]) and not (observer == "TAX" and files_quarterly(dossier))


@once
def is_partial(dossier: Dossier, observer: Observer) -> bool:
    """The observer is a lower bound: offline sales exist beside the shop, or not all accounts are connected."""
    if observer == "TRADE":
        return any(shop.scope == "PARTIAL" for shop in dossier.of(Shop))
    return observer == "CASH" and any(account.scope == "PARTIAL" for account in dossier.of(PaymentAccount))


def observed(dossier: Dossier, observer: Observer, months: list[Month]) -> dict[Month, Decimal]:
    """Monthly values of an observer on its own basis, covered ones of ``months`` only."""
    if observer == "TAX":
        return declared(dossier, months)
    source = SOURCE_OF[observer]
    if observer == "INVOICE":
        return dossier.series("IO", source, months)
    plus, minus = (["GMV"], ["REF"]) if observer == "TRADE" else ([f"IN.{category}" for category in RECEIPTS], [])
    return net(dossier, source, months, plus, minus)


def net(dossier: Dossier, source: SourceKind, months: list[Month], plus: Iterable[str], minus: Iterable[str] = ()) -> dict[Month, Decimal]:
    """Sum of some series of one source minus the sum of others."""
    added = [dossier.series(name, source, months) for name in plus]
    taken = [dossier.series(name, source, months) for name in minus]
    covered = dossier.source(source).covered_of(months)
    return {month: sum((one[month] for one in added), ZERO) - sum((one[month] for one in taken), ZERO) for month in covered}


@once
def filed(dossier: Dossier, tax_kind: str) -> list[TaxReturn]:
    """The returns of a kind that count: of each period the latest amendment filed by ``known_at``; oldest period first."""
    known_on = china_day(dossier.known_at)
    latest: dict[tuple[object, object], TaxReturn] = {}
    for one in sorted(dossier.of(TaxReturn), key=lambda one: one.amendment):
        if one.tax_kind == tax_kind and one.filed_on <= known_on:
            latest[one.period_start, one.period_end] = one
    return sorted(latest.values(), key=lambda one: (one.period_start, one.period_end))


def months_of_return(one: TaxReturn) -> list[Month]:
    first, last = month_of(one.period_start), month_of(one.period_end)
    return [first] if first == last else list(month_range(first, last))


@once
def vat_by_month(dossier: Dossier) -> dict[Month, TaxReturn]:
    """The VAT return each month belongs to: the months TAX revenue covers. A missed or not yet filed period is absent."""
    return {month: one for one in filed(dossier, "VAT") if one.declared_revenue is not None for month in months_of_return(one)}


def declared(dossier: Dossier, months: list[Month]) -> dict[Month, Decimal]:
    """Declared revenue of the months that were filed on their own; a quarter has no monthly values."""
    single = _by_single_month(dossier) if dossier.readable(SourceKind.TAX) else {}
    return {month: single[month].declared_revenue or ZERO for month in months if month in single}


@once
def _by_single_month(dossier: Dossier) -> dict[Month, TaxReturn]:
    return {month: one for month, one in vat_by_month(dossier).items() if len(months_of_return(one)) == 1}


@once
def files_quarterly(dossier: Dossier) -> bool:
    """The taxpayer files VAT by quarter, as the tax authority says; if it does not say, as the returns show."""
    said = [one.vat_frequency for one in dossier.of(TaxpayerProfile) if one.vat_frequency]
    if said:
        return "QUARTER" in said
    return any(len(months_of_return(one)) > 1 for one in filed(dossier, "VAT"))


def files_vat(dossier: Dossier) -> bool:
    """The tax authority names a filing frequency, or there is a return."""
    return bool(filed(dossier, "VAT")) or any(one.vat_frequency for one in dossier.of(TaxpayerProfile))


def withholding(dossier: Dossier, months: list[Month]) -> dict[Month, TaxReturn]:
    """The wage-withholding return of each month that has one. A month without a return is unknown, not a month without wages."""
    returns = _withheld(dossier) if dossier.readable(SourceKind.TAX) else {}
    return {month: returns[month] for month in months if month in returns}


@once
def _withheld(dossier: Dossier) -> dict[Month, TaxReturn]:
    return {month: one for one in filed(dossier, "IIT_WITHHOLDING") for month in months_of_return(one)}


def employer_months(dossier: Dossier, months: list[Month]) -> dict[Month, list[EmployerSocialInsuranceMonth]]:
    """What the business owed and paid as an employer, by covered month; empty when the source says nothing about it as an employer.

    A business that is known to have no employees has records of zeros; one the source knows nothing of as an employer has none.
    """
    known = _employed(dossier)
    rows = {month: known.get(month, []) for month in dossier.source(SourceKind.SOCIAL_INSURANCE).covered_of(months)}
    return rows if any(rows.values()) else {}


@once
def _employed(dossier: Dossier) -> dict[Month, list[EmployerSocialInsuranceMonth]]:
    """The records of the business itself, by month."""
    rows = defaultdict[Month, list[EmployerSocialInsuranceMonth]](list)
    for row in dossier.of(EmployerSocialInsuranceMonth):
        if row.employer == (dossier.subject.uscc or row.employer):
            rows[row.month].append(row)
    return dict(rows)


@once
def _heads(dossier: Dossier) -> dict[Month, int]:
    """Of the months that have records."""
    found = {}
    for month, rows in _employed(dossier).items():
        pension = [row.headcount for row in rows if row.insurance == "PENSION"]
        found[month] = sum(pension) if pension else max((row.headcount for row in rows), default=0)
    return found


def headcounts(dossier: Dossier, months: list[Month]) -> dict[Month, int]:
    """Insured persons by month, from PENSION; of all insurances the largest where there is no PENSION record."""
    known = _heads(dossier)
    return {month: known.get(month, 0) for month in employer_months(dossier, months)}


def take_rate(dossier: Dossier, months: list[Month]) -> Decimal | None:
    """Platform fees over NGMV of the settled ones of ``months``; None when none is settled or their NGMV is not positive."""
    fees = settled_fees(dossier, months)
    sales = observed(dossier, "TRADE", [month for month in months if month in fees])
    total = sum(sales.values(), ZERO)
    return sum((fees[month] for month in sales), ZERO) / total if total > 0 else None


def settled_fees(dossier: Dossier, months: list[Month]) -> dict[Month, Decimal]:
    """Commission, advertising and other fees of the months that have a settlement statement, by the month its period ends in."""
    found: dict[Month, Decimal] = {}
    for one in dossier.of(Settlement):
        month = month_of(one.period_end)
        if month in months:
            found[month] = found.get(month, ZERO) + one.commission + one.ad_fee + one.other_fee
    return found


def is_individual_business(dossier: Dossier) -> bool:
    return dossier.subject.is_business and (dossier.subject.uscc or "").startswith("92")


def industry(dossier: Dossier) -> str | None:
    """Industry code of the subject's own registration."""
    own = [one for one in dossier.of(BusinessRegistration) if one.uscc == dossier.subject.uscc]
    return own[0].industry_code if own else None


def is_small_scale(dossier: Dossier) -> bool:
    """小规模纳税人. With an unknown taxpayer type an individual business counts as one, any other subject as a general taxpayer."""
    known = [one.taxpayer_type for one in dossier.of(TaxpayerProfile) if one.taxpayer_type]
    return known[0] == "SMALL_SCALE" if known else is_individual_business(dossier)


@once
def r_vat(dossier: Dossier) -> Decimal:
    """The rate that converts between amounts with and without VAT (domain brief, 4.2)."""
    settings = parameters()
    if is_small_scale(dossier):
        return settings.vat_small_scale
    months = window(dossier.as_of, 12)
    net_total = sum(dossier.series("IO", SourceKind.INVOICE, months).values(), ZERO)
    if net_total > 0:
        return sum(dossier.series("IO_TAX", SourceKind.INVOICE, months).values(), ZERO) / net_total
    return settings.vat_by_section.get((industry(dossier) or " ")[0], settings.vat_other)


def _series(dossier: Dossier, observer: Observer) -> SalesSeries:
    months = window(dossier.as_of, SERIES_MONTHS)
    return SalesSeries(observer, observer in ("TRADE", "CASH"), observed(dossier, observer, months))


def _why_none(dossier: Dossier, profile: SeriesProfile) -> MissingReason:
    """The fixed source's own reason, else that of the first unreadable one in the order of the source kinds."""
    fixed = [SOURCE_OF[profile.fixed]] if profile.fixed else []
    ordered = [kind for kind in SourceKind if kind in SOURCE_OF.values()]
    reasons = (dossier.source(kind).reason for kind in (*fixed, *ordered))
    return next((reason for reason in reasons if reason), MissingReason.INSUFFICIENT_COVERAGE)
