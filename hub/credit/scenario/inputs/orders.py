"""Inputs about confirmed orders of buyers (PROCUREMENT)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hub.credit.crosscheck.orders import is_paid, open_amount, open_orders, past_orders
from hub.credit.expressions import Value
from hub.credit.features import Null
from hub.credit.features.reading import ratio
from hub.credit.features.risk_return import months_left
from hub.credit.policies import document
from hub.credit.scenario.inputs.table import Material, given
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import PurchaseOrder, ReceivableAccount

A_FEW = 3
"""Paid past orders that make a buyer known."""


def _open(material: Material) -> list[PurchaseOrder]:
    """The open orders; NOT_APPLICABLE to each of them where there is none."""
    material.need(SourceKind.PROCUREMENT)
    found = open_orders(material.dossier)
    if not found:
        raise Null(MissingReason.NOT_APPLICABLE)
    return found


@given("open_orders", "NUMBER")
def number_of_open_orders(material: Material) -> Value:
    """Number of buyers' orders that are open: neither delivered nor cancelled."""
    material.need(SourceKind.PROCUREMENT)
    return len(open_orders(material.dossier))


@given("smallest_open_order", "NUMBER")
def smallest_open_order(material: Material) -> Value:
    """Smallest open amount of the open orders, in yuan."""
    return min(open_amount(one) for one in _open(material))


@given("buyers_approved")
def buyers_approved(material: Material) -> Value:
    """Every buyer of an open order is on the lender's list."""
    return all(one.buyer in material.dossier.reference.approved_buyers for one in _open(material))


@given("fewest_paid_orders", "NUMBER")
def fewest_paid_orders(material: Material) -> Value:
    """Paid past orders with the buyer of an open order, of the buyer who has fewest. Government buyers are left out: NOT_APPLICABLE when there are no others.
    Fewer than a few are unknown while the platform covers too little of W24: the rest may be in months that it does not serve."""
    buyers = {one.buyer for one in _open(material) if not one.government}
    if not buyers:
        raise Null(MissingReason.NOT_APPLICABLE)
    paid = [one.buyer for one in past_orders(material.dossier) if is_paid(one, material.dossier)]
    fewest = min(paid.count(buyer) for buyer in buyers)
    if fewest < A_FEW:
        material.reading.months(SourceKind.PROCUREMENT, 24)
    return fewest


@given("days_to_last_delivery", "NUMBER")
def days_to_last_delivery(material: Material) -> Value:
    """Days from as-of to the last day on which an open order is to be delivered."""
    return (max(one.deliver_by for one in _open(material)) - material.dossier.as_of).days


@given("latest_late_days", "NUMBER")
def latest_late_days(material: Material) -> Value:
    """Days by which the open order that is most late is over its day of delivery, at least 0."""
    return max(0, *((material.dossier.as_of - one.deliver_by).days for one in _open(material)))


@given("cancelled_orders", "NUMBER")
def cancelled_orders(material: Material) -> Value:
    """Number of buyers' orders that were cancelled."""
    material.need(SourceKind.PROCUREMENT)
    return sum(1 for one in material.dossier.of(PurchaseOrder) if one.status == "CANCELLED")


@given("months_to_last_receipt", "NUMBER")
def months_to_last_receipt(material: Material) -> Value:
    """Months to 60 days (``days_to_receipt``) after the last delivery of the open orders, a started month counted, at most twelve."""
    return months_left(max(one.deliver_by for one in _open(material)) + _until_receipt(), material.dossier.as_of)


@given("delivered_on_time_share", "NUMBER")
def delivered_on_time_share(material: Material) -> Value:
    """Share of the past orders that were delivered by their day."""
    material.need(SourceKind.PROCUREMENT)
    found = past_orders(material.dossier)
    in_time = sum(1 for one in found if one.delivered_on is not None and one.delivered_on <= one.deliver_by)
    return ratio(Decimal(in_time), Decimal(len(found)))


@given("receivable_account_locked")
def receivable_account_locked(material: Material) -> Value:
    """The account that receives the buyers' money is locked in favour of the lender."""
    material.need(SourceKind.PROCUREMENT)
    found = material.dossier.of(ReceivableAccount)
    if not found:
        raise Null(MissingReason.INSUFFICIENT_COVERAGE)
    return all(one.locked and one.locked_for == material.dossier.reference.lender for one in found)


def _until_receipt() -> timedelta:
    return timedelta(days=int(document("engine")["days_to_receipt"]))
