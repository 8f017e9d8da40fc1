"""What is asked of the gateway. Values only; the token is added by :mod:`connectors.cn_tax.sign`."""

from __future__ import annotations

import json
import uuid
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote, quote_plus

from connectors.cn_tax.codes import ITEMS
from hub.connect import Context, Request, Window

_NAMESPACE = uuid.UUID("6f2f7d56-6a0c-5e0e-9a57-6d1f6f1c2a10")
YEAR_DAYS = 365


def token(context: Context) -> Request:
    """Client credentials (RFC 6749, 4.4), in the header only: the gateway refuses them in the body."""
    pair = f"{quote_plus(context.config['client_id'])}:{quote_plus(context.config['client_secret'])}"
    form = Request.form("/oauth2/token", {"grant_type": "client_credentials", "scope": context.config["scopes"]})
    return form.with_headers(Authorization="Basic " + b64encode(pair.encode()).decode())


def authorisation(context: Context, *, redirect_uri: str, state: str, text_hash: str) -> Request:
    """Asks for the items of the consented sources only."""
    body = {
        "NSRSBH": taxpayer(context),
        "SJX": [item for source, items in ITEMS.items() if source in context.sources for item in items],
        "SJQQ": context.data_from.isoformat(),
        "SJQZ": context.data_to.isoformat(),
        "SQYXQZ": (context.today + timedelta(days=min(int(context.config["authorisation_days"]), YEAR_DAYS))).isoformat(),
        "SYMD_DM": context.config["purpose"],
        "SQWBZY": text_hash,
        "redirect_uri": redirect_uri,
        "state": state,
    }
    return _post("/authorizations", body, key=_key("authorisation", state))


def authorisation_state(number: str) -> Request:
    return Request("GET", f"/authorizations/{quote(number, safe='')}")


def revocation(number: str) -> Request:
    return Request("DELETE", f"/authorizations/{quote(number, safe='')}")


def order(context: Context, window: Window, items: Sequence[str], attempt: int) -> Request:
    """A collection of all ``items`` for a window.

    Every stream of a connection asks for the same items, so that the key, and with it the collection, is the same for all of them on one day: the
    gateway allows three collections per authorisation and day.
    """
    number = (context.grant.extra if context.grant else {}).get("SQBH", "")
    first, last = window.first.isoformat(), window.last.isoformat()
    body = {"SQBH": number, "SJX": list(items), "SJQQ": first, "SJQZ": last}
    key = _key("collection", number, *items, first, last, context.today.isoformat(), str(attempt))
    return _post("/collections", body, key=key)


def collection_state(collection: str) -> Request:
    return Request("GET", f"/collections/{quote(collection, safe='')}")


def rows(collection: str, item: str, page: int, page_size: int) -> Request:
    path = f"/collections/{quote(collection, safe='')}/items/{item}"
    return Request("GET", path, query=(("page", str(page)), ("page_size", str(page_size))))


def taxpayer(context: Context) -> str:
    """纳税人识别号: the USCC of a business, the resident ID of a person."""
    return context.subject.uscc or context.subject.resident_id or ""


def _post(path: str, body: Mapping[str, Any], *, key: str) -> Request:
    headers = (("Content-Type", "application/json; charset=utf-8"), ("Idempotency-Key", key))
    return Request("POST", path, headers=headers, body=json.dumps(body, ensure_ascii=False).encode())


def _key(*parts: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, "\n".join(parts)))
