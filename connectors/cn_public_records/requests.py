"""What to ask: a page of a service. The token says whom it is about, so no identifier travels."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from hub.connect import Context, Request, Window
from hub.connect.snapshot import Position
from hub.domain.periods import add_months, first_day, month_of

LONGEST = 120
"""Months of one question."""


def ask(context: Context, service: str, question: Mapping[str, str], at: Position) -> Request:
    body = {**question, "page": at.page, "page_size": int(context.config.get("page_size") or 50)}
    header = (("Content-Type", "application/json; charset=utf-8"),)
    return Request("POST", f"/services/{service}", headers=header, body=json.dumps(body, separators=(",", ":")).encode())


def days(window: Window) -> dict[str, str]:
    return {"qsrq": window.first.isoformat(), "zzrq": window.last.isoformat()}


def slices(stream: str, first: date, last: date) -> Sequence[Window]:
    """Windows that touch at most LONGEST calendar months each."""
    windows = []
    while first <= last:
        end = min(last, first_day(add_months(month_of(first), LONGEST)) - timedelta(days=1))
        windows.append(Window(stream, first, end))
        first = end + timedelta(days=1)
    return windows
