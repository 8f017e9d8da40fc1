"""店铺处罚."""

from __future__ import annotations

from datetime import date

from hub.domain.enums import SourceKind, Unit
from hub.domain.facts.declare import about, fact


@fact(source=SourceKind.SHOP, key=("platform", "penalty_number"), occurred="decided_on")
class ShopPenalty:
    """店铺处罚: a penalty the marketplace imposed on a shop."""

    platform: str = about("Marketplace.")
    penalty_number: str = about("Number of the decision.")
    kind: str = about("FAKE_TRADE (刷单), IP, QUALITY or OTHER.")
    severity: str | None = about("Severity in the marketplace's words.")
    decided_on: date = about("Day of the decision.")
    points: int | None = about("Penalty points.", unit=Unit.COUNT)
