"""The thirteen checks, and two each of farms and orders: each yields a deviation, or says that it is UNAVAILABLE (an input is missing) or NOT_APPLICABLE.

Bands and weights are parameters. ``s(d)`` is 1 up to the good band, falls to one half at the fair and to 0 at the poor one (domain brief, 4.1, 4.3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cache

import msgspec
from msgspec.structs import replace

from hub.credit.crosscheck.farm import claimed_yield, plot_area
from hub.credit.crosscheck.frame import ORDINARY, Frame
from hub.credit.crosscheck.observers import Observers
from hub.credit.crosscheck.orders import confirmed_orders, paid_orders
from hub.credit.crosscheck.people import contribution_base, head_count, personal_income
from hub.credit.crosscheck.place import activity, holders, place, plots_from_home, settlement_held_by_another
from hub.credit.crosscheck.revenue import equity, margin, pair, shape
from hub.credit.dossier import Dossier
from hub.credit.policies import document
from hub.credit.values import FeatureSet
from hub.domain.enums import MissingReason
from hub.domain.money import ZERO


class Status(StrEnum):
    """Outcome of one check."""

    PASS = "PASS"  # noqa: S105 -- a status
    WARN = "WARN"
    FAIL = "FAIL"
    SEVERE = "SEVERE"
    UNAVAILABLE = "UNAVAILABLE"
    NOT_APPLICABLE = "NOT_APPLICABLE"


SEEN_BY_CHECKS = ("rr_gross_margin", "op_hf_implied_income", "cb_address_concentration")
"""The features that checks look at."""
OPEN = (Status.UNAVAILABLE, Status.NOT_APPLICABLE)
ADVERSE = (Status.WARN, Status.FAIL, Status.SEVERE)


class Check(msgspec.Struct, frozen=True, gc=False):
    """One check. ``deviation`` and ``score`` are None while it is open; ``weight`` is after halving, before renormalisation.

    ``counts``: whether it moves the tier, or is only shown.
    """

    id: str
    status: Status
    deviation: Decimal | None
    score: Decimal | None
    weight: Decimal
    hard: bool = False
    counts: bool = True

    @property
    def dimension(self) -> str:
        """R, P or L; what farms and orders are checked for stands in the place of revenue."""
        return self.id[0] if self.id[0] in "PL" else "R"

    @property
    def available(self) -> bool:
        return self.status not in OPEN


Outcome = Decimal | Status
"""A deviation, or UNAVAILABLE or NOT_APPLICABLE."""


OF_FEATURES: Mapping[str, Callable[[Dossier, FeatureSet], Outcome | MissingReason | None]] = {
    "R5": lambda dossier, features: margin(dossier, features),
    "P3": lambda dossier, features: personal_income(dossier, features),
    "L4": lambda _, features: _feature(features, "cb_address_concentration"),
}
OF_DOSSIER: Mapping[str, Callable[[Dossier, Observers], Outcome | MissingReason | None]] = {
    "R1": lambda _, observers: pair(observers, "TAX", "TRADE"),
    "R2": lambda _, observers: pair(observers, "TRADE", "CASH"),
    "R3": lambda _, observers: pair(observers, "TAX", "CASH"),
    "R4": lambda _, observers: shape(observers),
    "R6": lambda dossier, _: equity(dossier),
    "P1": lambda dossier, _: head_count(dossier),
    "P2": lambda dossier, _: contribution_base(dossier),
    "L1": lambda dossier, _: holders(dossier),
    "L2": lambda dossier, _: place(dossier),
    "L3": lambda dossier, _: activity(dossier),
    "F1": lambda dossier, _: plot_area(dossier),
    "F2": lambda dossier, _: claimed_yield(dossier),
    "O1": lambda dossier, _: confirmed_orders(dossier),
    "O2": lambda dossier, _: paid_orders(dossier),
}
"""Checks of nothing but the dossier and its observers: scenarios with the same observers share them."""
ORDER = ("R1", "R2", "R3", "R4", "R5", "R6", "P1", "P2", "P3", "L1", "L2", "L3", "L4", "F1", "F2", "O1", "O2")


def run_checks(dossier: Dossier, features: FeatureSet, observers: Observers, frame: Frame = ORDINARY) -> dict[str, Check]:
    """Every check by id, in the order R, P, L, F, O; those of farms and orders only where they form dimension R."""
    wanted = [name for name in ORDER if name[0] not in "FO" or name in frame.replaced_by]
    found = {name: _made(name, dossier, features, observers, frame) for name in wanted}
    return _with_hard_flags(dossier, _framed(_with_partial_weights(found, observers), frame))


def _made(name: str, dossier: Dossier, features: FeatureSet, observers: Observers, frame: Frame) -> Check:
    if _left_out(name, frame):
        return _check(name, MissingReason.NOT_APPLICABLE)
    if name in OF_FEATURES:
        return _check(name, OF_FEATURES[name](dossier, features))
    if name == "L2" and frame.farmer:
        return _check(name, plots_from_home(dossier))
    key = (run_checks, name, id(observers))
    if key not in dossier.memo:
        # The observers stand beside it: while they do, no others have their place in memory.
        dossier.memo[key] = _check(name, OF_DOSSIER[name](dossier, observers)), observers
    return dossier.memo[key][0]  # type: ignore[no-any-return]


def _left_out(name: str, frame: Frame) -> bool:
    """Nothing is to be checked about revenue where nobody observes it, nor about the people of a farm."""
    return (name[0] == "R" and not frame.has_observers) or (name[0] == "P" and frame.farmer)


def _framed(checks: Mapping[str, Check], frame: Frame) -> dict[str, Check]:
    """Where other checks form R the six of revenue do not count, and the first of the others is hard when it is severe."""
    if frame.revenue != "REPLACED":
        return dict(checks)
    return {
        name: replace(
            check,
            counts=name[0] != "R",
            hard=name == frame.replaced_by[0] and check.status is Status.SEVERE,
        )
        for name, check in checks.items()
    }


@cache
def _figures(name: str) -> tuple[Decimal, tuple[Decimal, Decimal, Decimal]]:
    """Weight, and the good, fair and poor band."""
    figures = document("engine")["checks"][name]
    return Decimal(figures["weight"]), (Decimal(figures["good"]), Decimal(figures["fair"]), Decimal(figures["poor"]))


def _check(name: str, outcome: Outcome | MissingReason | None) -> Check:
    weight, bands = _figures(name)
    if outcome is MissingReason.NOT_APPLICABLE or outcome is Status.NOT_APPLICABLE:
        return Check(name, Status.NOT_APPLICABLE, None, None, weight)
    if not isinstance(outcome, Decimal):
        return Check(name, Status.UNAVAILABLE, None, None, weight)
    return Check(name, _status(outcome, *bands), outcome, score_of(outcome, *bands), weight)


def _status(deviation: Decimal, good: Decimal, fair: Decimal, poor: Decimal) -> Status:
    if deviation <= good:
        return Status.PASS
    return Status.WARN if deviation <= fair else Status.FAIL if deviation <= poor else Status.SEVERE


def score_of(deviation: Decimal, good: Decimal, fair: Decimal, poor: Decimal) -> Decimal:
    """s(d): 1, then two straight lines through one half, then 0."""
    half = Decimal("0.5")
    if deviation <= good:
        return Decimal(1)
    if deviation <= fair:
        return 1 - half * (deviation - good) / (fair - good)
    return half - half * (deviation - fair) / (poor - fair) if deviation <= poor else ZERO


def _feature(features: FeatureSet, name: str) -> Outcome | MissingReason | None:
    found = features[name]
    return found.number if found.missing is None else found.missing


def _with_partial_weights(checks: Mapping[str, Check], observers: Observers) -> dict[str, Check]:
    """A pair with a partial observer counts half."""
    half = Decimal(document("engine")["partial_weight"])
    pairs = {"R1": ("TAX", "TRADE"), "R2": ("TRADE", "CASH"), "R3": ("TAX", "CASH")}
    halved = {name for name, (one, other) in pairs.items() if observers.by_name[one].partial or observers.by_name[other].partial}
    return {name: replace(check, weight=check.weight * half) if name in halved else check for name, check in checks.items()}


def _with_hard_flags(dossier: Dossier, checks: dict[str, Check]) -> dict[str, Check]:
    """L1 is hard when the settlement account belongs to another party, L4 when severe on enough orders."""
    orders = dossier.orders.orders_w3 if dossier.orders else 0
    delivery = checks["L4"].status is Status.SEVERE and orders >= int(document("engine")["hard_delivery_orders"])
    return {**checks, "L1": replace(checks["L1"], hard=settlement_held_by_another(dossier)), "L4": replace(checks["L4"], hard=delivery)}
