"""The helper functions of the feature catalogue and the cross-checks (domain brief, section 3, "Helper functions").

Exact decimals in, exact decimals out; a float appears only inside the trigonometry of a distance. A function that has no value
for its input returns None: the caller knows which missing reason that is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from functools import cache

from hub.domain.money import ZERO

EARTH_RADIUS_KM = 6371.0088


def mean(values: Sequence[Decimal]) -> Decimal | None:
    return sum(values, ZERO) / len(values) if values else None


def cv(values: Sequence[Decimal]) -> Decimal | None:
    """Population standard deviation over mean; None if the mean is not positive."""
    average = mean(values)
    if average is None or average <= 0:
        return None
    variance = sum(((value - average) ** 2 for value in values), ZERO) / len(values)
    return variance.sqrt() / average


def dev(one: Decimal, other: Decimal) -> Decimal | None:
    """|x - y| / max(x, y); None if the larger one is not positive."""
    larger = max(one, other)
    return abs(one - other) / larger if larger > 0 else None


def corr(xs: Sequence[Decimal], ys: Sequence[Decimal]) -> Decimal | None:
    """Pearson correlation of two series of the same length; None if either is constant or there are fewer than two points."""
    if len(xs) != len(ys):
        raise ValueError("two series of one correlation have the same length")
    if len(set(xs)) < 2 or len(set(ys)) < 2:
        return None
    mean_x, mean_y = sum(xs, ZERO) / len(xs), sum(ys, ZERO) / len(ys)
    moment = sum(((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)), ZERO)
    spread_x = sum(((x - mean_x) ** 2 for x in xs), ZERO)
    spread_y = sum(((y - mean_y) ** 2 for y in ys), ZERO)
    return moment / (spread_x.sqrt() * spread_y.sqrt())


def slope(values: Sequence[Decimal], at: Sequence[int] | None = None) -> Decimal | None:
    """Ordinary least squares slope per step over the mean; None if the mean is not positive or there are fewer than two points.

    ``at`` are the positions of the values (0, 1, 2 ... by default): a month that is missing leaves a hole.
    """
    average = mean(values)
    if average is None or average <= 0 or len(values) < 2:
        return None
    distances, spread = _positions(tuple(at if at is not None else range(len(values))))
    moment = sum((x * (y - average) for x, y in zip(distances, values, strict=True)), ZERO)
    return moment / spread / average


@cache
def _positions(at: tuple[int, ...]) -> tuple[tuple[Decimal, ...], Decimal]:
    """How far each is from their mean, and the sum of the squares: there are a few windows, with few holes."""
    positions = [Decimal(position) for position in at]
    centre = sum(positions, ZERO) / len(positions)
    return tuple(x - centre for x in positions), sum(((x - centre) ** 2 for x in positions), ZERO)


def hav(from_latitude: float, from_longitude: float, to_latitude: float, to_longitude: float) -> Decimal:
    """Great-circle distance of two places in km, by the haversine formula."""
    phi, other = math.radians(from_latitude), math.radians(to_latitude)
    delta = math.radians(to_longitude - from_longitude)
    chord = math.sin((other - phi) / 2) ** 2 + math.cos(phi) * math.cos(other) * math.sin(delta / 2) ** 2
    return Decimal(repr(2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, chord)))))


def entropy(counts: Sequence[int]) -> Decimal | None:
    """Normalised Shannon entropy -sum(p ln p) / ln(n) of n groups: 0 for a single one, 1 when all are equal; None without members."""
    present = [count for count in counts if count > 0]
    total = sum(present)
    if total == 0:
        return None
    if len(present) == 1:
        return ZERO
    shares = [Decimal(count) / total for count in present]
    return -sum((share * share.ln() for share in shares), ZERO) / Decimal(len(present)).ln()


def median(values: Sequence[Decimal]) -> Decimal | None:
    ordered, middle = sorted(values), len(values) // 2
    if not ordered:
        return None
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
