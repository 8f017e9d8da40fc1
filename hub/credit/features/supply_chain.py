"""D2 上下游供应链: customers and suppliers, from invoices (domain brief, section 3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from hub.credit.crosscheck.orders import open_amount, open_orders
from hub.credit.features.catalogue import ALL, PREV12, W12, W24, Null, Reads, Value, formula
from hub.credit.features.invoices import BLUE, blue_output, covered_invoices, first_supply, net_by_party
from hub.credit.features.reading import Reading, ratio
from hub.domain.enums import MissingReason, SourceKind, Unit
from hub.domain.facts import Invoice, PurchaseOrder
from hub.domain.money import ZERO
from hub.domain.periods import full_months

YEAR = (Reads(W12, (Invoice,)),)


@formula("sc_customer_count", Unit.COUNT, span=W12, reads=YEAR, business_only=True)
def customer_count(read: Reading) -> Value:
    """Number of distinct buyers with a valid blue output invoice. NOT_APPLICABLE to a shop that sells to consumers without invoices."""
    _business_customers(read)
    return len(_buyers(read, 0))


@formula("sc_top1_customer_share", Unit.RATIO, span=W12, reads=YEAR, business_only=True)
def top1_customer_share(read: Reading) -> Value:
    """Largest share of one buyer in the net output invoices, red ones deducted. NOT_APPLICABLE to a shop that sells to consumers without invoices."""
    _business_customers(read)
    return _top_share(net_by_party(covered_invoices(read, "OUTPUT", 12)), 1)


@formula("sc_top5_customer_share", Unit.RATIO, span=W12, reads=YEAR, business_only=True)
def top5_customer_share(read: Reading) -> Value:
    """Share of the five largest buyers in the net output invoices, red ones deducted. NOT_APPLICABLE to a shop that sells to consumers without
    invoices."""
    _business_customers(read)
    return _top_share(net_by_party(covered_invoices(read, "OUTPUT", 12)), 5)


@formula("sc_customer_retention", Unit.RATIO, span=W24, reads=[Reads(W12, (Invoice,)), Reads(PREV12, (Invoice,))], business_only=True)
def customer_retention(read: Reading) -> Value:
    """Share of the buyers of the twelve months before W12 that are buyers of W12 again."""
    now, before = _buyers(read, 0), _buyers(read, 12)
    return ratio(Decimal(len(now & before)), Decimal(len(before)))


@formula("sc_top5_supplier_share", Unit.RATIO, span=W12, reads=YEAR, business_only=True)
def top5_supplier_share(read: Reading) -> Value:
    """Share of the five largest suppliers in the net input invoices."""
    return _top_share(net_by_party(covered_invoices(read, "INPUT", 12)), 5)


@formula("sc_supplier_tenure", Unit.MONTHS, span=W24, reads=[Reads(W24, (Invoice,)), Reads(ALL, (Invoice,))], business_only=True)
def supplier_tenure(read: Reading) -> Value:
    """Mean of the full months from each supplier's first covered invoice to as-of, weighted with its net input invoices of W24."""
    bought = {party: net for party, net in net_by_party(covered_invoices(read, "INPUT", 24)).items() if net > 0}
    first = first_supply(read)
    weighted = sum((net * full_months(first[party].issued_on, read.dossier.as_of) for party, net in bought.items()), ZERO)
    return ratio(weighted, sum(bought.values(), ZERO))


@formula("sc_related_sales_share", Unit.RATIO, span=W12, reads=YEAR, business_only=True)
def related_sales_share(read: Reading) -> Value:
    """Share of net output invoices to parties linked by ownership >= 25 %, the same legal representative, spouse, phone or address. NOT_CONNECTED
    while no relationship graph is loaded."""
    read.need(SourceKind.INVOICE)
    related = read.dossier.reference.related
    if related is None:
        raise Null(MissingReason.NOT_CONNECTED)
    return _share_of(read, {one.uscc for one in related})


@formula("sc_round_trip_share", Unit.RATIO, span=W12, reads=YEAR, business_only=True)
def round_trip_share(read: Reading) -> Value:
    """Σ over parties of min(max(0, sold to), max(0, bought from)) over the net output invoices."""
    sold, bought = net_by_party(covered_invoices(read, "OUTPUT", 12)), net_by_party(covered_invoices(read, "INPUT", 12))
    circular = sum((min(max(ZERO, net), max(ZERO, bought.get(party, ZERO))) for party, net in sold.items()), ZERO)
    return ratio(circular, sum(sold.values(), ZERO))


@formula("sc_core_enterprise_share", Unit.RATIO, span=W12, reads=YEAR, business_only=True)
def core_enterprise_share(read: Reading) -> Value:
    """Share of net output invoices to core enterprises (核心企业) of the lender's list."""
    return _share_of(read, read.dossier.reference.core_enterprises)


@formula("sc_open_order_cover", Unit.TIMES, reads=[Reads(ALL, (PurchaseOrder,))], business_only=True)
def open_order_cover(read: Reading) -> Value:
    """Σ open amounts of buyers' orders / requested amount. Null without orders or request."""
    read.need(SourceKind.PROCUREMENT)
    found = [open_amount(one) for one in open_orders(read.dossier)]
    if not found or read.see("requested") is None:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return ratio(sum(found, ZERO), read.see("requested"))


def _business_customers(read: Reading) -> None:
    """A shop without any output invoice sells to consumers: it has no business customers to speak of.

    Invoices that are connected and may not be used may exist: then their own reason stands.
    """
    silent = read.dossier.source(SourceKind.INVOICE).reason in (None, MissingReason.NOT_CONNECTED)
    if silent and read.dossier.readable(SourceKind.SHOP) and not blue_output(read.dossier):
        raise Null(MissingReason.NOT_APPLICABLE)


def _buyers(read: Reading, skip: int) -> set[str]:
    return {one.buyer for one in covered_invoices(read, "OUTPUT", 12, skip, status=BLUE)}


def _top_share(amounts: Mapping[str, Decimal], count: int) -> Decimal:
    return ratio(sum(sorted(amounts.values(), reverse=True)[:count], ZERO), sum(amounts.values(), ZERO))


def _share_of(read: Reading, parties: Iterable[str]) -> Decimal:
    amounts = net_by_party(covered_invoices(read, "OUTPUT", 12))
    return ratio(sum((amounts.get(party, ZERO) for party in parties), ZERO), sum(amounts.values(), ZERO))
