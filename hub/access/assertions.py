"""Client assertions: how a client proves itself at the token endpoint (RFC 7523, FAPI 2.0).

Until the signature holds, every refusal that depends on what is registered is one sentence (:data:`UNPROVEN`), and as much is computed for a client that nobody
knows: neither the answer nor its time tells which clients there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from joserfc.jwk import ECKey, Key

from hub.access.clients import Client
from hub.access.jose import Expect, SignatureInvalid, key_from, open_token, peek, text_claim, whole_number
from hub.errors import TokenInvalid

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("ES256", "Ed25519", "PS256")
LONGEST_LIFE = 300
SKEW = 10
UNPROVEN = "There is no such client, or the assertion is not signed with a key that is registered for it."

_EXPECT = Expect(ALGORITHMS, (None, "JWT", "client-authentication+jwt"), frozenset({"alg"}), frozenset({"typ", "kid"}))
_NOBODY = ECKey.import_key(ECKey.generate_key("P-256").as_dict(private=False))
"""A key whose private half nobody has."""


def check_assertion(assertion: str, client: Client | None, issuer: str, now: float) -> tuple[str, int]:
    """Returns (jti, exp), which the caller must still use once. Raises TokenInvalid, for a client that is not known (None), too."""
    try:
        opened = open_token(assertion, _EXPECT, lambda header: _key_of(client.jwks if client else {"keys": ()}, header))
    except SignatureInvalid:
        raise TokenInvalid(UNPROVEN) from None
    claims = opened.claims
    if client is None or claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
        raise TokenInvalid("The assertion's iss and sub are not the client.")
    # FAPI 2.0: the issuer as one string. A list would let one assertion be used at two servers.
    if claims.get("aud") != issuer:
        raise TokenInvalid("The assertion's aud is not this server's issuer, as one string.")
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
    """The registered key of the header's ``kid``; without one, the only registered key; else nobody's."""
    keys = [one for one in jwks["keys"] if "kid" not in header or one.get("kid") == header["kid"]]
    return key_from(keys[0]) if len(keys) == 1 else _NOBODY
