"""平台结算."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.domain.enums import SourceKind, Unit
from hub.domain.facts.declare import about, fact


@fact(source=SourceKind.SETTLEMENT, key=("platform", "settlement_number"), occurred="settled_on")
class Settlement:
    """平台结算单: one settlement statement of a marketplace. net = gross - refund - fees (0.01)."""

    platform: str = about("Marketplace.")
    settlement_number: str = about("Statement number.")
    period_start: date = about("First day of the period settled.")
    period_end: date = about("Last day of the period settled.")
    settled_on: date = about("Day of settlement.")
    gross: Decimal = about("GMV of the period.", unit=Unit.YUAN)
    refund: Decimal = about("Refunds of the period.", unit=Unit.YUAN)
    commission: Decimal = about("Commission.", unit=Unit.YUAN)
    ad_fee: Decimal = about("Advertising fees.", unit=Unit.YUAN)
    other_fee: Decimal = about("Other fees.", unit=Unit.YUAN)
    net: Decimal = about("Paid out.", unit=Unit.YUAN)
