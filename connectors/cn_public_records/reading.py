"""Reading the gateway's answers: the envelope, its errors, a page of rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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

OK, NO_RECORD = "00000", "P0204"
UNDECIDED_WAIT = 5.0


def page(context: Context, window: Window, at: Position, response: Response) -> Page:
    """A page of a service. Raises a Fault."""
    envelope = json_object(response, context.now)
    code, data = str(envelope.get("code", "")), envelope.get("data")
    data = data if isinstance(data, dict) else {}
    if code == NO_RECORD:
        return no_record(window, data)
    if code != OK or response.status != 200:
        raise fault(context, code, response)
    return rows(at, window, data)


def fault(context: Context, code: str, response: Response) -> Fault:
    """The remedy for an error of the gateway."""
    match code:
        case "P0401":
            return RefreshNeeded("the access token is unknown or expired", code=code)
        case "P0402":
            return Pending("the customer has not decided yet", seconds=UNDECIDED_WAIT, code=code)
        case "P0403":
            return Reauthorise("the customer's authorisation has ended", code=code)
        case "P0404":
            return NotPermitted("the customer did not allow this service", code=code)
        case "P0429" | "P0500" | "P0503":
            return RetryAt("the gateway asks to wait", seconds=wait_of(response, context.now), code=code)
        case "P0405":
            return Misconfigured("the gateway does not know the hub's client", code=code)
        case "P0100" | "P0101" | "P0201":
            return ContractBroken("the gateway does not accept the question", code=code)
    if response.status == 429 or response.status >= 500:
        return RetryAt(f"the gateway answered with status {response.status}", seconds=wait_of(response, context.now))
    return ContractBroken("the gateway answered with an error that is not documented", code=code[:40])


def rows(at: Position, window: Window, data: Mapping[str, Any]) -> Page:
    """Every record carries the unit of its answer. Raises NoData where the window is out of reach."""
    found, unit = data.get("rows"), data.get("jedw")
    if unit not in ("1", "2"):
        raise ContractBroken("the answer does not say its unit (jedw)")
    if not isinstance(found, list) or not data.get("kzsj") or not all(isinstance(data.get(name), int) for name in ("pages", "total")):
        raise ContractBroken("the answer lacks rows, pages, total or kzsj")
    records = [_record(row, unit) for row in found]
    covered = covered_of(data, window)
    if covered == () and not records:
        raise NoData("the gateway does not serve these days", covered=False)
    return turn(at, records, snapshot=data["kzsj"], pages=data["pages"], total=data["total"], covered=covered)


def no_record(window: Window, data: Mapping[str, Any]) -> Page:
    """The register has no entry: readable, nothing there. Says so for the days the register answers for, if it names them."""
    return nothing_there(covered_of(data, window), window, "the register has no entry", NO_RECORD)


def covered_of(data: Mapping[str, Any], window: Window) -> tuple[Interval, ...] | None:
    return covered_days(data.get("sjfg"), window, "qsrq", "zzrq")


def _record(row: object, unit: str) -> Record:
    if not isinstance(row, dict):
        raise ContractBroken("a row is not an object")
    return {**row, "jedw": unit}
