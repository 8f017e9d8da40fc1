"""信用评分, the expert scorecard: points per characteristic, grade, probability of default, reasons by lost points (domain brief, section 6.3).

Bins are expressions of a dated document. NOT_APPLICABLE earns half of the maximum and is never a reason; in a conflict the characteristics that rest on
unreliable revenue take their missing bin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

import msgspec

from hub.credit.expressions import Known, Layers, evaluate
from hub.credit.models.declare import Case, Given, Produces, model
from hub.credit.policies import document
from hub.domain.enums import MissingReason, Unit
from hub.domain.models import ModelSlot


class Points(msgspec.Struct, frozen=True, gc=False):
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
class Scored:
    """What an external model said instead of the scorecard. ``total`` None: it did not answer. ``codes`` are reasons of the catalogue."""

    total: int | None
    default_probability: Decimal | None = None
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """400 to 710 points. ``default_probability`` is unrounded. ``codes``: the reasons that an external model gave, None for the scorecard's own."""

    points: tuple[Points, ...]
    total: int
    grade: str
    default_probability: Decimal
    codes: tuple[str, ...] | None = None

    def reasons(self) -> list[str]:
        """Codes of the characteristics that lost points, the most first."""
        if self.codes is not None:
            return list(self.codes)
        losing = sorted((one for one in self.points if one.lost > 0), key=lambda one: (-one.lost, one.id))
        return [f"C{one.id}" for one in losing]


def score(names: Mapping[str, Known], *, conflict: bool, unverified: bool, scored: Scored | None = None) -> Score:
    """The score over features and the inputs ``contribution_streak`` and ``consistency``; or what an external model said, on the same scale."""
    if scored is not None and scored.total is not None:
        given = scored.default_probability
        return Score((), scored.total, _grade(scored.total), default_probability(scored.total) if given is None else given, scored.codes)
    card = document("engine")["score"]
    points = tuple(_earned(one, names, conflict, unverified) for one in card["characteristics"])
    total = int(card["base"]) + sum(one.points for one in points)
    return Score(points, total, _grade(total), default_probability(total))


def _grade(total: int) -> str:
    return next((name for name, least in document("engine")["score"]["grades"] if total >= least), "E")


@cache
def default_probability(total: int) -> Decimal:
    """odds = exp((A - score) / B) with B = PDO / ln 2 and A = anchor + B ln(1 / odds at the anchor)."""
    card = document("engine")["score"]
    scale = Decimal(card["pdo"]) / Decimal(2).ln()
    odds = ((Decimal(card["anchor"]) - total) / scale).exp() / Decimal(card["anchor_odds"])
    return odds / (1 + odds)


def _earned(one: Mapping[str, Any], names: Mapping[str, Known], conflict: bool, unverified: bool) -> Points:
    """The same for scenarios in which it is of the same value."""
    known = names[one["feature"]]
    memo, key = names.memo if isinstance(names, Layers) else {}, (_points, one["id"], conflict, unverified, id(known))
    if key not in memo:
        memo[key] = _points(one, known, conflict, unverified), known
    found: Points = memo[key][0]
    return found


def _points(one: Mapping[str, Any], known: Known, conflict: bool, unverified: bool) -> Points:
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


@model(
    ModelSlot.SCORE,
    Produces("score", Unit.SCORE, "Points, 400 to 710."),
    Produces("grade", Unit.ENUM, "A (best) to E.", ("A", "B", "C", "D", "E")),
    Produces(
        "probabilityOfDefault", Unit.RATIO, "Within 12 months, 0 to 1; a placeholder until it is calibrated with the lender's own defaults."
    ),
)
def credit_score(case: Case) -> Given:
    """Score = 400 + the points of twelve characteristics: months in business, growth, variation, months without sales, refunds, tax rating, debt to revenue, debt
    service cover, arrears, inquiries, contribution streak, consistency; windows are those of the features. A missing characteristic earns its missing bin, one that does
    not apply half of its maximum. In a conflict the characteristics that rest on revenue take the missing bin. Odds of default = exp((A - score) / B), with B = 50
    / ln 2 and A such that 600 points are odds of 1 to 19; probability = odds / (1 + odds). Grades: A from 660, B from 630, C from 600, D from 560, else E. Behind a
    closed gate there is none. Source: domain brief, section 6.3: expert values, not fitted."""
    if case.made.findings is None:
        reason = case.made.gate[0][1]
        return {"score": reason, "grade": reason, "probabilityOfDefault": reason}
    found = case.found.score
    return {"score": found.total, "grade": found.grade, "probabilityOfDefault": found.default_probability}
