"""Reading the platform's answers: the envelope, its errors, a page with the mark of the next one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.cn_procurement.requests import Place
from connectors.cn_procurement.vocabulary import UNITS
from hub.connect import (
    Context,
    ContractBroken,
    Fault,
    Interval,
    Misconfigured,
    NoData,
    NotPermitted,
    Page,
    Reauthorise,
    Record,
    RefreshNeeded,
    Response,
    RetryAt,
    Window,
)
from hub.connect.answers import json_object, wait_of
from hub.connect.snapshot import covered_days, nothing_there

OK, UNKNOWN_SUPPLIER, MARK_GONE = "0", "2004", "2002"


def page(context: Context, window: Window, at: Place, response: Response) -> Page:
    """A page. Raises a Fault."""
    envelope = json_object(response, context.now)
    code, result = str(envelope.get("ret", "")), envelope.get("result")
    result = result if isinstance(result, dict) else {}
    if code == UNKNOWN_SUPPLIER:
        return nothing_there(_covered(result, window), window, "the platform knows no such supplier", code)
    if code == MARK_GONE and at.mark:
        return Page(next=at.restarted().cursor(), restart=True)
    if code != OK or response.status != 200:
        raise fault(code, response, wait_of(response, context.now))
    return _items(at, window, result)


def fault(code: str, response: Response, wait: float | None) -> Fault:
    """The remedy for an error of the platform."""
    match code:
        case "1001":
            return RefreshNeeded("the access token is unknown or expired", code=code)
        case "1002":
            return NotPermitted("the customer did not allow this", code=code)
        case "1003":
            return Reauthorise("the customer's authorisation has ended", code=code)
        case "1004":
            return Misconfigured("the platform does not know the hub's client", code=code)
        case "3001" | "5001" | "5002":
            return RetryAt("the platform asks to wait", seconds=wait, code=code)
    if response.status == 429 or response.status >= 500:
        return RetryAt(f"the platform answered with status {response.status}", seconds=wait)
    return ContractBroken("the platform does not accept the question", code=code[:40])


def _items(at: Place, window: Window, result: Mapping[str, Any]) -> Page:
    """Every record carries the unit of its answer. Raises NoData where the window is out of reach."""
    found, more, mark, count = (result.get(name) for name in ("items", "more", "mark", "count"))
    if result.get("unit") not in UNITS:
        raise ContractBroken("the answer does not say its unit")
    if not isinstance(found, list) or not isinstance(more, bool) or type(count) is not int:
        raise ContractBroken("the answer lacks items, count or more")
    records = [_record(item, result["unit"]) for item in found]
    covered = _covered(result, window)
    if count and not records and not at.mark:
        raise ContractBroken("items are counted and none is there")
    if more:
        if not isinstance(mark, str) or not mark or mark == at.mark or not records:
            raise ContractBroken("there is more, and no way to it")
        return Page(tuple(records), next=at.turned(mark, len(records)).cursor(), covered=covered)
    if covered == () and not records and not at.seen:
        raise NoData("the platform does not serve these days", covered=False)
    return Page(tuple(records), total=at.base + count, covered=covered)


def _covered(result: Mapping[str, Any], window: Window) -> tuple[Interval, ...] | None:
    return covered_days(result.get("served"), window, "from", "to")


def _record(item: object, unit: str) -> Record:
    if not isinstance(item, dict):
        raise ContractBroken("an item is not an object")
    return {**item, "unit": unit}
