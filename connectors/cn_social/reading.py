"""Reading the gateway's answers: the envelope, its table of errors (wire formats 4.4.7), a page of rows.

Success, "accepted", "no record" and a lost task are outcomes that a stream handles; everything else is a fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from connectors.cn_social.requests import Place
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
from hub.connect.answers import json_object
from hub.connect.snapshot import covered_days, nothing_there, turn

OUTCOMES = frozenset({"OK", "ACCEPTED", "NO_RECORD", "TASK_UNKNOWN", "TASK_EXPIRED"})
UNDECIDED_WAIT = 5.0
REPLAYED_WAIT = 0.05


@dataclass(frozen=True, slots=True)
class Answer:
    """An outcome. ``data`` is empty where the gateway sent null."""

    outcome: str
    data: Mapping[str, Any]

    @property
    def wait(self) -> float:
        return _wait(self.data) or 0.0


def answer(context: Context, response: Response) -> Answer:
    """The outcome of a call. Raises a Fault for everything that is not one of OUTCOMES."""
    if response.status == 401:
        raise RefreshNeeded("the access token is unknown or expired", code="invalid_token")
    if response.status == 403 and "insufficient_scope" in response.headers.get("www-authenticate", ""):
        raise NotPermitted("the customer did not allow this", code="insufficient_scope")
    envelope = json_object(response, context.now)
    code, subcode = envelope.get("code"), str(envelope.get("subcode", ""))
    data = envelope.get("data")
    if response.status == 200 and isinstance(code, int) and subcode in OUTCOMES:
        return Answer(subcode, data if isinstance(data, dict) else {})
    raise fault(subcode, data if isinstance(data, dict) else {}, response)


def fault(subcode: str, data: Mapping[str, Any], response: Response) -> Fault:
    """The remedy for an error of the gateway."""
    match subcode:
        case "SIGN_INVALID" | "SECRET_EXPIRED":
            return RefreshNeeded("the session secret is no longer good", code=subcode)
        case "SIGN_EXPIRED":
            # The refresh is a call with a new rtime: if it is refused as well, the clock is wrong and it says so.
            return RefreshNeeded("the gateway takes the call for an old one", code=subcode)
        case "SIGN_REPLAYED":
            return RetryAt("another call had the same rtime", seconds=REPLAYED_WAIT, code=subcode)
        case "SERVICE_NOT_GRANTED" | "SCOPE_MISSING":
            return NotPermitted("the gateway does not give this service", code=subcode)
        case "AUTH_PENDING":
            return Pending("the customer has not decided yet", seconds=UNDECIDED_WAIT, code=subcode)
        case "AUTH_REFUSED" | "AUTH_EXPIRED" | "AUTH_REVOKED":
            return Reauthorise("the customer's authorisation has ended", code=subcode)
        case "BUSY" | "UPSTREAM_DOWN" | "RATE" | "INTERNAL":
            return RetryAt("the gateway asks to wait", seconds=_wait(data), code=subcode)
        case "PARAM_INVALID" | "WINDOW_TOO_LONG" | "IDENTITY_MISMATCH":
            return ContractBroken("the gateway does not accept the question", code=subcode)
    if response.status == 429 or response.status >= 500:
        return RetryAt(f"the gateway answered with status {response.status}")
    return ContractBroken("the gateway answered with an error that is not documented", code=subcode[:40])


def misconfigured(subcode: str) -> Misconfigured:
    return Misconfigured("the gateway refuses the hub's rid, appkey, sid or clock", code=subcode[:40])


def accepted(at: Place, found: Answer) -> Page:
    """The gateway prepares the answer: go on with its task. Raises Pending while the task is not ready."""
    if at.task:
        raise Pending("the gateway is still collecting", seconds=found.wait, code="ACCEPTED")
    if not found.data.get("taskid"):
        raise ContractBroken("the gateway accepted the question without a taskid")
    return Page(next=replace(at, task=str(found.data["taskid"])).cursor(), wait=found.wait)


def rows(at: Place, window: Window, data: Mapping[str, Any]) -> Page:
    """A page. Every record carries the unit and the city of its answer. Raises NoData where the window is out of reach."""
    unit, found = data.get("jedw"), data.get("rows")
    if unit not in ("1", "2"):
        raise ContractBroken("the answer does not say its unit (jedw)")
    if not isinstance(found, list) or not data.get("kzsj") or not all(isinstance(data.get(name), int) for name in ("pages", "total")):
        raise ContractBroken("the answer lacks rows, pages, total or kzsj")
    records = [_record(row, unit, data.get("csmc")) for row in found]
    covered = covered_of(data, window)
    if covered == () and not records:
        raise NoData("the gateway does not serve these days", covered=False)
    return turn(at, records, snapshot=data["kzsj"], pages=data["pages"], total=data["total"], covered=covered)


def unknown_here(window: Window, data: Mapping[str, Any]) -> Page:
    """The centre does not know the person: readable, nothing there. Says so for the days the centre answers for, if it names them."""
    return nothing_there(covered_of(data, window), window, "the centre has no record of the person", "NO_RECORD")


def covered_of(data: Mapping[str, Any], window: Window) -> tuple[Interval, ...] | None:
    return covered_days(data.get("sjfg"), window, "qsrq", "zzrq")


def _record(row: object, unit: str, city: object) -> Record:
    if not isinstance(row, dict):
        raise ContractBroken("a row is not an object")
    return {"csmc": city, **{str(key).lower(): value for key, value in row.items()}, "jedw": unit}


def _wait(data: Mapping[str, Any]) -> float | None:
    value = data.get("retryafter")
    return float(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None
