"""Inputs about invoices, acquiring and core enterprises (核心企业)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.credit.expressions import Value
from hub.credit.features import Null
from hub.credit.features.amounts import VALID
from hub.credit.features.invoices import covered_invoices, first_supply, net_by_party
from hub.credit.features.reading import ratio
from hub.credit.features.series import RECEIPTS, movements
from hub.credit.scenario.inputs.table import Material, given, nobody_says
from hub.domain.enums import Direction, MissingReason, SourceKind
from hub.domain.facts import Invoice, PaymentAccount, PaymentTransaction
from hub.domain.money import ZERO
from hub.domain.periods import CHINA, Month, add_months, china_day, full_months, month_of, months_between, window

NIGHT = range(1, 6)


@given("months_since_first_invoice", "NUMBER")
def months_since_first_invoice(material: Material) -> Value:
    """Months from that of the first covered output invoice to M0: 12 says that it was issued in M-12."""
    material.need(SourceKind.INVOICE)
    state = material.dossier.source(SourceKind.INVOICE)
    issued = (one.issued_on for one in material.dossier.of(Invoice) if one.direction == "OUTPUT" and one.status in VALID)
    covered = [month_of(day) for day in issued if state.covers(month_of(day))]
    if not covered:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return months_between(min(covered), window(material.dossier.as_of, 1)[0])


def _receipts(material: Material, count: int) -> list[PaymentTransaction]:
    months = set(material.reading.months(SourceKind.PAYMENT, count))
    rows = [one for month, one in movements(material.dossier) if month in months]
    return [one for one in rows if one.direction is Direction.IN and one.category in RECEIPTS]


@given("acquiring_months", "NUMBER")
def acquiring_months(material: Material) -> Value:
    """Full months since the acquiring account was opened; without one since the settlement account was; where nobody says when, since the first sales receipt."""
    material.need(SourceKind.PAYMENT)
    accounts = material.dossier.of(PaymentAccount)
    acquiring = [one for one in accounts if one.type == "ACQUIRING"] or [one for one in accounts if one.role == "SETTLEMENT"]
    opened = [day for one in acquiring if (day := one.opened_on or _first_receipt(material, one)) is not None]
    if not opened:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return full_months(min(opened), material.dossier.as_of)


def _first_receipt(material: Material, account: PaymentAccount) -> date | None:
    rows = (one for one in material.dossier.of(PaymentTransaction) if one.account_number == account.account_number)
    return min((china_day(one.at) for one in rows if one.direction is Direction.IN and one.category in RECEIPTS), default=None)


@given("receipts_per_month", "NUMBER")
def receipts_per_month(material: Material) -> Value:
    """Number of sales receipts and payouts a covered month of W6."""
    return Decimal(len(_receipts(material, 6))) / len(material.reading.months(SourceKind.PAYMENT, 6))


@given("off_hours_receipts_share", "NUMBER")
def off_hours_receipts_share(material: Material) -> Value:
    """Share of the sales receipts and payouts of W3 that came from 01:00 to 05:59."""
    found = _receipts(material, 3)
    return ratio(Decimal(sum(1 for one in found if one.at.astimezone(CHINA).hour in NIGHT)), Decimal(len(found)))


@given("acquiring_at_lender")
def acquiring_at_lender(material: Material) -> Value:
    """The lender itself acquires the customer's payments."""
    material.need(SourceKind.PAYMENT)
    lender = material.dossier.reference.lender
    return any(one.type == "ACQUIRING" and one.institution == lender for one in material.dossier.of(PaymentAccount))


def _core_supplier(material: Material) -> tuple[str, Decimal]:
    """The core enterprise of the lender's list that the customer bought most from in W12, and for how much without VAT."""
    bought = net_by_party(covered_invoices(material.reading, "INPUT", 12))
    core = {party: net for party, net in bought.items() if party in material.dossier.reference.core_enterprises and net > 0}
    if not core:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    supplier = max(sorted(core), key=lambda party: core[party])
    return supplier, core[supplier]


@given("core_purchases", "NUMBER")
def core_purchases(material: Material) -> Value:
    """Purchases of W12 from the core enterprise the customer buys most from, by input invoices, without VAT."""
    return _core_supplier(material)[1]


@given("mean_core_purchases", "NUMBER")
def mean_core_purchases(material: Material) -> Value:
    """Purchases of W12 from the core enterprise the customer buys most from, for each covered month: the mean, by input invoices, without VAT."""
    return _core_supplier(material)[1] / len(material.reading.months(SourceKind.INVOICE, 12))


@given("core_months", "NUMBER")
def core_months(material: Material) -> Value:
    """Full months since the first covered input invoice of the core enterprise the customer buys most from. Less than a year is unknown when
    the month before that invoice is not covered: then nobody knows that it was the first."""
    supplier, _ = _core_supplier(material)
    began = first_supply(material.reading)[supplier].issued_on
    found = full_months(began, material.dossier.as_of)
    if found < 12 and not material.dossier.source(SourceKind.INVOICE).covers(add_months(month_of(began), -1)):
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return found


@given("core_related")
def core_related(material: Material) -> Value:
    """The core enterprise the customer buys most from is a related party (关联方) of his. Unknown while no relationship graph is loaded."""
    related, (supplier, _) = material.dossier.reference.related, _core_supplier(material)
    if related is None:
        raise Null(MissingReason.NOT_CONNECTED)
    return any(one.uscc == supplier for one in related)


@given("core_purchase_change", "NUMBER")
def core_purchase_change(material: Material) -> Value:
    """Purchases of W3 from the core enterprise the customer buys most from, over those of the three months before - 1."""
    supplier, _ = _core_supplier(material)
    now, before = (_bought(material, supplier, skip) for skip in (0, 3))
    return ratio(now, before) - 1


def _bought(material: Material, supplier: str, skip: int) -> Decimal:
    return net_by_party(covered_invoices(material.reading, "INPUT", 3, skip)).get(supplier, ZERO)


@given("latest_receipts_share", "NUMBER")
def latest_receipts_share(material: Material) -> Value:
    """Sales receipts and payouts of M0 over their mean of W6."""
    months: list[Month] = material.reading.months(SourceKind.PAYMENT, 6)
    names = [f"IN.{category}" for category in RECEIPTS]
    mean = material.reading.total(SourceKind.PAYMENT, names, months) / len(months)
    return ratio(material.reading.total(SourceKind.PAYMENT, names, months[-1:]), mean)


@given("days_without_receipts", "NUMBER")
def days_without_receipts(material: Material) -> Value:
    """Days from the last sales receipt or payout to the end of the account data."""
    material.need(SourceKind.PAYMENT)
    rows = (one for one in material.dossier.of(PaymentTransaction) if one.direction is Direction.IN and one.category in RECEIPTS)
    last, end = max((china_day(one.at) for one in rows), default=None), material.dossier.source(SourceKind.PAYMENT).data_end
    if last is None or end is None:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return max(0, (end - last).days)


nobody_says("lease_months_left", "NUMBER", "Months left of the lease of the business premises. No source serves leases.")
nobody_says("core_buy_back", "FLAG", "The core enterprise buys back unsold goods or guarantees the loan. No source serves such agreements.")
