"""D3 采购与结算模式: purchasing and how long money is tied up (domain brief, section 3). Accounts are in :mod:`hub.credit.features.accounts`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hub.credit.features.catalogue import ALL, W6, W12, Reads, Value, formula
from hub.credit.features.invoices import covered_invoices
from hub.credit.features.reading import Reading, ratio
from hub.credit.features.statements import days
from hub.domain.enums import SourceKind, Unit
from hub.domain.facts import FinancialStatement, Invoice, Order, PaymentTransaction, Settlement
from hub.domain.money import ZERO
from hub.domain.periods import Month, china_day, first_day, month_of

PAIRED_AT_LEAST = Decimal("0.3")
PURCHASES = Reads(W12, (Invoice, PaymentTransaction))
STATEMENTS = Reads(ALL, (FinancialStatement,))


@formula("ps_purchase_amount", Unit.YUAN, span=W12, reads=[PURCHASES], business_only=True)
def purchase_amount(read: Reading) -> Value:
    """Σ net input invoices; without invoices OUT[PURCHASE] / (1 + VAT rate); in yuan without VAT."""
    bought, with_vat = _purchases(read)
    total = sum((bought[month] for month in read.enough(bought, 12)), ZERO)
    return total / (1 + read.shared.r_vat) if with_vat else total


@formula("ps_purchase_to_sales", Unit.RATIO, span=W12, reads=[PURCHASES, Reads(W12, sales=True)], business_only=True)
def purchase_to_sales(read: Reading) -> Value:
    """Purchases / S over the months both cover, both without VAT (input invoices) or both with it (payments)."""
    bought, with_vat = _purchases(read)
    return read.against_sales(bought, 12, with_vat=with_vat)


def _purchases(read: Reading) -> tuple[dict[Month, Decimal], bool]:
    """Monthly purchases and whether they include VAT."""
    if read.covers_enough(SourceKind.INVOICE, 12):
        return read.dossier.series("II", SourceKind.INVOICE, read.window(12)), False
    if not read.dossier.readable(SourceKind.PAYMENT):
        read.need(SourceKind.INVOICE, SourceKind.PAYMENT)
    return read.dossier.series("OUT.PURCHASE", SourceKind.PAYMENT, read.window(12)), True


@formula("ps_ar_days", Unit.DAYS, span=W12, reads=[PURCHASES, STATEMENTS], business_only=True)
def ar_days(read: Reading) -> Value:
    """Days from the issue of an output invoice to its receipt, weighted with the amount, over pairs matched by invoice number; when less than 0.3 of the net
    amount is matched 360 x mean receivables / revenue of the year."""
    return _receivable_days(read)


@formula("ps_ap_days", Unit.DAYS, span=W12, reads=[PURCHASES, STATEMENTS], business_only=True)
def ap_days(read: Reading) -> Value:
    """Days from the issue of an input invoice to its payment, weighted with the amount, over pairs matched by invoice number; when less than 0.3 of the net
    amount is matched 360 x mean payables / cost of the year."""
    return _payable_days(read)


@formula("ps_inventory_days", Unit.DAYS, span=W12, reads=[STATEMENTS], business_only=True)
def inventory_days(read: Reading) -> Value:
    """360 x mean inventory / cost of the year; the mean is that of the balance sheets at the end of M0 and of M-12."""
    return days(read, "inventory", "cost")


@formula("ps_cash_cycle", Unit.DAYS, span=W12, reads=[PURCHASES, STATEMENTS], business_only=True)
def cash_cycle(read: Reading) -> Value:
    """Inventory + receivable - payable + prepaid - advance days; prepaid = 360 x mean prepayments / cost, advance = 360 x mean advances received / revenue.
    Null if any part is null."""
    tied = days(read, "inventory", "cost") + _receivable_days(read) + days(read, "prepayments", "cost")
    return tied - _payable_days(read) - days(read, "advances_received", "revenue")


def _receivable_days(read: Reading) -> Decimal:
    paired = _paired_days(read, "OUTPUT", "SALES_RECEIPT")
    return days(read, "receivables", "revenue") if paired is None else paired


def _payable_days(read: Reading) -> Decimal:
    paired = _paired_days(read, "INPUT", "PURCHASE")
    return days(read, "payables", "cost") if paired is None else paired


def _paired_days(read: Reading, direction: str, category: str) -> Decimal | None:
    """Amount-weighted days between invoices and the movements that name them; None when too few are matched."""
    if not read.covers_enough(SourceKind.INVOICE, 12) or not read.dossier.readable(SourceKind.PAYMENT):
        return None
    invoices = covered_invoices(read, direction, 12)
    paid = {one.counterparty_key: one for one in _movements(read, category) if one.counterparty_key}
    pairs = [(one.net, (china_day(paid[one.number].at) - one.issued_on).days) for one in invoices if one.number in paid]
    matched, total = sum((net for net, _ in pairs), ZERO), sum((one.net for one in invoices), ZERO)
    if matched <= 0 or matched < PAIRED_AT_LEAST * total:
        return None
    return sum((net * lag for net, lag in pairs), ZERO) / matched


def _movements(read: Reading, category: str) -> Sequence[PaymentTransaction]:
    """Oldest last: of several movements that name one invoice the first counts."""
    found = [one for one in read.dossier.of(PaymentTransaction) if one.category == category]
    return sorted(found, key=lambda one: one.at, reverse=True)


@formula("ps_settlement_lag", Unit.DAYS, span=W6, reads=[Reads(W6, (Order, Settlement))], business_only=True)
def settlement_lag(read: Reading) -> Value:
    """Σ amount x (settled on - completed on) / Σ amount over the completed orders of W6, settled with the statement of the month they were paid in. Needs
    months served order by order."""
    read.need(SourceKind.SHOP, SourceKind.SETTLEMENT)
    measures = read.known(read.dossier.orders)
    settled = {month_of(one.period_end): one.settled_on for one in read.dossier.of(Settlement)}
    months = read.enough((month for month in read.window(6) if month in measures.completed and month in settled), 6)
    total, weighted = ZERO, ZERO
    for month in months:
        amount, completed = measures.completed[month]
        total, weighted = total + amount, weighted + amount * (settled[month] - first_day(month)).days - completed
    return ratio(weighted, total)
