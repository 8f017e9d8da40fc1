"""The small rituals of the gateway: bearer tokens, the digest over a package, the signature of a callback; and the seal of a cursor.

The signature of a callback is made here for the simulated gateway, and verified in :mod:`.callback`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from hub.connect import Context, Reauthorise, Request


def bearer(context: Context, request: Request) -> Request:
    """Adds the access token. The gateway signs nothing else; integrity is TLS and the digest."""
    if context.grant is None:
        raise Reauthorise("there is no grant to call with")
    return with_token(request, context.grant.access_token)


def with_token(request: Request, token: str) -> Request:
    return request.with_headers(Authorization=f"Bearer {token}")


def canonical(row: Mapping[str, Any]) -> str:
    """One row as the digest wants it: sorted keys, no blanks, nothing escaped that need not be, a line feed."""
    return json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"


def digest(rows: Iterable[Mapping[str, Any]]) -> str:
    """Lower-case hex SHA-256 over the canonical rows in order (ZY)."""
    return hashlib.sha256("".join(map(canonical, rows)).encode()).hexdigest()


def callback_signature(secret: str, timestamp: str, nonce: str, body: bytes) -> str:
    """base64(HMAC-SHA256) over timestamp, nonce and raw body, each followed by a line feed."""
    message = b"".join(part + b"\n" for part in (timestamp.encode(), nonce.encode(), body))
    return b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


def sealer(context: Context) -> AESSIV:
    """What rows are sealed with while they travel in a cursor, which is stored in the clear. Deterministic, under a key derived from the client's secret."""
    return AESSIV(hashlib.sha512(b"cn_tax cursor\n" + context.config["client_secret"].encode()).digest())
