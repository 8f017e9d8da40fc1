"""Paging over a platform's nightly snapshot: page numbers from 1, valid only as long as the snapshot is the same.

A :class:`Position` is the cursor of such a stream; :func:`turn` makes the page and decides how it goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, Self

from hub.connect.faults import ContractBroken, NoData
from hub.connect.message import Interval, Json, Page, Record, Window


@dataclass(frozen=True)
class Position:
    """Where the reading of a window stands.

    ``seen`` counts the records read so far, ``base`` those of them that the platform's total of the question at hand does not count (read
    before a restart, or by an earlier question of the window), so that base + total is what the whole window must have given.
    """

    page: int = 1
    snapshot: str = ""
    seen: int = 0
    base: int = 0
    again: int = 0

    @classmethod
    def of(cls, cursor: Json | None) -> Self:
        return cls(**(cursor or {}))

    def cursor(self) -> Json:
        return {name: value for name, value in asdict(self).items() if value or name == "page"}

    def restarted(self) -> Self:
        """The window from its beginning. ``again`` keeps the cursor different from every earlier one."""
        return replace(self, page=1, snapshot="", base=self.seen, again=self.again + 1)


def turn(
    at: Position,
    records: Sequence[Record],
    *,
    snapshot: str,
    pages: int,
    total: int,
    covered: tuple[Interval, ...] | None,
) -> Page:
    """The page that was read. If the snapshot is another one than at page 1, the records are left and the window starts again."""
    if at.snapshot and snapshot != at.snapshot:
        return Page(next=at.restarted().cursor(), restart=True)
    if not records and at.page <= pages and total:
        raise ContractBroken("a page before the last one is empty")
    on = replace(at, page=at.page + 1, snapshot=snapshot, seen=at.seen + len(records))
    if at.page < pages:
        return Page(tuple(records), next=on.cursor(), covered=covered)
    return Page(tuple(records), total=at.base + total, covered=covered)


def covered_days(intervals: Sequence[Mapping[str, Any]] | None, window: Window, first: str, last: str) -> tuple[Interval, ...] | None:
    """The days of the window that the platform says are complete; ``first`` and ``last`` name the members. None: it does not say."""
    if intervals is None:
        return None
    try:
        spans = [(date.fromisoformat(span[first]), date.fromisoformat(span[last])) for span in intervals]
    except (KeyError, TypeError, ValueError):
        raise ContractBroken("the covered intervals cannot be read") from None
    cut = [(max(start, window.first), min(end, window.last)) for start, end in spans]
    return tuple(Interval(start, end) for start, end in cut if start <= end)


def nothing_there(covered: tuple[Interval, ...] | None, window: Window, reason: str, code: str) -> Page:
    """The platform knows nothing of the customer: a page without records for the days it answers for. Raises NoData where it says nothing of days, or nothing but
    the whole window or none of it.
    """
    if not covered or covered == (Interval(window.first, window.last),):
        raise NoData(reason, covered=covered is None or bool(covered), code=code)
    return Page(total=0, covered=covered)
