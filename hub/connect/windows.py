"""Slices of a range of days, as platforms want them."""

from __future__ import annotations

from datetime import date, timedelta

from hub.connect.message import Window
from hub.domain.periods import last_day, month_of


def whole(stream: str, first: date, last: date) -> list[Window]:
    """One window over the whole range."""
    return [Window(stream, first, last)]


def days(stream: str, first: date, last: date, length: int = 1) -> list[Window]:
    """Windows of at most ``length`` days."""
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
