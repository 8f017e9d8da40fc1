"""Reading the feed's answers: the envelope, its errors, rows from a start on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.cn_farm import requests
from connectors.cn_farm.vocabulary import AREAS, YIELDS
from hub.connect import (
    Context,
    ContractBroken,
    Fault,
    Interval,
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
from hub.connect.snapshot import Position, covered_days, nothing_there, turn

OK, NO_FARM = 200, 4041
MAPPING_WAIT = 60.0


def page(context: Context, window: Window, at: Position, response: Response) -> Page:
    """A page. Raises a Fault."""
    envelope = json_object(response, context.now)
    status, body = envelope.get("status"), envelope.get("body")
    body = body if isinstance(body, dict) else {}
    if status == NO_FARM:
        return nothing_there(_covered(body, window), window, "the feed knows no farm of this person", str(status))
    if status != OK or response.status != 200:
        raise fault(status, response, wait_of(response, context.now))
    return _docs(context, at, window, body)


def fault(status: object, response: Response, wait: float | None) -> Fault:
    """The remedy for an error of the feed."""
    code = str(status)[:40]
    match status:
        case 4011:
            return RefreshNeeded("the access token is unknown or expired", code=code)
        case 4031:
            return NotPermitted("the farmer did not allow this", code=code)
        case 4032:
            return Reauthorise("the farmer's authorisation has ended", code=code)
        case 4033:
            return Misconfigured("the feed does not know the hub's client", code=code)
        case 4251:
            return Pending("the satellite picture of the period is still being read", seconds=wait or MAPPING_WAIT, code=code)
        case 4291 | 5001 | 5031:
            return RetryAt("the feed asks to wait", seconds=wait, code=code)
    if response.status == 429 or response.status >= 500:
        return RetryAt(f"the feed answered with status {response.status}", seconds=wait)
    return ContractBroken("the feed does not accept the question", code=code)


def _docs(context: Context, at: Position, window: Window, body: Mapping[str, Any]) -> Page:
    """Every record carries the units of its answer. Raises NoData where the feed serves nothing."""
    docs, found, start, period = (body.get(name) for name in ("docs", "numFound", "start", "period"))
    if body.get("areaUnit") not in AREAS or body.get("yieldUnit") not in YIELDS:
        raise ContractBroken("the answer does not say its units")
    if not isinstance(docs, list) or type(found) is not int or not isinstance(period, str) or not period:
        raise ContractBroken("the answer lacks docs, numFound or period")
    size = requests.size(context)
    if start != (at.page - 1) * size or len(docs) > size:
        raise ContractBroken("the answer is not the rows that were asked for")
    records = [_record(doc, body) for doc in docs]
    covered = _covered(body, window)
    if covered == () and not records:
        raise NoData("the feed serves nothing of these days", covered=False)
    return turn(at, records, snapshot=period, pages=-(-found // size), total=found, covered=covered)


def _covered(body: Mapping[str, Any], window: Window) -> tuple[Interval, ...] | None:
    return covered_days(body.get("observed"), window, "first", "last")


def _record(doc: object, body: Mapping[str, Any]) -> Record:
    if not isinstance(doc, dict):
        raise ContractBroken("a row is not an object")
    return {**doc, "areaUnit": body["areaUnit"], "yieldUnit": body["yieldUnit"]}
