"""店铺月度汇总."""

from __future__ import annotations

from decimal import Decimal

from hub.domain.enums import SourceKind, Unit
from hub.domain.facts.declare import about, fact
from hub.domain.periods import Month


@fact(source=SourceKind.SHOP, key=("platform", "shop_number", "month"), occurred="month")
class ShopMonthlySummary:
    """店铺月度汇总: for months whose single orders the marketplace no longer serves. Gives GMV, refunds and counts only."""

    platform: str = about("Marketplace.")
    shop_number: str = about("Number of the shop.")
    month: Month = about("Month.")
    paid_orders: int = about("Orders paid in the month.", unit=Unit.COUNT)
    gmv: Decimal = about("Orders paid in the month, VAT included.", unit=Unit.YUAN)
    refunds: Decimal = about("Refunds that succeeded in the month.", unit=Unit.YUAN)
