"""Reading the gateway's answers: the signature first, then the code, then the content.

What is verified is the raw substring of the response object, as it was sent. Nothing of an answer is looked at before that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.alipay.sign import is_signed
from hub.connect import (
    Context,
    ContractBroken,
    Fault,
    Misconfigured,
    NoData,
    NotPermitted,
    Reauthorise,
    RefreshNeeded,
    Response,
    RetryAt,
)
from hub.connect.answers import wait_of

_ENVELOPE = re.compile(rb'\s*\{\s*"([a-z_]+)"\s*:\s*(\{.*\})\s*,\s*"sign"\s*:\s*"([A-Za-z0-9+/=]+)"\s*\}\s*', re.DOTALL)

NOT_SERVED = frozenset({"BILL_DATE_NOT_AVAILABLE", "isp.bill_not_exist"})
GRANT_ENDED = frozenset({"isv.code-invalid", "isv.refresh-token-invalid", "isv.refresh-token-time-out", "isv.unknown-refresh-token"})
HUB_REFUSED = frozenset(
    {
        "isv.missing-app-id",
        "isv.invalid-app-id",
        "isv.missing-signature",
        "isv.invalid-signature",
        "isv.invalid-signature-type",
        "isv.missing-signature-type",
        "isv.missing-timestamp",
        "isv.invalid-timestamp",
        "isv.invalid-charset",
        "isv.grant-type-invalid",
    }
)
NOT_GIVEN = frozenset({"isv.invalid-method", "aop.invalid-app-auth-token-no-api", "aop.no-product-reg-by-partner"})


def answer(context: Context, method: str, response: Response) -> Mapping[str, Any]:
    """The content of a successful answer. Raises a Fault; ContractBroken if the platform did not sign what was received."""
    content = json.loads(signed_part(context, method, response), parse_float=Decimal)
    code, sub_code = str(content.get("code", "")), str(content.get("sub_code", ""))
    if code != "10000":
        raise fault(code, sub_code)
    found: Mapping[str, Any] = content
    return found


def signed_part(context: Context, method: str, response: Response) -> bytes:
    """The bytes of the response object, verified."""
    if response.status == 429 or response.status >= 500:
        raise RetryAt(f"the gateway answered with status {response.status}", seconds=wait_of(response, context.now))
    if not response.body.lstrip().startswith(b"{"):
        raise RetryAt("a proxy answered in the gateway's place")
    envelope = _ENVELOPE.fullmatch(response.body)
    if response.status != 200 or envelope is None:
        raise ContractBroken("the answer is not a response object followed by its signature")
    name, content, signature = envelope.groups()
    if not is_signed(content, signature.decode(), context.config["alipay_public_key"]):
        raise ContractBroken("the platform did not sign what was received", code="sign")
    if name.decode() not in (method.replace(".", "_") + "_response", "error_response"):
        raise ContractBroken("the answer is to another question")
    return content


def fault(code: str, sub_code: str) -> Fault:
    """The remedy for an error of the gateway."""
    if sub_code in NOT_SERVED:
        return NoData("the platform has no bill for these days", covered=False, code=sub_code)
    if sub_code in GRANT_ENDED:
        return Reauthorise("the platform no longer accepts the code or refresh token", code=sub_code)
    if sub_code in HUB_REFUSED:
        return Misconfigured("the platform refuses the hub's application, key or clock", code=sub_code)
    if sub_code in NOT_GIVEN or code == "40006":
        return NotPermitted("the platform does not give this", code=sub_code[:60])
    if code == "20000" or "call-limited" in sub_code:
        return RetryAt("the platform is not available or asks to wait", code=sub_code[:60])
    if code == "20001":
        return RefreshNeeded("the authorisation token is no longer good", code=sub_code[:60])
    return ContractBroken("the platform does not accept the question", code=f"{code} {sub_code}"[:60])


def rows(content: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A list of objects; absent where there is none."""
    found = content.get(name) or []
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise ContractBroken(f"{name} is not a list of objects")
    return found


def number(content: Mapping[str, Any], name: str) -> int:
    """A count, sent as text."""
    text = str(content.get(name, ""))
    if not text.isdecimal():
        raise ContractBroken(f"{name} is not a number")
    return int(text)


def bill_ranges(content: Mapping[str, Any]) -> tuple[tuple[date, date], ...] | None:
    """The days for which the bills are complete, where the platform says so (our extension); None: it does not say."""
    found: Sequence[Mapping[str, Any]] | None = content.get("bill_ranges")
    if found is None:
        return None
    try:
        return tuple((date.fromisoformat(span["start_date"]), date.fromisoformat(span["end_date"])) for span in found)
    except (KeyError, TypeError, ValueError):
        raise ContractBroken("bill_ranges cannot be read") from None
