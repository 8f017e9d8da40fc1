"""The simulated gateway's callbacks (wire-formats 4.3.7)."""

from __future__ import annotations

import json
import secrets
import time

from connectors.cn_tax.callback import CHANGED, FINISHED, NONCE, SIGNATURE, TIMESTAMP
from connectors.cn_tax.sandbox_state import NAME, REVOKED, Authorisation, Collection, State, progress
from connectors.cn_tax.sign import callback_signature
from connectors.sandbox.push import Letter, Push

REPEATS = (60.0, 300.0, 1800.0)


def finished(state: State, one: Collection) -> Push:
    return _event(state, {"event": FINISHED, "SQBH": one.authorisation.number, "CJBH": one.number, "CJZT_DM": progress(one)["CJZT_DM"]})


def changed(state: State, one: Authorisation) -> Push:
    return _event(state, {"event": CHANGED, "SQBH": one.number})


def withdraw(state: State, one: Authorisation) -> None:
    """The taxpayer takes the authorisation back at the gateway, which says so to whoever listens."""
    one.decision = REVOKED
    state.world.push(changed(state, one))


def _event(state: State, event: dict[str, str]) -> Push:
    number = f"EV{next(state.events):06d}"
    body = json.dumps({"event_id": number, **event}, separators=(",", ":")).encode()

    def sign() -> Letter:
        at, nonce = str(int(time.time())), secrets.token_hex(16)
        signature = callback_signature(state.callback_secret, at, nonce, body)
        return Letter({"Content-Type": "application/json; charset=utf-8", TIMESTAMP: at, NONCE: nonce, SIGNATURE: signature}, body)

    return Push(NAME, sign, lambda status, _: status == 204, REPEATS)
