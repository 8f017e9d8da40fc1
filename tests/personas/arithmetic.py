"""What the brief says to reckon, reckoned apart from the product: Decimal, the tables of sections 4.3 and 6.3, and nothing imported from ``hub``.

A derivation is a dictionary of paths into the expected format and what must stand there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

D = Decimal
Derived = dict[str, Any]

BANDS = {
    "R1": ".10 .25 .50", "R2": ".10 .25 .50", "R3": ".15 .30 .60", "R4": ".20 .40 .80", "R5": ".10 .30 .60", "R6": ".05 .15 .30",
    "P1": ".10 .25 .50", "P2": ".10 .35 .60", "P3": ".15 .35 .60",
    "L1": "0 .34 .67", "L2": "5 50 300", "L3": ".20 .50 .80", "L4": ".02 .05 .15",
}  # fmt: skip
WEIGHTS = {
    "R": {"R1": D(".30"), "R2": D(".35"), "R3": D(".20"), "R4": D(".05"), "R5": D(".10"), "R6": D(".10")},
    "P": {"P1": D(".4"), "P2": D(".3"), "P3": D(".3")},
    "L": {"L1": D(".4"), "L2": D(".2"), "L3": D(".15"), "L4": D(".25")},
}
DIMENSIONS = {"R": D(".50"), "P": D(".20"), "L": D(".30")}
SPREAD = {"A": D("1.00"), "B": D("1.90"), "C": D("3.00"), "D": D("5.00")}


def text(value: Decimal, places: int) -> str:
    return f"{value.quantize(D(1).scaleb(-places), ROUND_HALF_UP) + 0:f}"


def yuan(value: Decimal | int) -> str:
    return text(D(value), 2)


def ratio(value: Decimal | int) -> str:
    return text(D(value), 4)


def dev(one: Decimal, other: Decimal) -> Decimal:
    return abs(one - other) / max(one, other)


def mean(values: Sequence[Decimal]) -> Decimal:
    return sum(values, D(0)) / len(values)


def spread(values: Sequence[Decimal]) -> Decimal:
    """Population standard deviation over the mean."""
    middle = mean(values)
    return mean([(one - middle) ** 2 for one in values]).sqrt() / middle


def slope(values: Sequence[Decimal]) -> Decimal:
    """Least squares per step, over the mean."""
    middle, centre = mean(values), D(len(values) - 1) / 2
    over = sum((D(i) - centre) * (one - middle) for i, one in enumerate(values))
    return over / sum((D(i) - centre) ** 2 for i in range(len(values))) / middle


def correlation(one: Sequence[Decimal], other: Sequence[Decimal]) -> Decimal:
    a, b = ([value - mean(values) for value in values] for values in (one, other))
    return sum((x * y for x, y in zip(a, b, strict=True)), D(0)) / (sum(x * x for x in a) * sum(y * y for y in b)).sqrt()


def shape(trade: Sequence[Decimal], cash: Sequence[Decimal]) -> Decimal:
    """R4: 1 - the better of no lag and one month's lag."""
    return 1 - max(D(0), correlation(trade, cash), correlation(trade[:-1], cash[1:]))


def north(degrees: str) -> Decimal:
    """Kilometres along a meridian."""
    return D("6371.0088") * D(math.pi) / 180 * D(degrees)


def judged(check: str, d: Decimal) -> tuple[str, Decimal]:
    """Status and score of section 4.1."""
    good, fair, poor = map(D, BANDS[check].split())
    if d <= good:
        return "PASS", D(1)
    if d <= fair:
        return "WARN", 1 - (d - good) / (fair - good) / 2
    return ("FAIL", D(".5") - (d - fair) / (poor - fair) / 2) if d <= poor else ("SEVERE", D(0))


def cross_check(measured: Mapping[str, Decimal], no_matter: str = "") -> Derived:
    """Every check, the dimensions, C and K. What is neither measured nor ``no_matter`` (not applicable) is unavailable."""
    found: Derived = {}
    scores: dict[str, Decimal] = {}
    shares: dict[str, Decimal] = {}
    for name, weights in WEIGHTS.items():
        applicable = {check: weight for check, weight in weights.items() if check not in no_matter.split()}
        there = {check: weight for check, weight in applicable.items() if check in measured}
        for check in weights:
            found |= _check(check, measured.get(check), applicable=check in applicable)
        if applicable:
            shares[name] = sum(there.values(), D(0)) / sum(applicable.values())
        if there and shares[name] >= D(".5"):
            scores[name] = sum(weight * judged(check, measured[check])[1] for check, weight in there.items()) / sum(there.values())
        found[f"dimensions.{name}"] = ratio(scores[name]) if name in scores else None
    found["consistency"] = ratio(sum(DIMENSIONS[name] * one for name, one in scores.items()) / sum(DIMENSIONS[name] for name in scores))
    found["coverage"] = ratio(sum(DIMENSIONS[name] * one for name, one in shares.items()) / sum(DIMENSIONS[name] for name in shares))
    return found


def _check(check: str, d: Decimal | None, *, applicable: bool) -> Derived:
    if d is None:
        return {f"checks.{check}.status": "UNAVAILABLE" if applicable else "NOT_APPLICABLE", f"checks.{check}.d": None}
    status, score = judged(check, d)
    return {
        f"checks.{check}.status": status,
        f"checks.{check}.d": text(d, 2 if check == "L2" else 4),
        f"checks.{check}.s": ratio(score),
    }


def default_probability(points: int) -> Decimal:
    odds = math.exp((600 + 50 / math.log(2) * math.log(1 / 19) - points) * math.log(2) / 50)
    return D(odds / (1 + odds))


def scored(points: Sequence[int], grade: str) -> Derived:
    return {
        "score.points": list(points),
        "score.total": 400 + sum(points),
        "score.grade": grade,
        "score.pd": ratio(default_probability(400 + sum(points))),
    }


def rates(grade: str, tau: str) -> tuple[Decimal, Decimal]:
    """Base rate and rate: 3.00 % and the spread, less .30 % times tau."""
    base = (3 + SPREAD[grade]) / 100
    return base, base - D(tau) * D(".003")


def priced(grade: str, tau: str, points: int, *, enhanced: bool = True) -> Derived:
    base, rate = rates(grade, tau if enhanced else "0")
    left = rate - D(".016") - D(".008") - D(".65") * default_probability(points)
    return {"price.base_rate": ratio(base), "price.rate": ratio(rate), "price.risk_adjusted_margin": ratio(left)}


def thousands(amount: Decimal) -> Decimal:
    return amount // 1000 * 1000


Amounts = Mapping[str, Decimal | None]


def limited(legs: Amounts, base: Decimal, earned: Sequence[str], tau: str, base_caps: Amounts, caps: Amounts) -> Derived:
    """The limit of section 5.1. ``earned`` says each uplift's share, "0" when it is not earned."""
    uplift = sum(map(D, earned), D(0))
    before = base * (1 + D(tau) * uplift)
    first = thousands(min([base, *(cap for cap in base_caps.values() if cap is not None)]))
    final = thousands(min([before, *(cap for cap in caps.values() if cap is not None)])) if uplift and D(tau) else first
    return {
        "limit.legs": {name: None if one is None else yuan(one) for name, one in legs.items()},
        "limit.base": yuan(base),
        "limit.earned": [D(share) > 0 for share in earned],
        "limit.uplift": text(uplift, 2),
        "limit.effective_uplift": ratio(D(tau) * uplift),
        "limit.before_caps": yuan(before),
        "limit.base_caps": {name: None if one is None else yuan(one) for name, one in base_caps.items()},
        "limit.caps": {name: None if one is None else yuan(one) for name, one in caps.items()},
        "limit.base_limit": yuan(first),
        "limit.final_limit": yuan(final),
        "limit.enhancement": yuan(final - first),
    }


def at(found: Mapping[str, Any], path: str) -> Any:
    """What stands at a path of an expected document."""
    if path == "limit.earned":
        return [one["earned"] for one in found["limit"]["uplifts"]]
    if path == "score.points":
        return list(found["score"]["points"].values())
    here: Any = found
    for name in path.split("."):
        here = here[name] if here is not None else None
    if path.startswith("features."):
        return here["missing_reason"] or here["value"]
    return here


def wrong(found: Mapping[str, Any], derived: Derived) -> list[str]:
    """What does not stand where it was derived."""
    return [f"{path}: {at(found, path)}, derived {want}" for path, want in derived.items() if at(found, path) != want]
