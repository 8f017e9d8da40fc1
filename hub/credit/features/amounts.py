"""Plain monthly sums of invoices and account movements by series name, as :meth:`hub.credit.dossier.Dossier.series` knows them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from hub.credit.dossier import Series
from hub.domain.facts import Invoice, PaymentTransaction
from hub.domain.money import ZERO
from hub.domain.periods import Month, china_day, month_of

VALID = ("NORMAL", "REVERSED", "RED")
"""Invoices that count as revenue: blue and red net out, each in its own month. A voided one never was."""


def monthly_amounts(invoices: Iterable[Invoice], transactions: Iterable[PaymentTransaction]) -> dict[str, Series]:
    """``IO``, ``II``, ``IO_TAX`` by month of issue; ``IN.<category>`` and ``OUT.<category>`` by month of posting."""
    found: dict[str, dict[Month, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    for one in invoices:
        if one.status in VALID:
            month = month_of(one.issued_on)
            found["IO" if one.direction == "OUTPUT" else "II"][month] += one.net
            found["IO_TAX" if one.direction == "OUTPUT" else "II_TAX"][month] += one.tax
    for movement in transactions:
        found[f"{movement.direction}.{movement.category}"][month_of(china_day(movement.at))] += movement.amount
    return {name: dict(months) for name, months in found.items()}
