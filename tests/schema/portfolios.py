"""Portfolios in the small world."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sqlalchemy import insert

from hub.store import tables
from hub.store.database import Write
from tests.hub.view.world import KNOWN, World


async def screened(tx: Write, world: World, uid: Callable[[int], Any]) -> None:
    """Two screenings, one of them under way, and what came of a customer whom the client sees and of one whom it does not."""
    cell = {
        "axis": "size_class",
        "told": True,
        "decided": 20,
        "approved": 10,
        "approval_rate": Decimal("0.5"),
        "mean_limit": Decimal(9),
        "to_all": Decimal(1),
        "made_at": KNOWN,
    }
    untold = {
        "axis": "region",
        "told": False,
        "decided": None,
        "approved": None,
        "approval_rate": None,
        "mean_limit": None,
        "to_all": None,
        "made_at": KNOWN,
    }
    months = [{"month": f"2025-{number}", "scenario": scenario} for number in (11, 12) for scenario in ("", "S03")]
    await tx.execute(
        insert(tables.fairness_cell),
        [{**one, **month, "segment": segment} for one in (cell, untold) for month in months for segment in ("", "MICRO")],
    )
    lent = {"loans": 2, "balance": Decimal(900), "ours": Decimal(600), "too_much": True, "below": 1, "made_at": KNOWN}
    shares = {"": {"of_capital": None, "of_all_loans": Decimal("0.6")}, "a partner": {"of_capital": Decimal("0.3"), "of_all_loans": None}}
    kept = [{**lent, **share, "month": f"2025-{month}", "partner": partner} for month in (11, 12) for partner, share in shares.items()]
    await tx.execute(insert(tables.concentration_row), kept)
    document = {"title": "Some sellers"}
    whole = {
        "portfolio_id": "P",
        "version": "1",
        "sha256": "ab" * 32,
        "document": document,
        "purpose": "CREDIT_APPROVAL",
        "as_of": KNOWN.date(),
    }
    for number in (1, 2):
        own = {
            "screening_id": uid(300 + number),
            "known_at": KNOWN,
            "author": "operator",
            "created_at": KNOWN,
            "customers": 3,
            "come_to": number,
        }
        await tx.execute(insert(tables.portfolio_screening), {**whole, **own, "ended_at": KNOWN if number == 1 else None})
        cells = [
            ("ALL", "", "ENHANCED", 2),
            ("TIER", "HIGH", "ENHANCED", 2),
            ("REGION", "", "BASE_ONLY", 1),
            ("LEFT", "CONSENT_MISSING", "", number),
        ]
        rows = [dict(zip(("axis", "value", "outcome", "customers"), cell, strict=True)) for cell in cells]
        await tx.execute(
            insert(tables.portfolio_count), [{**row, "screening_id": uid(300 + number), "limits": number * 1000} for row in rows]
        )
    found = {
        "screening_id": uid(301),
        "purpose": "CREDIT_APPROVAL",
        "known_at": KNOWN,
        "scenario": "S03",
        "below_floor": False,
        "reasons": ["C06"],
    }
    for number, customer in enumerate((world.mine, uid(3), world.theirs)):
        own = {
            "customer_id": customer,
            "result_id": uid(310 + number),
            "outcome": ("ENHANCED", "BASE_ONLY")[number % 2],
            "sources": ["SHOP"],
        }
        await tx.execute(insert(tables.portfolio_result), {**found, **own, "offered_limit": Decimal(5000), "tier": "HIGH"})
