"""公平性报告: of each segment the rate of approvals and the mean limit, month by month. Pure.

A cell of few customers tells of persons: it is not told. Where one cell of an axis is not told, the next smallest is not told either, or it could be worked out.
Gender, ethnicity and the like are not collected, so that nothing is counted by them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from hub.credit.policies import document

ALL = "ALL"
CENT, SHARE = Decimal("0.01"), Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Counted:
    """Of one segment of an axis: customers decided about, those approved, and the sum of their limits in yuan. ``segment`` empty: nobody can tell."""

    axis: str
    segment: str
    decided: int
    approved: int
    limits: Decimal


@dataclass(frozen=True, slots=True)
class Cell:
    """``told`` false: too few; then the rest is None. ``to_all``: the rate against that of everybody."""

    axis: str
    segment: str
    told: bool
    decided: int | None = None
    approved: int | None = None
    approval_rate: Decimal | None = None
    mean_limit: Decimal | None = None
    to_all: Decimal | None = None


def axes() -> tuple[str, ...]:
    return tuple(document("fairness")["axes"])


def fairness(counted: Sequence[Counted]) -> tuple[Cell, ...]:
    """Everybody first, then by axis and segment."""
    hidden = {(one.axis, one.segment) for one in counted if one.axis == ALL and one.decided < least()}
    for axis in axes():
        hidden |= _hidden([one for one in counted if one.axis == axis])
    whole = next((_cell(one) for one in counted if one.axis == ALL and (ALL, one.segment) not in hidden), None)
    order = (ALL, *axes())
    found = [
        Cell(one.axis, one.segment, told=False) if (one.axis, one.segment) in hidden else _beside(_cell(one), whole)
        for one in sorted(counted, key=lambda one: (order.index(one.axis), one.segment))
    ]
    return tuple(found)


def least() -> int:
    return int(document("fairness")["least_cell"])


def _hidden(cells: Sequence[Counted]) -> set[tuple[str, str]]:
    by_size = sorted(cells, key=lambda one: (one.decided, one.segment))
    few = [one for one in by_size if one.decided < least()]
    if few and sum(one.decided for one in few) < least():
        # What is left of everybody without the others would tell.
        few = by_size[: len(few) + 1]
    return {(one.axis, one.segment) for one in few}


def _cell(one: Counted) -> Cell:
    rate = (Decimal(one.approved) / one.decided).quantize(SHARE, ROUND_HALF_UP) if one.decided else None
    mean = (one.limits / one.approved).quantize(CENT, ROUND_HALF_UP) if one.approved else None
    return Cell(one.axis, one.segment, True, one.decided, one.approved, rate, mean)


def _beside(cell: Cell, whole: Cell | None) -> Cell:
    if whole is None or not whole.approval_rate or cell.approval_rate is None:
        return cell
    return replace(cell, to_all=(cell.approval_rate / whole.approval_rate).quantize(SHARE, ROUND_HALF_UP))
