"""D4 销售稳定性: how steady sales are, from the sales series S, the invoices and the shop (domain brief, section 3)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise

from hub.credit.features.catalogue import PREV3, PREV6, PREV12, W3, W6, W12, W24, Null, Reads, Value, formula
from hub.credit.features.invoices import BLUE, covered_invoices
from hub.credit.features.reading import Reading, positive, ratio
from hub.credit.maths import cv, mean, slope
from hub.domain.enums import MissingReason, SourceKind, Unit
from hub.domain.facts import Invoice, Order, Refund, ShopMonthlySummary
from hub.domain.money import ZERO
from hub.domain.periods import Month, first_day, last_day, months_between

YEAR = (Reads(W12, sales=True),)


@formula("ss_net_sales", Unit.YUAN, span=W12, reads=YEAR, business_only=True)
def net_sales(read: Reading) -> Value:
    """Σ S in yuan, on the VAT basis of the source of S, over the covered months."""
    return sum(read.sales(12).values(), ZERO)


@formula("ss_avg_net_sales_6m", Unit.YUAN, span=W6, reads=[Reads(W6, sales=True)], business_only=True)
def avg_net_sales_6m(read: Reading) -> Value:
    """Σ S over covered months of W6, in yuan a month."""
    return read.known(mean(list(read.sales(6).values())))


@formula("ss_min_month", Unit.YUAN, span=W12, reads=YEAR, business_only=True)
def min_month(read: Reading) -> Value:
    """Smallest monthly S, in yuan."""
    return min(read.sales(12).values())


@formula("ss_cv", Unit.RATIO, span=W12, reads=YEAR, business_only=True)
def coefficient_of_variation(read: Reading) -> Value:
    """Population standard deviation of S over its mean. Null if the mean is not positive."""
    return positive(cv(list(read.sales(12).values())))


@formula("ss_growth_yoy", Unit.RATIO, span=W24, reads=[Reads(W12, sales=True), Reads(PREV12, sales=True)], business_only=True)
def growth_yoy(read: Reading) -> Value:
    """Σ S of W12 / Σ S of the year before - 1, over the pairs of months covered in both years, at least 10. Null if the year before is not positive."""
    return _growth(read, 12)


@formula("ss_growth_3m_yoy", Unit.RATIO, span=W3, reads=[Reads(W3, sales=True), Reads(PREV3, sales=True)], business_only=True)
def growth_3m_yoy(read: Reading) -> Value:
    """Σ S of W3 / Σ S of the same months of the year before - 1, over 3 pairs of covered months. Null if the year before is not positive."""
    return _growth(read, 3)


@formula("ss_growth_6m_yoy", Unit.RATIO, span=W6, reads=[Reads(W6, sales=True), Reads(PREV6, sales=True)], business_only=True)
def growth_6m_yoy(read: Reading) -> Value:
    """Σ S of W6 / Σ S of the same months of the year before - 1, over at least 5 pairs of covered months. Null if the year before is not positive."""
    return _growth(read, 6)


@formula("ss_trend", Unit.RATIO, span=W12, reads=YEAR, business_only=True)
def trend(read: Reading) -> Value:
    """Ordinary least squares slope of S per month over its mean. Null if the mean is not positive."""
    sales = read.sales(12)
    first = read.window(12)[0]
    return positive(slope(list(sales.values()), [months_between(first, month) for month in sales]))


@formula("ss_zero_months", Unit.COUNT, span=W12, reads=YEAR, business_only=True)
def zero_months(read: Reading) -> Value:
    """Number of covered months with S <= 0."""
    return sum(1 for amount in read.sales(12).values() if amount <= 0)


@formula("ss_active_months", Unit.COUNT, span=W12, reads=YEAR, business_only=True)
def active_months(read: Reading) -> Value:
    """Number of covered months with S > 0."""
    return sum(1 for amount in read.sales(12).values() if amount > 0)


@formula("ss_peak_ratio", Unit.TIMES, span=W12, reads=YEAR, business_only=True)
def peak_ratio(read: Reading) -> Value:
    """Largest monthly S over the mean of S. Null if the mean is not positive."""
    amounts = list(read.sales(12).values())
    return ratio(max(amounts), read.known(mean(amounts)))


@formula("ss_max_invoice_gap", Unit.DAYS, span=W12, reads=[Reads(W12, (Invoice,))], business_only=True)
def max_invoice_gap(read: Reading) -> Value:
    """Most days between consecutive issue dates of valid blue output invoices, the first day of M-11 and the last day of M0 added as marks. A month that is
    not covered ends one stretch and begins another: what is unknown is not a gap."""
    invoices = covered_invoices(read, "OUTPUT", 12, status=BLUE)
    covered = read.months(SourceKind.INVOICE, 12)
    return max(_longest_gap(stretch, [one.issued_on for one in invoices]) for stretch in _stretches(covered))


@formula("ss_red_void_ratio", Unit.RATIO, span=W12, reads=[Reads(W12, (Invoice,))], business_only=True)
def red_void_ratio(read: Reading) -> Value:
    """(|red| + voided) / (blue + voided), net amounts of output invoices before netting. Null without invoices."""
    invoices = covered_invoices(read, "OUTPUT", 12, status=(*BLUE, "RED", "VOIDED"))
    if not invoices:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    red, void = (sum((abs(one.net) for one in invoices if one.status == status), ZERO) for status in ("RED", "VOIDED"))
    blue = sum((one.net for one in invoices if one.status in BLUE), ZERO)
    return ratio(red + void, blue + void)


@formula("ss_refund_rate", Unit.RATIO, span=W6, reads=[Reads(W6, (Order, Refund, ShopMonthlySummary))], business_only=True)
def refund_rate(read: Reading) -> Value:
    """Σ refunds that succeeded / Σ GMV of W6. NOT_APPLICABLE without a shop."""
    read.need_shop()
    months = read.months(SourceKind.SHOP, 6)
    return ratio(read.total(SourceKind.SHOP, ["REF"], months), read.total(SourceKind.SHOP, ["GMV"], months))


def _growth(read: Reading, count: int) -> Decimal:
    now, before = read.sales_pairs(count)
    return ratio(now, before) - 1


def _stretches(months: list[Month]) -> list[list[Month]]:
    """Runs of consecutive months."""
    found = [[months[0]]]
    for before, month in pairwise(months):
        if months_between(before, month) == 1:
            found[-1].append(month)
        else:
            found.append([month])
    return found


def _longest_gap(stretch: list[Month], issued: list[date]) -> int:
    first, last = first_day(stretch[0]), last_day(stretch[-1])
    days = sorted({first, last, *(day for day in issued if first <= day <= last)})
    return max(((after - before).days for before, after in pairwise(days)), default=0)
