"""Reading the bureau's answers: the envelope and its table of errors (README.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.cn_credit_bureau.requests import Place
from hub.connect import (
    Context,
    ContractBroken,
    Fault,
    Misconfigured,
    NoData,
    NotPermitted,
    Page,
    Pending,
    Reauthorise,
    Record,
    RefreshNeeded,
    Response,
    RetryAt,
    Window,
)
from hub.connect.answers import json_object, wait_of
from hub.connect.snapshot import covered_days

OK, GONE = "00000", "B0410"
MAKING, READY, FAILED, EXPIRED = ("10", "20"), "30", "40", "50"
ATTEMPTS = 3
UNITS = ("1", "2")


@dataclass(frozen=True, slots=True)
class Answer:
    """A success, or a report that is gone (``code`` GONE)."""

    code: str
    data: Mapping[str, Any]


def answer(context: Context, response: Response) -> Answer:
    """Raises a Fault for everything that is neither."""
    if response.status == 401:
        raise RefreshNeeded("the access token is unknown or expired", code="invalid_token")
    if response.status == 403 and "insufficient_scope" in response.headers.get("www-authenticate", ""):
        raise NotPermitted("the customer did not allow the report", code="insufficient_scope")
    envelope = json_object(response, context.now)
    code, data = str(envelope.get("code", "")), envelope.get("data")
    if (code == OK and response.status in (200, 202)) or code == GONE:
        return Answer(code, data if isinstance(data, dict) else {})
    raise fault(code, response, wait_of(response, context.now))


def fault(code: str, response: Response, wait: float | None) -> Fault:
    """The remedy for an error of the bureau."""
    match code:
        case "B0403":
            return Reauthorise("the borrower's authorisation has ended", code=code)
        case "B0404":
            return NoData("the bureau keeps no file for these days", covered=False, code=code)
        case "B0409":
            return Pending("the report is not ready", seconds=wait or 1.0, code=code)
        case "B0412":
            return NotPermitted("the bureau misses the written consent, the adverse notice or the purpose", code=code)
        case "B0420":
            return Misconfigured("the bureau does not give reports to this client", code=code)
        case "B0429" | "B0500":
            return RetryAt("the bureau asks to wait", seconds=wait, code=code)
    if response.status == 429 or response.status >= 500:
        return RetryAt(f"the bureau answered with status {response.status}", seconds=wait)
    return ContractBroken("the bureau does not accept the question", code=code[:40])


def ordered(at: Place, data: Mapping[str, Any]) -> Page:
    """The bureau took the order: poll it."""
    number = data.get("report_no")
    if not isinstance(number, str) or not number.isalnum():
        raise ContractBroken("the bureau took the order without a report number")
    return Page(next=Place(number, 0, at.attempt, at.seen, at.base).cursor(), wait=_seconds(data))


def polled(at: Place, data: Mapping[str, Any]) -> Page:
    """Raises Pending while the report is being made."""
    status = str(data.get("status", ""))
    if status in MAKING:
        raise Pending("the bureau is still making the report", seconds=_seconds(data) or 1.0)
    if status in (FAILED, EXPIRED):
        return lost(at, _seconds(data))
    if status != READY:
        raise ContractBroken("the report has a status that is not documented", code=status[:10])
    return Page(next=Place(at.report, 1, at.attempt, at.seen, at.base).cursor())


def lost(at: Place, wait: float = 0.0) -> Page:
    """The report failed or is gone: order another one, a few times."""
    if at.attempt + 1 >= ATTEMPTS:
        raise ContractBroken(f"{ATTEMPTS} reports failed one after the other")
    return Page(next=at.again().cursor(), wait=wait)


def rows(at: Place, window: Window, data: Mapping[str, Any]) -> Page:
    """A page of a section. Every record carries the unit of its page."""
    unit, found, total, pages = data.get("unit"), data.get("rows"), data.get("total"), data.get("pages")
    if unit not in UNITS:
        raise ContractBroken("the answer does not say its unit")
    if not isinstance(found, list) or not isinstance(total, int) or not isinstance(pages, int):
        raise ContractBroken("the answer lacks rows, total or pages")
    covered = covered_days(data.get("covered"), window, "first", "last")
    if covered == () and not total:
        raise NoData("the bureau keeps no file for these days", covered=False)
    records = tuple(_record(row, str(unit)) for row in found)
    seen = at.seen + len(records)
    if at.page < pages:
        if not records:
            raise ContractBroken("a page before the last one is empty")
        return Page(records, next=Place(at.report, at.page + 1, at.attempt, seen, at.base).cursor())
    return Page(records, total=at.base + total, covered=covered)


def _record(row: object, unit: str) -> Record:
    if not isinstance(row, dict):
        raise ContractBroken("a row is not an object")
    return {**row, "unit": unit}


def _seconds(data: Mapping[str, Any]) -> float:
    """``retry_after``: seconds as decimal text."""
    text = str(data.get("retry_after") or "0")
    return float(text) if text.replace(".", "", 1).isdecimal() else 0.0
