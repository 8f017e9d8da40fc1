"""Dimension R of suppliers: what buyers confirm and what they paid (domain brief, 4.5). O1 order amount, O2 unpaid past orders."""

from __future__ import annotations

from decimal import Decimal

from hub.credit.dossier import Dossier
from hub.credit.maths import dev
from hub.domain.facts import PurchaseOrder
from hub.domain.money import ZERO
from hub.domain.periods import month_of, window


def open_amount(one: PurchaseOrder) -> Decimal:
    """What is still to be invoiced of what both sides stand by."""
    return max(ZERO, min(one.amount, one.confirmed) - one.invoiced)


def open_orders(dossier: Dossier) -> list[PurchaseOrder]:
    return [one for one in dossier.of(PurchaseOrder) if one.status == "OPEN"]


def past_orders(dossier: Dossier) -> list[PurchaseOrder]:
    """Orders delivered in W24."""
    months = set(window(dossier.as_of, 24))
    delivered = (one for one in dossier.of(PurchaseOrder) if one.status == "DELIVERED")
    return [one for one in delivered if one.delivered_on is not None and month_of(one.delivered_on) in months]


def is_paid(one: PurchaseOrder, dossier: Dossier) -> bool:
    return one.paid_on is not None and one.paid_on <= dossier.as_of


def confirmed_orders(dossier: Dossier) -> Decimal | None:
    """dev of the sum of the open orders and what their buyers confirmed; None without open orders."""
    found = open_orders(dossier)
    return dev(sum((one.amount for one in found), ZERO), sum((one.confirmed for one in found), ZERO)) if found else None


def paid_orders(dossier: Dossier) -> Decimal | None:
    """1 - paid past orders / delivered past orders, by number; None without past orders."""
    found = past_orders(dossier)
    return 1 - Decimal(sum(1 for one in found if is_paid(one, dossier))) / len(found) if found else None
