"""A seller small enough to be synced in seconds, and a stage to walk on: everything over real HTTP on loopback.

The small seller sells fiftieths of the demo's orders at fifty times the price, so that the figures stay easy to derive by hand: 390 paid orders of 4,000 yuan in
2025, two refunds a month.
"""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import text

from connectors.sandbox.persona import Persona
from hub.cli.journey import Journey
from hub.cli.stage import Stage, open_stage
from hub.settings import Settings
from hub.store.embedded import Urls

ORDERS = {1: 26, 2: 22, 3: 30, 4: 29, 5: 32, 6: 42, 7: 28, 8: 29, 9: 31, 10: 34, 11: 52, 12: 35}
Change = Callable[[dict[str, Any]], None]
YEAR = date(2025, 1, 1)
_SHOP_FROM = text("UPDATE consent SET data_from = :first WHERE customer_id = :customer AND source IN ('SHOP', 'SETTLEMENT')")


def demo_document() -> dict[str, Any]:
    """The demo's persona as JSON."""
    found: dict[str, Any] = json.loads((files("connectors.sandbox") / "personas" / "online-tea-seller.json").read_text("utf-8"))
    return found


def small_document() -> dict[str, Any]:
    document = copy.deepcopy(demo_document())
    shop = document["shop"]
    shop["months"] = [
        {"month": f"2025-{month:02}", "orders": count, "unit_price": "4000.00", "refunds": 2} for month, count in ORDERS.items()
    ]
    for source in ("SHOP", "SETTLEMENT"):
        document["sources"][source] = {"from": "2025-01"}
    document["tax"]["ratings"] = [{"year": 2024, "grade": "A", "published_on": "2025-04-28"}]
    shop["buyers"] = {"distinct": 250, "repeat": 85}
    shop["top_address_orders"] = 1
    return document | {"id": "small-seller"}


def small_seller(*changes: Change) -> Persona:
    document = small_document()
    for change in changes:
        change(document)
    return Persona.model_validate(document)


def one_more_refund(month: int) -> Change:
    def change(document: dict[str, Any]) -> None:
        document["id"] = "one-more-refund"
        row = next(row for row in document["shop"]["months"] if row["month"] == f"2025-{month:02}")
        row["refunds"] += 1

    return change


class ShortJourney(Journey):
    """A journey whose shop is asked for the year that the small seller has, not for the 25 months that a consent covers: a request per day, and an empty
    answer to each of 2024, are most of what a whole one costs. The golden persona and the demo go the whole way.
    """

    def __init__(self, stage: Stage, persona: Persona, first: date = YEAR) -> None:
        super().__init__(stage, persona)
        self.first = first

    async def consent(self) -> list[str]:
        unreachable = await super().consent()
        async with self.stage.database.work() as tx:
            await tx.execute(_SHOP_FROM, {"first": self.first, "customer": self.customer_id})
        return unreachable


@asynccontextmanager
async def on_stage(home: Path, urls: Urls, *personas: Persona) -> AsyncIterator[Stage]:
    """A stage in the tests' own cluster. One with a cluster of its own, made from nothing, is the demo's."""
    async with open_stage(Settings(home=home, port=0), personas, database="e2e", urls=urls) as stage:
        yield stage
