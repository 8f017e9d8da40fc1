"""Access tokens (RFC 9068): JWTs of ten minutes at most, bound to the client's key unless the client is registered as bearer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.jwk import Key

from hub.access.jose import Expect, Opened, open_token, peek_header, text_claim, whole_number
from hub.access.keys import KeySet
from hub.domain.identifiers import new_id
from hub.errors import TokenInvalid

LIFE = 600
LONGEST_LIFE = 900
SKEW = 10
PURPOSE = "purpose:"
"""A scope ``purpose:CREDIT_APPROVAL`` says what the data are asked for; a token holds one, or none where no
customer's data are touched."""

_KEPT = 1_000
_held: OrderedDict[str, tuple[Opened | None, Key | None]] = OrderedDict()
_EXPECT = Expect(("ES256",), ("at+jwt",), frozenset({"alg", "typ", "kid"}))
_CLAIMS = {"iss", "aud", "sub", "client_id", "scope", "iat", "exp", "jti"}


class AccessToken(msgspec.Struct, frozen=True):
    """The claims of a token that holds. ``thumbprint`` is None for a bearer token."""

    client_id: str
    scopes: frozenset[str]
    purpose: str
    jti: str
    issued_at: int
    expires_at: int
    thumbprint: str | None


def issue(keys: KeySet, issuer: str, resource: str, client_id: str, scope: str, thumbprint: str | None, now: float) -> str:
    """A signed token."""
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": resource,
        "sub": client_id,
        "client_id": client_id,
        "scope": scope,
        "iat": int(now),
        "exp": int(now) + LIFE,
        "jti": str(new_id()),
    }
    if thumbprint is not None:
        claims["cnf"] = {"jkt": thumbprint}
    header = {"alg": "ES256", "typ": "at+jwt", "kid": str(keys.signing.kid)}
    return jwt.encode(header, claims, keys.signing, algorithms=["ES256"])


def open_access_token(token: str, keys: KeySet, issuer: str, resource: str, now: float) -> AccessToken:
    """Raises TokenInvalid. Whether the client is active and the token not revoked is the caller's to ask."""
    claims = _claims(token, keys)
    if not set(claims) <= _CLAIMS | {"cnf"}:
        raise TokenInvalid("The token holds claims that are not expected.")
    if claims.get("iss") != issuer:
        raise TokenInvalid("The token comes from another issuer.")
    audience = claims.get("aud")
    if audience != resource and not (isinstance(audience, list) and resource in audience):
        raise TokenInvalid("The token is meant for another resource.")
    client_id, jti = text_claim(claims, "client_id"), text_claim(claims, "jti")
    if claims.get("sub") != client_id:
        raise TokenInvalid("The token's subject is not its client.")
    issued, expires = whole_number(claims, "iat"), whole_number(claims, "exp")
    if expires <= now or expires - issued > LONGEST_LIFE or issued > now + SKEW:
        raise TokenInvalid("The token has expired, lives too long or comes from the future.")
    scopes, purpose = split_scope(text_claim(claims, "scope", 2000))
    return AccessToken(client_id, scopes, purpose, jti, issued, expires, _thumbprint(claims))


def _claims(token: str, keys: KeySet) -> dict[str, Any]:
    """Of a token whose signature holds. It comes with every request: a text whose signature held is not computed again, as long as its key is the one that it held under.
    What the claims say is looked at each time, as is whether the token was revoked."""
    known, under = _held.get(token, (None, None))
    if known is not None and keys.verifying.get(str(known.header["kid"])) is under:
        return known.claims
    opened = open_token(token, _EXPECT, lambda header: _key_of(keys, header))
    _held[token] = opened, _key_of(keys, opened.header)
    if len(_held) > _KEPT:
        _held.popitem(last=False)
    return opened.claims


def key_named(token: str) -> str:
    """The id of the key that a token says it was signed by."""
    known, _ = _held.get(token, (None, None))
    return str((known.header if known else peek_header(token)).get("kid"))


@lru_cache(maxsize=_KEPT)
def split_scope(scope: str) -> tuple[frozenset[str], str]:
    """(scopes, purpose); the purpose is empty when none is named: then no consent fits. Raises TokenInvalid for several."""
    names = scope.split(" ")
    purposes = [name.removeprefix(PURPOSE) for name in names if name.startswith(PURPOSE)]
    if len(purposes) > 1 or len(set(names)) != len(names):
        raise TokenInvalid("The scope names several purposes, or a scope twice.")
    return frozenset(name for name in names if not name.startswith(PURPOSE)), purposes[0] if purposes else ""


def _thumbprint(claims: Mapping[str, Any]) -> str | None:
    if "cnf" not in claims:
        return None
    cnf = claims["cnf"]
    if not isinstance(cnf, dict) or set(cnf) != {"jkt"}:
        raise TokenInvalid("The token is bound in a way that is not supported.")
    return text_claim(cnf, "jkt")


def _key_of(keys: KeySet, header: Mapping[str, Any]) -> Key:
    found = keys.verifying.get(str(header["kid"]))
    if found is None:
        raise TokenInvalid("The token was signed by an unknown key.")
    return found
