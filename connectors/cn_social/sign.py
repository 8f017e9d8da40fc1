"""How a call proves who makes it: a bearer token (mode oauth2), or headers signed with a rotating secret (mode hmac).

The body is not part of the signature: that is how the public protocol is. TLS carries integrity, so nothing here may be taken as proof
that a body is unchanged.

``rtime`` must differ between two calls of one service. It is the engine's ``context.now`` in milliseconds, which therefore must be fresh for every
request, moved back by up to a minute by a hash of the call itself: two different calls in the same millisecond still differ, whichever
process makes them. The same call twice in one millisecond, or a coincidence of two hashes, is refused as replayed and simply repeated.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from hub.connect import Context, ContractBroken, Misconfigured, Request

SPREAD = 60_000
"""Milliseconds over which the calls of one instant are spread; well within the gateway's tolerance of 300 seconds."""


def sign(context: Context, request: Request) -> Request:
    """The connector's signer. In mode hmac the secret comes with the grant (:mod:`connectors.cn_social.consent`)."""
    grant = context.grant
    if context.config.get("auth_mode", "oauth2") == "oauth2":
        return request.with_headers(Authorization=f"Bearer {grant.access_token if grant else ''}")
    return signed(context, request, grant.extra.get("secret", "") if grant else "")


def signed(context: Context, request: Request, key: str, salt: str = "") -> Request:
    """The request with the four headers. ``salt`` tells equal calls apart where dialogues have only one ``now``."""
    rtime = rtime_of(context.now, request, salt)
    return Request(
        request.method, request.path, request.query, (*request.headers, *headers(context, request, key, rtime)), request.body, request.host
    )


def headers(context: Context, request: Request, key: str, rtime: str) -> tuple[tuple[str, str], ...]:
    prefix, rid, sid = context.config.get("header_prefix", "gjgxjhpt_"), context.config["rid"], sid_of(context, request.path)
    values = {"rid": rid, "sid": sid, "rtime": rtime, "sign": signature(key, sid, rid, rtime)}
    return tuple((prefix + name, value) for name, value in values.items())


def sid_of(context: Context, path: str) -> str:
    """The service identity of a path, from the setting ``sids``. Raises Misconfigured."""
    sid = json.loads(context.config.get("sids") or "{}").get(path.removeprefix("/sysapi/"))
    if not sid:
        raise Misconfigured(f"the setting sids names no service identity for {path.removeprefix('/sysapi/')}")
    return str(sid)


def rtime_of(now: datetime, request: Request, salt: str = "") -> str:
    """Epoch milliseconds as text, different for different calls."""
    digest = hashlib.sha256(b"\n".join((salt.encode(), request.path.encode(), request.body))).digest()
    return str(int(now.timestamp() * 1000) - int.from_bytes(digest[:4], "big") % SPREAD)


def signature(key: str, sid: str, rid: str, rtime: str) -> str:
    """base64(HMAC-SHA256(key, sid + rid + rtime)), nothing between the parts (wire formats 4.4.3)."""
    return base64.b64encode(hmac.new(key.encode(), f"{sid}{rid}{rtime}".encode(), hashlib.sha256).digest()).decode()


def verifies(key: str, sid: str, rid: str, rtime: str, given: str) -> bool:
    return hmac.compare_digest(signature(key, sid, rid, rtime).encode(), given.encode())


def wrap(secret: str, appkey: str) -> str:
    """A session secret under the appkey: AES-128-ECB, PKCS#7, key = first half of SHA1(SHA1(appkey)), base64."""
    padder = padding.PKCS7(128).padder()
    plain = padder.update(secret.encode()) + padder.finalize()
    encryptor = _cipher(appkey).encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


def unwrap(wrapped: str, appkey: str, how: str = "aes-ecb-sha1prng") -> str:
    """The inverse of :func:`wrap`; ``plain`` where the gateway sends the secret bare. Raises ContractBroken."""
    if how == "plain":
        return wrapped
    try:
        decryptor, unpadder = _cipher(appkey).decryptor(), padding.PKCS7(128).unpadder()
        padded = decryptor.update(base64.b64decode(wrapped, validate=True)) + decryptor.finalize()
        return (unpadder.update(padded) + unpadder.finalize()).decode()
    except ValueError:
        raise ContractBroken("the wrapped secret does not open with the appkey") from None


def _cipher(appkey: str) -> Cipher[modes.ECB]:
    # SHA-1 and ECB are the gateway's choice; what travels this way is itself random and short-lived.
    key = hashlib.sha1(hashlib.sha1(appkey.encode()).digest()).digest()[:16]  # noqa: S324
    return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305


def sealer(context: Context) -> AESSIV:
    """Keeps account numbers out of stored cursors. Deterministic, since a connector has no randomness."""
    return AESSIV(
        hashlib.sha512(b"cn_social cursor\n" + (context.config.get("client_secret") or context.config["appkey"]).encode()).digest()
    )
