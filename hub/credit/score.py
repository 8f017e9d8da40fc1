"""The expert scorecard: points per characteristic, grade, probability of default, reasons by lost points (domain brief, section 6).

Bins are expressions of a dated document. NOT_APPLICABLE earns half of the maximum and is never a reason; in a conflict the characteristics that rest on
unreliable revenue take their missing bin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from hub.credit.expressions import Known, evaluate
from hub.credit.policies import document
from hub.domain.enums import MissingReason


@dataclass(frozen=True, slots=True)
class Points:
    """What one characteristic earned. ``applies`` is False when it is NOT_APPLICABLE."""

    id: str
    feature: str
    points: int
    maximum: int
    applies: bool

    @property
    def lost(self) -> int:
        return self.maximum - self.points if self.applies else 0


@dataclass(frozen=True, slots=True)
class Score:
    """400 to 710 points. ``default_probability`` is unrounded."""

    points: tuple[Points, ...]
    total: int
    grade: str
    default_probability: Decimal

    def reasons(self) -> list[str]:
        """Codes of the characteristics that lost points, the most first."""
        losing = sorted((one for one in self.points if one.lost > 0), key=lambda one: (-one.lost, one.id))
        return [f"C{one.id}" for one in losing]


def score(names: Mapping[str, Known], *, conflict: bool, unverified: bool) -> Score:
    """The score over features and the inputs ``contribution_streak`` and ``consistency``."""
    card = document("engine")["score"]
    points = tuple(_points(one, names, conflict, unverified) for one in card["characteristics"])
    total = int(card["base"]) + sum(one.points for one in points)
    grade = next((name for name, least in card["grades"] if total >= least), "E")
    return Score(points, total, grade, default_probability(total))


def default_probability(total: int) -> Decimal:
    """odds = exp((A - score) / B) with B = PDO / ln 2 and A = anchor + B ln(1 / odds at the anchor)."""
    card = document("engine")["score"]
    scale = Decimal(card["pdo"]) / Decimal(2).ln()
    odds = ((Decimal(card["anchor"]) - total) / scale).exp() / Decimal(card["anchor_odds"])
    return odds / (1 + odds)


def _points(one: Mapping[str, Any], names: Mapping[str, Known], conflict: bool, unverified: bool) -> Points:
    known = names[one["feature"]]
    maximum = max([points for _, points in one["bins"]] + list(one.get("special", {}).values()))
    if known.missing is MissingReason.NOT_APPLICABLE:
        half = int((Decimal(maximum) / 2).to_integral_value(ROUND_HALF_UP))
        return Points(one["id"], one["feature"], half, maximum, applies=False)
    missing = known.missing is not None or (conflict and one.get("unreliable", False)) or (unverified and one["feature"] == "consistency")
    earned = int(one["missing"]) if missing else _binned(one, known)
    return Points(one["id"], one["feature"], earned, maximum, applies=True)


def _binned(one: Mapping[str, Any], known: Known) -> int:
    if known.value in one.get("special", {}):
        return int(one["special"][known.value])
    return next(int(points) for condition, points in one["bins"] if evaluate(condition, {"x": known}) is True)
