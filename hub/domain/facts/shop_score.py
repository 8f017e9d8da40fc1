"""店铺评分."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.domain.enums import SourceKind, Unit
from hub.domain.facts.declare import about, fact


@fact(source=SourceKind.SHOP, key=("platform", "shop_number", "measured_on"), occurred="measured_on")
class ShopScore:
    """店铺评分 (DSR): the three sub-scores of a shop on one day, 0 to 5."""

    platform: str = about("Marketplace.")
    shop_number: str = about("Number of the shop at the marketplace.")
    measured_on: date = about("Day of the snapshot.")
    description: Decimal = about("Goods as described.", unit=Unit.SCORE, upstream=("item_score",))
    service: Decimal = about("Service.", unit=Unit.SCORE, upstream=("service_score",))
    logistics: Decimal = about("Delivery.", unit=Unit.SCORE, upstream=("delivery_score",))
