"""Days, months and windows, all in China Standard Time.

Instants are stored in UTC; days and months are computed in Asia/Shanghai (domain brief, rule G3). Windows are complete calendar
months before ``as_of``: M0 is the month before the month of ``as_of`` (rule G4).

An evaluation asks for the same few hundred months tens of thousands of times, so what is known of a month is found once.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache, lru_cache
from typing import NewType

Month = NewType("Month", str)
"""A calendar month as ``YYYY-MM``. Sorts as text."""

_AHEAD = timedelta(hours=8)
CHINA = timezone(_AHEAD, "Asia/Shanghai")


def day_of(text: object) -> date | None:
    """A day as ``YYYY-MM-DD`` and in no other form of ISO 8601; None: it is none."""
    try:
        day = date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return day if day is not None and day.isoformat() == text else None


def month_of(day: date) -> Month:
    return _month(day.year, day.month)


@cache
def _month(year: int, number: int) -> Month:
    return Month(f"{year:04d}-{number:02d}")


@lru_cache(maxsize=1 << 14)
def add_months(month: Month, count: int) -> Month:
    ordinal = int(month[:4]) * 12 + int(month[5:]) - 1 + count
    return Month(f"{ordinal // 12:04d}-{ordinal % 12 + 1:02d}")


def months_between(first: Month, last: Month) -> int:
    """Calendar months from first to last, 0 when equal."""
    return (int(last[:4]) - int(first[:4])) * 12 + int(last[5:]) - int(first[5:])


def month_range(first: Month, last: Month) -> Iterator[Month]:
    """Every month from first to last, both included."""
    for offset in range(months_between(first, last) + 1):
        yield add_months(first, offset)


@cache
def first_day(month: Month) -> date:
    return date(int(month[:4]), int(month[5:]), 1)


def days_in(month: Month) -> int:
    return calendar.monthrange(int(month[:4]), int(month[5:]))[1]


@cache
def last_day(month: Month) -> date:
    return date(int(month[:4]), int(month[5:]), days_in(month))


def window(as_of: date, count: int, skip: int = 0) -> list[Month]:
    """The ``count`` complete months ending ``skip`` months before M0. ``window(d, 12)`` is W12, ``window(d, 12, 12)`` is prev12."""
    return list(_window(month_of(as_of), count, skip))


@lru_cache(maxsize=1 << 12)
def _window(month: Month, count: int, skip: int) -> tuple[Month, ...]:
    return tuple(add_months(month, offset) for offset in range(-skip - count, -skip))


def full_months(start: date, end: date) -> int:
    """Full months between two dates: calendar difference, minus 1 if the later day of month is smaller."""
    return (end.year - start.year) * 12 + end.month - start.month - (1 if end.day < start.day else 0)


def china_day(instant: datetime) -> date:
    """The day of an instant in China Standard Time."""
    if instant.tzinfo is UTC:
        # As the store gives them; in a third of the time.
        return (instant + _AHEAD).date()
    return instant.astimezone(CHINA).date()


def china_time(text: str) -> datetime:
    """Reads the naked ``yyyy-MM-dd HH:mm:ss`` of the Chinese platforms (GMT+8) as a UTC instant. Raises ValueError."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA).astimezone(UTC)


def china_text(instant: datetime) -> str:
    """The inverse of :func:`china_time`."""
    return instant.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
