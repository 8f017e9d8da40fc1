"""Slices of a range of days, as platforms want them.

A window is a row of the store and is made of whole days: consents, coverage and facts are told in days, so a row per half hour would be 48 times the state for
nothing anybody asks about. Where a platform serves less than a day at a time, the row stays a day and a :class:`Walk` in its cursor goes through the day's
slices: a crash or a pause goes on in the slice where it was, a refusal leaves the day visibly FAILED.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Self

from hub.connect.message import Json, Page, Window
from hub.domain.periods import CHINA, last_day, month_of


def whole(stream: str, first: date, last: date) -> list[Window]:
    """One window over the whole range."""
    return [Window(stream, first, last)]


def days(stream: str, first: date, last: date, length: int = 1) -> list[Window]:
    """Windows of at most ``length`` days. The grid begins at ``first``: hand over a day that does not move, such as the consent's first."""
    windows = []
    while first <= last:
        end = min(last, first + timedelta(days=length - 1))
        windows.append(Window(stream, first, end))
        first = end + timedelta(days=1)
    return windows


def months(stream: str, first: date, last: date) -> list[Window]:
    """Windows that end with each calendar month (at most 31 days)."""
    windows = []
    while first <= last:
        end = min(last, last_day(month_of(first)))
        windows.append(Window(stream, first, end))
        first = end + timedelta(days=1)
    return windows


@dataclass(frozen=True, slots=True)
class Walk:
    """Where the reading of a window stands that is read in slices shorter than a day.

    ``slice`` counts from the first midnight (China Standard Time), ``of`` is how many slices there are, ``inner`` is the connector's own cursor within the slice,
    ``declared`` what the platform said over the slices already read; None once it did not say.
    """

    window: Window
    length: timedelta
    of: int
    slice: int = 0
    inner: Json | None = None
    declared: int | None = 0

    @classmethod
    def of_cursor(cls, window: Window, cursor: Json | None, *, minutes: int = 30, until: datetime | None = None) -> Self:
        """The window's start, or where it stands. ``minutes`` divide a day; ``until`` is up to when the platform serves (None: the whole window).

        Only slices that are over are asked for, and how many there are is fixed with the first page: else the last one would grow while it is paged. A day that
        is not over must lie in the stream's look-back, or it stays as it was read first.
        """
        if 24 * 60 % minutes:
            raise ValueError("slices divide a day")
        length = timedelta(minutes=minutes)
        if cursor is not None:
            return cls(window, length, cursor["of"], cursor["slice"], cursor.get("inner"), cursor.get("declared"))
        return cls(window, length, max(1, _slices(window, length, until)))

    @property
    def first(self) -> datetime:
        """Where the slice begins."""
        return _midnight(self.window.first) + self.slice * self.length

    @property
    def last(self) -> datetime:
        """Where the slice ends: the first instant that is not its own. For a platform with inclusive ends, take a second off."""
        return self.first + self.length

    def turn(self, page: Page) -> Page:
        """A page of the slice as a page of the window: the next slice follows where the slice's own pages end."""
        if page.next is not None:
            return replace(page, next=replace(self, inner=page.next)._cursor(), total=None)
        declared = None if page.total is None or self.declared is None else self.declared + page.total
        if self.slice + 1 < self.of:
            return replace(
                page, next=replace(self, slice=self.slice + 1, inner=None, declared=declared)._cursor(), total=None, covered=None
            )
        return replace(page, total=declared, covered=page.covered if self._is_whole() else ())

    def _is_whole(self) -> bool:
        return self.of == _slices(self.window, self.length, None)

    def _cursor(self) -> Json:
        return {"slice": self.slice, "of": self.of, "inner": self.inner, "declared": self.declared}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), CHINA)


def _slices(window: Window, length: timedelta, until: datetime | None) -> int:
    """How many slices of the window are over."""
    start, end = _midnight(window.first), _midnight(window.last + timedelta(days=1))
    return (min(end, until) - start) // length if until is not None else (end - start) // length
