"""TOP's envelope: errors inside HTTP 200, lists wrapped in a singular key, an empty result that may be missing altogether."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
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
    Unreadable,
    Window,
)
from hub.connect.answers import json_object
from hub.domain.money import yuan
from hub.domain.periods import china_time

_BAN = re.compile(r"will last for (\d+) more second")
PLATFORM = "taobao"


def call(method: str, **parameters: str) -> Request:
    """An unsigned call: the business parameters, readable as evidence."""
    return Request("POST", GATEWAY, query=(("method", method), *parameters.items()))


def result_of(context: Context, response: Response, root: str) -> Mapping[str, Any]:
    """The object under the answer's root key. Raises the fault an error answer stands for."""
    answer = json_object(response, context.now)
    error = answer.get("error_response")
    if isinstance(error, Mapping):
        raise fault_of(error)
    found = answer.get(root)
    if response.status != 200 or not isinstance(found, Mapping):
        raise ContractBroken(f"status {response.status} without {root}")
    return found


def fault_of(error: Mapping[str, Any]) -> Fault:
    """What an ``error_response`` means, by remedy (vendor documentation; the wait is in the text of sub_msg)."""
    code, sub = str(error.get("code", "")), str(error.get("sub_code", ""))
    if code == "7" or sub.startswith("accesscontrol.limited"):
        ban = _BAN.search(str(error.get("sub_msg", "")))
        return RetryAt("the platform limits calls", seconds=float(ban[1]) if ban else None, code=code)
    if code in ("26", "27"):
        return RefreshNeeded("the session is no longer good", code=code)
    if code in ("25", "28", "29", "31"):
        return Misconfigured("the platform refuses the application key, signature or timestamp", code=code)
    if code == "41" and sub.startswith("isv.invalid-parameter:start_"):
        return NoData("the platform does not serve these days", covered=False, code=sub)
    if code == "11":
        return NotPermitted("the application may not call this", code=sub or code)
    if sub.startswith("isp."):
        return RetryAt("the platform asks to try later", code=sub)
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


def text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
        raise Unreadable(name, "missing")
    return str(value)


def money(record: Mapping[str, Any], name: str) -> Any:
    try:
        return yuan(text(record, name))
    except ValueError:
        raise Unreadable(name, "not an amount in yuan") from None


def instant(record: Mapping[str, Any], name: str) -> Any:
    """A naked GMT+8 text, or None where the field is absent."""
    if not record.get(name):
        return None
    try:
        return china_time(text(record, name))
    except ValueError:
        raise Unreadable(name, "not a time") from None
