"""Verified revenue, dimensions, consistency, coverage and tier, in the order of decision of the domain brief, section 4.5."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache

from msgspec.structs import replace

from hub.credit.crosscheck.checks import OPEN, Check, Status
from hub.credit.crosscheck.frame import ORDINARY, Frame
from hub.credit.crosscheck.observers import Observers
from hub.credit.dossier import Dossier
from hub.credit.maths import median
from hub.credit.policies import document
from hub.domain.enums import SourceKind
from hub.domain.money import ZERO

PAIRS = {"R1": ("TAX", "TRADE"), "R2": ("TRADE", "CASH"), "R3": ("TAX", "CASH")}
PAIR_ORDER = ("R2", "R1", "R3")
DIMENSIONS = ("R", "P", "L")


class Tier(StrEnum):
    """How well the data agree."""

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
    UNVERIFIED = "UNVERIFIED"
    CONFLICT = "CONFLICT"


RANK = (Tier.LOW, Tier.MEDIUM, Tier.HIGH)


@dataclass(frozen=True, slots=True)
class Verdict:
    """See the module. ``revenue`` is VR with the haircut of a single observer where there is one; CONFLICT has none.

    ``frame`` says how the scenario read dimension R.
    """

    checks: Mapping[str, Check]
    dimensions: Mapping[str, Decimal | None]
    consistency: Decimal | None
    coverage: Decimal | None
    tier: Tier
    tau: Decimal
    revenue: Decimal | None
    flags: tuple[str, ...]
    next_best_source: SourceKind | None
    frame: Frame = ORDINARY


@dataclass(frozen=True, slots=True)
class _Revenue:
    value: Decimal | None
    outlier: str | None = None
    conflict: bool = False
    ceiling: Tier = Tier.HIGH


@dataclass(frozen=True, slots=True)
class _Grounds:
    """What decides the tier."""

    frame: Frame
    observers: Observers
    checks: Mapping[str, Check]
    dimensions: Mapping[str, Decimal | None]
    consistency: Decimal | None
    coverage: Decimal | None
    revenue: _Revenue


def judge(dossier: Dossier, observers: Observers, checks: Mapping[str, Check], frame: Frame = ORDINARY) -> Verdict:
    """The verdict over all checks. The frame is a settled one."""
    revenue = _verified(observers, checks)
    checks = _outlier_halved(checks, revenue.outlier)
    dimensions = {name: _dimension(name, checks.values()) for name in DIMENSIONS}
    consistency, coverage = _consistency(dimensions), _coverage(checks.values())
    flags = tuple(_flags(checks, revenue))
    tier = _tier(_Grounds(frame, observers, checks, dimensions, consistency, coverage, revenue))
    conflict = tier is Tier.CONFLICT
    tau = min(frame.tau_ceiling, Decimal(document("engine")["tiers"].get(tier, {}).get("tau", "0")))
    best = None if conflict else _next_best(dossier, checks, frame)
    value = revenue.value if frame.has_observers and not conflict else None
    return Verdict(checks, dimensions, consistency, coverage, tier, tau, value, flags, best, frame)


def _verified(observers: Observers, checks: Mapping[str, Check]) -> _Revenue:
    values = observers.available()
    pairs = {name: checks[name] for name in PAIR_ORDER if checks[name].available}
    if not values:
        return _Revenue(None)
    if len(values) == 1 or not pairs:
        return _Revenue(Decimal(document("engine")["single_observer_haircut"]) * max(values.values()))
    if all(check.status in (Status.PASS, Status.WARN) for check in pairs.values()):
        return _Revenue(median(list(values.values())) if len(values) == 3 else min(values.values()))
    passing = [name for name, check in pairs.items() if check.status is Status.PASS]
    if passing:
        best = min(passing, key=lambda name: (pairs[name].deviation or ZERO, PAIR_ORDER.index(name)))
        outlier = next((name for name in values if name not in PAIRS[best]), None)
        return _Revenue(min(values[name] for name in PAIRS[best]), outlier, ceiling=Tier.MEDIUM)
    if any(check.status is Status.SEVERE for check in pairs.values()):
        return _Revenue(None, conflict=True)
    return _Revenue(min(values.values()), ceiling=Tier.LOW)


def _outlier_halved(checks: Mapping[str, Check], outlier: str | None) -> dict[str, Check]:
    """Checks that involve an outlier get half weight."""
    if outlier is None:
        return dict(checks)
    half = Decimal(document("engine")["outlier_weight"])
    involved = {name for name, pair in {**PAIRS, "R4": ("TRADE", "CASH")}.items() if outlier in pair}
    return {name: replace(check, weight=check.weight * half) if name in involved else check for name, check in checks.items()}


def _weights(checks: Iterable[Check]) -> tuple[Decimal, Decimal]:
    """Available and applicable weight."""
    available = applicable = ZERO
    for check in checks:
        if check.status is not Status.NOT_APPLICABLE:
            applicable += check.weight
            available += check.weight if check.available else ZERO
    return available, applicable


def _dimension(name: str, checks: Iterable[Check]) -> Decimal | None:
    """Weighted score of the available checks; None with less than half of the applicable weight."""
    mine = [check for check in checks if check.dimension == name and check.counts]
    available, applicable = _weights(mine)
    if applicable == 0 or available < applicable / 2:
        return None
    return sum((check.weight * check.score for check in mine if check.score is not None), ZERO) / available


@cache
def _dimension_weights() -> dict[str, Decimal]:
    return {name: Decimal(weight) for name, weight in document("engine")["dimensions"].items()}


def _consistency(dimensions: Mapping[str, Decimal | None]) -> Decimal | None:
    weights = _dimension_weights()
    known = {name: score for name, score in dimensions.items() if score is not None}
    if not known:
        return None
    return sum((weights[name] * score for name, score in known.items()), ZERO) / sum((weights[name] for name in known), ZERO)


def _coverage(checks: Iterable[Check]) -> Decimal | None:
    """Share of the applicable weight that is available, over the dimensions in which anything applies."""
    return _covered(_shares(checks))


def _shares(checks: Iterable[Check]) -> dict[str, tuple[Decimal, Decimal]]:
    """Available and applicable weight of each dimension in which anything applies, of the checks that count."""
    counted: dict[str, list[Check]] = {name: [] for name in DIMENSIONS}
    for check in checks:
        if check.counts:
            counted[check.dimension].append(check)
    found = {name: _weights(mine) for name, mine in counted.items()}
    return {name: (have, of) for name, (have, of) in found.items() if of > 0}


def _covered(shares: Mapping[str, tuple[Decimal, Decimal]]) -> Decimal | None:
    if not shares:
        return None
    weights = _dimension_weights()
    total = sum((weights[name] for name in shares), ZERO)
    return sum((weights[name] * have / of for name, (have, of) in shares.items()), ZERO) / total


def _flags(checks: Mapping[str, Check], revenue: _Revenue) -> Iterable[str]:
    yield from (f"HARD_{name}" for name in ("L1", "L4") if checks[name].hard)
    if revenue.outlier:
        yield f"OUTLIER_{revenue.outlier}"
    if revenue.conflict:
        yield "REVENUE_CONFLICT"


def _tier(on: _Grounds) -> Tier:
    limits = document("engine")["tiers"]
    required = on.frame.revenue == "REQUIRED"
    if any(check.hard for check in on.checks.values()) or (required and on.revenue.conflict):
        return Tier.CONFLICT
    if not _evidenced(on) or on.consistency is None or on.coverage is None:
        return Tier.UNVERIFIED
    if on.consistency < Decimal(limits["LOW"]["consistency"]):
        return Tier.CONFLICT
    formed = [check for check in on.checks.values() if check.dimension == "R" and check.counts]
    failed = any(check.status in (Status.FAIL, Status.SEVERE) for check in formed)
    tier = Tier.LOW
    for candidate in (Tier.MEDIUM, Tier.HIGH):
        enough = on.consistency >= Decimal(limits[candidate]["consistency"]) and on.coverage >= Decimal(limits[candidate]["coverage"])
        if enough and not (candidate is Tier.HIGH and failed):
            tier = candidate
    ceilings = (on.revenue.ceiling if required else Tier.HIGH, Tier.MEDIUM if on.dimensions["L"] is None else Tier.HIGH)
    return min(tier, *ceilings, key=RANK.index)


def _evidenced(on: _Grounds) -> bool:
    """Two independent sources stand behind what is judged: two observers that can be compared; P and L; or the hard check of the scenario."""
    if on.frame.revenue == "NOT_APPLICABLE":
        return on.dimensions["P"] is not None and on.dimensions["L"] is not None
    if on.frame.revenue == "REPLACED":
        return on.checks[on.frame.replaced_by[0]].available and on.dimensions["R"] is not None
    pairs = any(on.checks[name].available for name in PAIRS)
    return len(on.observers.available()) >= 2 and pairs and on.dimensions["R"] is not None


def _next_best(dossier: Dossier, checks: Mapping[str, Check], frame: Frame) -> SourceKind | None:
    """The unreadable source whose connection alone adds most to the coverage; ties in the order of the source kinds."""
    shares, lacking = _shares(checks.values()), _lacking(dossier, checks, frame)
    before = _covered(shares)
    gains: list[tuple[Decimal, SourceKind]] = []
    for kind in dossier.unreadable:
        # With this source a check would become available: all else that it needs is readable, and this was missing.
        made = [checks[name] for name, sources in lacking.items() if all(kind in options for options in sources)]
        if not made:
            continue
        after = _covered(_with(shares, made))
        if before is not None and after is not None and after > before:
            gains.append((after - before, kind))
    return max(gains, key=lambda gain: gain[0])[1] if gains else None


def _with(shares: Mapping[str, tuple[Decimal, Decimal]], made: Iterable[Check]) -> dict[str, tuple[Decimal, Decimal]]:
    """The shares, were these checks available that are not."""
    found = dict(shares)
    for check in made:
        if check.counts and check.dimension in found:
            have, of = found[check.dimension]
            found[check.dimension] = have + check.weight, of
    return found


def _lacking(dossier: Dossier, checks: Mapping[str, Check], frame: Frame) -> dict[str, list[list[str]]]:
    """Of the checks that are unavailable for want of a source: what they need and do not have, each as the sources any of which would do."""
    parameters, unreadable = document("engine")["checks"], dossier.unreadable
    found = {}
    for name, check in checks.items():
        if check.status is Status.UNAVAILABLE:
            needs = (
                parameters[check.id].get("farmer_needs", parameters[check.id]["needs"]) if frame.farmer else parameters[check.id]["needs"]
            )
            found[name] = [options for options in needs if all(option in unreadable for option in options)]
    return {name: sources for name, sources in found.items() if sources}


__all__ = ["OPEN", "Tier", "Verdict", "judge"]
