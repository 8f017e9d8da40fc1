"""RSA2: SHA-256 with RSA, PKCS#1 v1.5, base64, both ways.

A request is signed over its parameters, sorted by name, ``k=v`` joined with ``&`` and not encoded; ``sign`` and empty values are left out,
``sign_type`` is not. An answer is signed over exactly the bytes of its response object, so it must never be parsed and written again.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from hub.connect import Context, Misconfigured, Request
from hub.domain.periods import china_text


def sign(context: Context, request: Request) -> Request:
    """Adds the common parameters and the signature to a gateway call. Raises Misconfigured when the key cannot be read."""
    common = {
        "app_id": context.config["app_id"],
        "format": "JSON",
        "charset": "utf-8",
        "sign_type": "RSA2",
        "timestamp": china_text(context.now),
        "version": "1.0",
    }
    if context.grant is not None:
        common["app_auth_token"] = context.grant.access_token
    signed = signed_text({**dict(request.query), **dict(parse_qsl(request.body.decode())), **common})
    signature = signature_of(signed, context.config["app_private_key"])
    return replace(request, query=(*request.query, *common.items(), ("sign", signature)))


def signed_text(params: Mapping[str, str]) -> bytes:
    """What is signed of a request."""
    return "&".join(f"{name}={value}" for name, value in sorted(params.items()) if name != "sign" and value).encode()


def signature_of(content: bytes, key: str) -> str:
    return base64.b64encode(private_key(key).sign(content, PKCS1v15(), SHA256())).decode()


def is_signed(content: bytes, signature: str, key: str) -> bool:
    """Whether the signature over exactly these bytes was made with the private half of ``key``."""
    try:
        public_key(key).verify(base64.b64decode(signature, validate=True), content, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error):
        return False
    return True


@lru_cache(maxsize=16)
def private_key(text: str) -> RSAPrivateKey:
    try:
        key = load_der_private_key(_der(text), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise Misconfigured("the setting app_private_key is not an RSA private key")
    return key


@lru_cache(maxsize=16)
def public_key(text: str) -> RSAPublicKey:
    try:
        key = load_der_public_key(_der(text))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPublicKey):
        raise Misconfigured("the setting alipay_public_key is not an RSA public key")
    return key


def _der(text: str) -> bytes:
    """The vendor's tools write keys with and without header lines."""
    return base64.b64decode("".join(line.strip() for line in text.splitlines() if not line.startswith("-----")), validate=True)
