"""Verifiers of the common families of signed pushes. Each sees the raw bytes, compares in constant time, and takes one version of a signature only.

``standard``     Standard Webhooks 1.0: id, time and body under HMAC-SHA256, base64, several signatures while a secret rotates
``timestamped``  ``t=...,v1=...`` in one header: time and body under HMAC-SHA256, hex
``lines``        time, nonce and body, each followed by a line feed, under HMAC-SHA256, base64
``of_body``      the body alone under HMAC-SHA256, base64 or hex; there is no time, so a recording is only told by its digest
``signed_form``  a form whose sorted parameters are signed with RSA and SHA-256 (RSA2)

All raise :class:`~hub.connect.webhook.Forged`, and Stale where the time is part of what is signed. Times may be off by :data:`TOLERANCE`, both ways.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from hub.connect.webhook import Delivery, Forged, Stale

TOLERANCE = timedelta(minutes=5)
STANDARD_PREFIX = "whsec_"
LONGEST_ID, LONGEST_TIME, MOST_FIELDS = 256, 12, 200


def same(one: bytes, other: bytes) -> bool:
    """Equality that takes as long for a wrong first byte as for a wrong last one."""
    return hmac.compare_digest(one, other)


def require_fresh(at: datetime, now: datetime) -> None:
    if abs(now - at) > TOLERANCE:
        raise Stale("the time that was signed is more than five minutes away")


def standard(secrets: Sequence[str], delivery: Delivery) -> str:
    """The id of the event. ``secrets`` are base64, with or without ``whsec_``: the current one and, while it rotates, the one before."""
    event_id, at = _named(delivery, "webhook-id"), _named(delivery, "webhook-timestamp")
    signed = b".".join((event_id.encode(), at.encode(), delivery.body))
    given = [one.removeprefix("v1,") for one in _named(delivery, "webhook-signature").split(" ") if one.startswith("v1,")]
    for key in map(_standard_key, secrets):
        expected = base64.b64encode(_mac(key, signed))
        if any(same(expected, one.encode()) for one in given):
            _require_fresh_text(at, delivery.now)
            return event_id
    raise Forged("no signature fits")


def timestamped(secret: str, header: str, delivery: Delivery, *, version: str = "v1") -> None:
    """The header lists ``name=value`` pairs: one time, and one or more signatures of the version."""
    pairs = [part.strip().partition("=") for part in _named(delivery, header).split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    if len(times) != 1:
        raise Forged("the signature header does not say one time")
    expected = _mac(_key(secret), times[0].encode() + b"." + delivery.body).hex().encode()
    if not any(same(expected, value.encode()) for name, _, value in pairs if name == version):
        raise Forged("no signature fits")
    _require_fresh_text(times[0], delivery.now)


def lines(secret: str, delivery: Delivery, *, timestamp: str, nonce: str, signature: str) -> str:
    """The nonce. The three names are those of the headers."""
    at, once, given = _named(delivery, timestamp), _named(delivery, nonce), _named(delivery, signature)
    signed = b"".join(part + b"\n" for part in (at.encode(), once.encode(), delivery.body))
    if not same(base64.b64encode(_mac(_key(secret), signed)), given.encode()):
        raise Forged("the signature does not fit")
    _require_fresh_text(at, delivery.now)
    return once


def of_body(secret: str, header: str, delivery: Delivery, *, encoding: Literal["base64", "hex"] = "base64") -> str:
    """The digest of the body, to tell repetitions by: no header is covered by such a signature, whatever id it carries."""
    made = _mac(_key(secret), delivery.body)
    expected = base64.b64encode(made) if encoding == "base64" else made.hex().encode()
    if not same(expected, _named(delivery, header).encode()):
        raise Forged("the signature does not fit")
    return hashlib.sha256(delivery.body).hexdigest()


def signed_form(
    key: RSAPublicKey, delivery: Delivery, *, signature: str = "sign", version: tuple[str, str] = ("sign_type", "RSA2")
) -> Mapping[str, str]:
    """The fields of a form body whose signature fits: sorted by name, ``k=v`` joined with ``&``, decoded. Signature and version are not covered and not returned."""
    fields = form_fields(delivery.body)
    if fields.get(version[0]) != version[1]:
        raise Forged("the signature is of another version")
    covered = {name: value for name, value in fields.items() if name not in (signature, version[0])}
    try:
        key.verify(base64.b64decode(fields.get(signature, ""), validate=True), form_text(covered), PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        raise Forged("the signature does not fit") from None
    return covered


def form_text(fields: Mapping[str, str]) -> bytes:
    """What is signed of a form."""
    return "&".join(f"{name}={value}" for name, value in sorted(fields.items())).encode()


def form_fields(body: bytes) -> dict[str, str]:
    """The fields of a form. One that names a field twice, or is not UTF-8, is nobody's: which of the two was signed would be a guess."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Forged("the body is no form") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise Forged("a field is named twice")
    return fields


def _named(delivery: Delivery, header: str) -> str:
    value = delivery.headers.get(header.lower(), "")
    if not value or not value.isascii() or len(value) > 8 * LONGEST_ID:
        raise Forged(f"the header {header} is missing or odd")
    return value


def _require_fresh_text(seconds: str, now: datetime) -> None:
    """Seconds since 1970 as they were signed."""
    if not (seconds.isascii() and seconds.isdecimal() and len(seconds) <= LONGEST_TIME):
        raise Forged("the time is not a number of seconds")
    if abs(now.timestamp() - int(seconds)) > TOLERANCE.total_seconds():
        raise Stale("the time that was signed is more than five minutes away")


def _standard_key(secret: str) -> bytes:
    try:
        made = base64.b64decode(secret.removeprefix(STANDARD_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        made = b""
    if not made:
        raise Forged("there is no key to verify with")
    return made


def _key(secret: str) -> bytes:
    if not secret:
        raise Forged("there is no key to verify with")
    return secret.encode()


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")
