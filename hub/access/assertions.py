"""Client assertions: how a client proves itself at the token endpoint (RFC 7523, FAPI 2.0)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from joserfc.jwk import Key

from hub.access.clients import Client
from hub.access.jose import Expect, key_from, open_token, peek, text_claim, whole_number
from hub.errors import TokenInvalid

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("ES256", "Ed25519", "PS256")
LONGEST_LIFE = 300
SKEW = 10

_EXPECT = Expect(ALGORITHMS, (None, "JWT", "client-authentication+jwt"), frozenset({"alg"}), frozenset({"typ", "kid"}))


def check_assertion(assertion: str, client: Client, issuer: str, now: float) -> tuple[str, int]:
    """Returns (jti, exp), which the caller must still use once. Raises TokenInvalid."""
    opened = open_token(assertion, _EXPECT, lambda header: _key_of(client.jwks, header))
    claims = opened.claims
    if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
        raise TokenInvalid("The assertion is not the client's own.")
    # FAPI 2.0: the issuer as one string. A list would let one assertion be used at two servers.
    if claims.get("aud") != issuer:
        raise TokenInvalid("The assertion is not meant for this server.")
    expires = whole_number(claims, "exp")
    if not now < expires <= now + LONGEST_LIFE:
        raise TokenInvalid("The assertion has expired, or lives too long.")
    for name in ("iat", "nbf"):
        if name in claims and whole_number(claims, name) > now + SKEW:
            raise TokenInvalid("The assertion comes from the future.")
    return text_claim(claims, "jti", 128), expires


def claimed_client(assertion: str) -> str:
    """The client id that an unopened assertion claims; only to find the keys to open it with. Raises TokenInvalid."""
    return text_claim(peek(assertion), "iss")


def _key_of(jwks: Mapping[str, Any], header: Mapping[str, Any]) -> Key:
    """The registered key of the header's ``kid``; without one, the only registered key."""
    keys = [one for one in jwks["keys"] if "kid" not in header or one.get("kid") == header["kid"]]
    if len(keys) != 1:
        raise TokenInvalid("The assertion's key is not registered.")
    return key_from(keys[0])
