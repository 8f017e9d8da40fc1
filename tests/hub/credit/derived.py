"""Comparing a result with what was derived on paper: section by section, in the few words a derivation uses."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

FACTOR, OFFSET = 50 / math.log(2), 600 + 50 / math.log(2) * math.log(1 / 19)
FUNDING, OPERATION, LOSS = 0.016, 0.008, 0.65


def default_probability(points: int) -> float:
    """PD = odds/(1 + odds), odds = e^((387.6036 - points)/72.1348): 50 points double the odds, 600 points are odds of 1/19."""
    odds = math.exp((OFFSET - points) / FACTOR)
    return odds / (1 + odds)


def margin(rate: float, points: int) -> float:
    """Rate - 1.6 % funding - 0.8 % operation - .65 PD."""
    return rate - FUNDING - OPERATION - LOSS * default_probability(points)


def checks(found: dict[str, Any]) -> dict[str, str]:
    """Status and deviation of each check that could be made."""
    return {name: f"{one['status']} {one['d']}" for name, one in found["checks"].items() if one["d"] is not None}


def open_checks(found: dict[str, Any], status: str) -> list[str]:
    return [name for name, one in found["checks"].items() if one["status"] == status]


def cross_check(found: dict[str, Any]) -> tuple[object, ...]:
    """R, P, L, C, K, tier, tau and verified revenue."""
    dimensions = found["dimensions"]
    keys = ("consistency", "coverage", "tier", "tau", "verified_revenue")
    return (dimensions["R"], dimensions["P"], dimensions["L"], *(found[key] for key in keys))


def points(found: dict[str, Any]) -> tuple[list[int], int, str]:
    """Points of the twelve characteristics, the score and the grade; the PD is compared here."""
    score = found["score"]
    assert abs(Decimal(score["pd"]) - Decimal(default_probability(score["total"]))) <= Decimal("0.0001")
    return list(score["points"].values()), score["total"], score["grade"]


def limit(found: dict[str, Any]) -> dict[str, Any]:
    """The limit with each uplift as a share or 0."""
    whole = dict(found["limit"])
    whole["uplifts"] = [one["share"] if one["earned"] else "0" for one in whole["uplifts"]]
    return whole


def offer(found: dict[str, Any]) -> tuple[object, ...]:
    """Base rate, rate, terms, repayment, guarantee; the margin is compared here."""
    price, term = found["price"], found["term_months"]
    assert abs(float(price["risk_adjusted_margin"]) - margin(float(price["rate"]), found["score"]["total"])) <= 0.0001
    return price["base_rate"], price["rate"], term["base"], term["offered"], found["repayment"], found["guarantee"]


def outcome(found: dict[str, Any]) -> tuple[object, ...]:
    """Outcome, reasons, notes, the next best source. Nothing of these customers is kept from them."""
    assert found["customer_reasons"] == found["reasons"]
    return found["outcome"], found["reasons"], found["notes"], found["next_best_source"]
