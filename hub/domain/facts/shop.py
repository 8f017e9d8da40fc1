"""店铺."""

from __future__ import annotations

from datetime import date

from hub.domain.enums import SourceKind, Unit
from hub.domain.facts.declare import about, fact
from hub.domain.identifiers import PersonalId


@fact(source=SourceKind.SHOP, key=("platform", "shop_number"), occurred=None)
class Shop:
    """店铺: a shop on a marketplace."""

    platform: str = about("Name of the marketplace.")
    shop_number: str = about("Number of the shop at the marketplace.", upstream=("sid",))
    name: str = about("Shop name.", upstream=("title",))
    owner: PersonalId | None = about("Identifier (USCC or resident ID) of the owner the marketplace has certified.")
    opened_on: date = about("Day the shop opened.", upstream=("created",))
    category: str | None = about("Main category.")
    scope: str = about("FULL, or PARTIAL when offline sales exist beside the shop: then its sales are a lower bound.")
    ship_from_city: str | None = about("City goods are sent from.")
    ship_from_latitude: float | None = about("Ship-from place.", unit=Unit.DEGREE)
    ship_from_longitude: float | None = about("Ship-from place.", unit=Unit.DEGREE)
    skus_listed: int | None = about("SKUs listed in the last six months.", unit=Unit.COUNT)
    skus_sold: int | None = about("SKUs sold at least once in the last six months.", unit=Unit.COUNT)
