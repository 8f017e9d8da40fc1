"""The callback (wire-formats 4.3.7): a collection is finished, or an authorisation has changed. A hint to ask the gateway.

Its id is in the signed body, so that a nonce that was seen comes with an event that was seen. A finished collection wakes only who waits for it: ordering anew because
something ordered is ready would never end.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal

from hub.connect import Delivery, Grant, Hint, Webhook
from hub.connect.signatures import lines

TIMESTAMP, NONCE, SIGNATURE = "X-Tax-Timestamp", "X-Tax-Nonce", "X-Tax-Signature"
FINISHED, CHANGED = "collection.finished", "authorization.changed"
_KINDS: Mapping[str, Literal["CHANGED", "READY"]] = {FINISHED: "READY", CHANGED: "CHANGED"}


def verify(config: Mapping[str, str], delivery: Delivery) -> Hint:
    """An event that the profile does not know is received and has no effect."""
    lines(config["callback_secret"], delivery, timestamp=TIMESTAMP, nonce=NONCE, signature=SIGNATURE)
    event = json.loads(delivery.body)
    kind = _KINDS.get(event["event"])
    return Hint(event_id=str(event["event_id"]), reference=str(event["SQBH"]) if kind else "", kind=kind or "CHANGED")


def _number(grant: Grant) -> str:
    return grant.extra.get("SQBH", "")


WEBHOOK = Webhook(verify, needs=("callback_secret",), reference=_number)
