"""Reads the gateway's answers: the token call (RFC 6749), the envelope of everything else, the authorisation.

A front proxy may answer with HTML: that is never taken for an envelope. Faults name codes and fields, no values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.connect import (
    ContractBroken,
    Fault,
    Grant,
    Misconfigured,
    NotPermitted,
    Pending,
    Reauthorise,
    RefreshNeeded,
    Response,
    RetryAt,
)
from hub.connect.answers import json_object, wait_of

DEFAULT_WAIT_S = 3.0
GRANTED, WAITING = "20", "10"
STEERING = frozenset({"T0202", "T0301"})
"""Codes that are no fault: the collection goes another way."""

_PLAIN = re.compile(r"^[\w.\-]{1,64}$", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """An envelope: ``code`` is 00000 or one of STEERING. ``wait`` is Retry-After in seconds, if sent."""

    code: str
    data: Mapping[str, Any]
    wait: float | None


@dataclass(frozen=True, slots=True)
class Token:
    value: str
    expires_in: int | None


def envelope(response: Response, now: datetime) -> Answer:
    """Raises the Fault that a code stands for (README, errors)."""
    wait, body = wait_of(response, now), json_object(response, now)
    code, data = body.get("code"), body.get("data")
    if not isinstance(code, str):
        raise _no_envelope(response.status, wait)
    data = data if isinstance(data, dict) else {}
    if code in STEERING or (code == "00000" and response.status // 100 == 2):
        return Answer(code, data, wait)
    raise _FAULTS.get(code, _unknown)(code, data, wait)


def token(response: Response, scopes: str, now: datetime) -> Token:
    """Raises Misconfigured when the gateway does not know the hub, or does not give it the scopes."""
    body = json_object(response, now)
    if response.status in (400, 401, 403):
        raise Misconfigured("the gateway refuses the hub's credentials", code=_name(body.get("error")))
    if response.status != 200:
        raise _no_envelope(response.status, wait_of(response, now))
    value, expires = body.get("access_token"), body.get("expires_in")
    if not isinstance(value, str) or not value.isascii() or not value or str(body.get("token_type")).lower() != "bearer":
        raise ContractBroken("the token answer holds no bearer token")
    if missing := set(scopes.split()) - set(str(body.get("scope", scopes)).split()):
        raise Misconfigured(f"the gateway does not give the scopes {', '.join(sorted(missing))}")
    return Token(value, expires if isinstance(expires, int) else None)


def grant(data: Mapping[str, Any], token: Token, *, number: str, taxpayer: str, sources: Mapping[str, str]) -> Grant:
    """What was granted, from the state of the authorisation. ``sources`` names the source of each item.

    Raises Pending while the taxpayer has not decided, Reauthorise when he refused or the time is over, ContractBroken when the authorisation is not the
    one of this taxpayer: its number came back through a browser.
    """
    state = str(data.get("SQZT_DM"))
    if data.get("SQBH") != number or data.get("NSRSBH") != taxpayer:
        raise ContractBroken("the authorisation is of another taxpayer", code="NSRSBH")
    if state == WAITING:
        raise Pending("the taxpayer has not decided yet", seconds=DEFAULT_WAIT_S, code=state)
    if state != GRANTED:
        raise Reauthorise("the taxpayer refused, or the authorisation ended", code=_name(state))
    items = [item for item in data.get("SJX") or () if item in sources]
    return Grant(
        token.value,
        expires_in=token.expires_in,
        account=number,
        scopes=tuple(dict.fromkeys(sources[item] for item in items)),
        extra={"SQBH": number, "SJX": ",".join(items), "SQYXQZ": str(data.get("SQYXQZ") or "")},
    )


def deleted(response: Response, now: datetime) -> None:
    """204, also when it was deleted before. An authorisation that is unknown or ended is as good as deleted."""
    if response.status == 204:
        return
    try:
        envelope(response, now)
    except Reauthorise:
        return
    except ContractBroken as fault:
        if fault.code != "T0201":
            raise


def _no_envelope(status: int, wait: float | None) -> Fault:
    if status == 429 or status >= 500:
        return RetryAt("the gateway is not available", seconds=wait, code=str(status))
    return ContractBroken("the answer is no envelope", code=str(status))


def _name(value: object) -> str:
    """A code as the gateway names it, if it looks like one."""
    return value if isinstance(value, str) and _PLAIN.match(value) else ""


_Maker = Callable[[str, Mapping[str, Any], float | None], Fault]


def _parameter(code: str, data: Mapping[str, Any], wait: float | None) -> Fault:
    return Misconfigured(f"the gateway does not accept the parameter {_name(data.get('field')) or '(unnamed)'}", code=code)


def _unknown(code: str, data: Mapping[str, Any], wait: float | None) -> Fault:
    return ContractBroken("the gateway answered with a code that is not documented", code=_name(code))


def _says(kind: type[Fault], reason: str) -> _Maker:
    return lambda code, data, wait: kind(reason, code=code)


def _waits(reason: str) -> _Maker:
    return lambda code, data, wait: Pending(reason, seconds=wait or DEFAULT_WAIT_S, code=code)


def _retries(reason: str) -> _Maker:
    return lambda code, data, wait: RetryAt(reason, seconds=wait, code=code)


_FAULTS: Mapping[str, _Maker] = {
    "T0100": _parameter,
    "T0101": _says(ContractBroken, "the range is too long, or outside the authorised one"),
    "T0401": _says(RefreshNeeded, "the token is missing, unknown or expired"),
    "T0402": _waits("the taxpayer has not authorised yet"),
    "T0403": _says(Reauthorise, "the authorisation was refused, expired or revoked"),
    "T0404": _says(NotPermitted, "the item was not granted"),
    "T0405": _says(Misconfigured, "the token lacks the scope"),
    "T0201": _says(ContractBroken, "the gateway does not know this authorisation, collection or item"),
    "T0203": _waits("the item is not collected yet"),
    "T0302": _says(ContractBroken, "the idempotency key was used with another body"),
    "T0429": _retries("too fast"),
    "T0500": _retries("the gateway failed"),
    "T0503": _retries("the gateway is under maintenance"),
}
