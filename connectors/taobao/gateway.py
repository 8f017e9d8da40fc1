"""TOP's envelope: errors inside HTTP 200, lists wrapped in a singular key, an empty result that may be missing altogether."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from connectors.taobao.sign import GATEWAY
from hub.connect import (
    Context,
    ContractBroken,
    Fault,
    Interval,
    Misconfigured,
    NoData,
    NotPermitted,
    RefreshNeeded,
    Request,
    Response,
    RetryAt,
    Window,
)
from hub.connect.answers import json_object, wait_of

_BAN = re.compile(r"will last for (\d+) more second")
PLATFORM = "taobao"

SESSION = frozenset({"26", "27"})
HUB_REFUSED = frozenset({"24", "25", "28", "29", "30", "31", "32", "33", "34"})
"""Signature, application key, timestamp, version: missing, invalid or not supported."""
NOT_GIVEN = frozenset({"11", "12", "13", "22", "42"})
"""Permissions of the application or the user; a method that does not exist; forbidden."""
UNAVAILABLE = frozenset({"9", "10", "15"})
NOT_THERE = frozenset({"isv.shop-not-exist"})


def call(method: str, **parameters: str) -> Request:
    """An unsigned call: the business parameters, readable as evidence."""
    return Request("POST", GATEWAY, query=(("method", method), *parameters.items()))


def result_of(context: Context, response: Response, root: str) -> Mapping[str, Any]:
    """The object under the answer's root key. Raises the fault an error answer stands for."""
    if response.status == 429 or response.status >= 500:
        raise RetryAt(f"the gateway answered with status {response.status}", seconds=wait_of(response, context.now))
    if not response.body.lstrip().startswith(b"{"):
        raise RetryAt("a proxy answered in the gateway's place")
    answer = json_object(response, context.now)
    error = answer.get("error_response")
    if isinstance(error, Mapping):
        raise fault_of(error)
    found = answer.get(root)
    if response.status != 200 or not isinstance(found, Mapping):
        raise ContractBroken(f"status {response.status} without {root}")
    return found


def fault_of(error: Mapping[str, Any]) -> Fault:
    """What an ``error_response`` means, by remedy (vendor documentation; the wait is in the text of sub_msg). Only codes are kept, no messages."""
    code, sub = str(error.get("code", "")), str(error.get("sub_code") or "")[:80]
    if code == "7" or sub.startswith("accesscontrol.limited"):
        ban = _BAN.search(str(error.get("sub_msg", "")))
        return RetryAt("the platform limits calls", seconds=float(ban[1]) if ban else None, code=code)
    if (code == "41" and sub.startswith("isv.invalid-parameter:start_")) or sub in NOT_THERE:
        return NoData("the platform does not serve these days, or has no such shop", covered=False, code=sub)
    if code in SESSION:
        return RefreshNeeded("the session is no longer good", code=code)
    if code in HUB_REFUSED:
        return Misconfigured("the platform refuses the application key, signature or timestamp", code=code)
    if code in NOT_GIVEN:
        return NotPermitted("the application may not call this, or the platform does not have it", code=sub or code)
    if sub.startswith("isp.") or code in UNAVAILABLE:
        return RetryAt("the platform asks to try later", code=sub or code)
    return ContractBroken("the platform refuses the request", code=sub or code)


def rows_of(found: Mapping[str, Any], outer: str, inner: str) -> Sequence[Mapping[str, Any]]:
    """A wrapped list; ``{}`` and a missing key both mean none."""
    wrapped = found.get(outer) or {}
    rows = wrapped.get(inner, []) if isinstance(wrapped, Mapping) else None
    if not isinstance(rows, list):
        raise ContractBroken(f"{outer} is not a wrapped list")
    return rows


def covered_of(found: Mapping[str, Any], window: Window) -> tuple[Interval, ...] | None:
    """Our optional field ``zx_days``: the days of the window that are complete, where not all are."""
    spans = found.get("zx_days")
    if spans is None:
        return None
    try:
        cut = [(max(date.fromisoformat(a), window.first), min(date.fromisoformat(b), window.last)) for a, b in spans]
    except (TypeError, ValueError):
        raise ContractBroken("zx_days cannot be read") from None
    return tuple(Interval(a, b) for a, b in cut if a <= b)


def complete_days(context: Context, last: date) -> date:
    """The last day to ask for: a day is over before it is asked for, so that what was read of it is all of it."""
    return min(last, context.today - timedelta(days=1))
