"""Reading any platform's answer safely: a proxy's page is never taken for an envelope, a number never becomes a float.

``json_object`` is the way in; ``wait_of`` reads ``Retry-After`` in both of its forms (RFC 9110, 10.2.3).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from hub.connect.faults import ContractBroken, RetryAt
from hub.connect.message import Response


def wait_of(response: Response, now: datetime) -> float | None:
    """The seconds ``Retry-After`` asks for, as a number or as an HTTP date; None where it says nothing readable."""
    text = response.headers.get("retry-after", "").strip()
    if text.isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (at - now).total_seconds()) if at.tzinfo else None


_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def _loaded(body: bytes) -> Any:
    """What the fast reader does not take (half a surrogate pair, NaN, another encoding) the patient one may: what is wrong with a record is said of that record. NaN and Infinity are
    Decimal like all numbers with a point; no amount may be one, and no cursor.

    Raises ValueError, ArithmeticError or RecursionError for what is no JSON.
    """
    try:
        return _decode(body)
    except (msgspec.DecodeError, ValueError, ArithmeticError, RecursionError):
        return json.loads(body, parse_float=Decimal, parse_constant=Decimal)


def json_object(response: Response, now: datetime) -> Mapping[str, Any]:
    """The JSON object of an answer, numbers as Decimal. Raises RetryAt for a proxy's page, ContractBroken for anything else."""
    try:
        found = _loaded(response.body)
    except (ValueError, ArithmeticError, RecursionError):
        if response.status == 429 or response.status >= 500:
            raise RetryAt(f"a proxy answered with status {response.status}", seconds=wait_of(response, now)) from None
        raise ContractBroken(f"the answer with status {response.status} is not JSON") from None
    if not isinstance(found, dict):
        raise ContractBroken("the answer is not a JSON object")
    return found
