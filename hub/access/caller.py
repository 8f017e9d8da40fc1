"""The client's side, as a partner's app would write it: assertion, token request, proofs. No I/O: it makes headers and forms, the caller sends them.

One :class:`ClientSide` per client and server. The server's latest nonce is kept from every answer (:meth:`ClientSide.heard`); an answer that asks for a
nonce is answered by sending the request once more.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from hub.access.assertions import ASSERTION_TYPE
from hub.access.proofs import token_hash


@dataclass(slots=True)
class ClientSide:
    """``key`` is the private JWK (ES256) whose public half is registered; it signs assertions and proofs."""

    client_id: str
    key: Mapping[str, Any]
    origin: str
    nonce: str | None = None
    _signer: ECKey = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._signer = ECKey.import_key(dict(self.key))

    @property
    def token_url(self) -> str:
        return f"{self.origin}/oauth/token"

    @property
    def graphql_url(self) -> str:
        return f"{self.origin}/graphql"

    def assertion(self) -> str:
        """A fresh client assertion: valid for one use within a minute."""
        now = int(time.time())
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": self.origin, "iat": now, "exp": now + 60}
        return self._sign({"typ": "JWT", "kid": str(self._signer.kid)}, {**claims, "jti": secrets.token_urlsafe(16)})

    def token_form(self, scope: str | None = None) -> dict[str, str]:
        """The form of the token request. Without ``scope`` the client asks for everything it may have."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion(),
            "resource": self.graphql_url,
        }
        return form | ({"scope": scope} if scope else {})

    def proof(self, method: str, url: str, token: str | None = None) -> str:
        """A fresh DPoP proof for one request."""
        claims: dict[str, Any] = {"htm": method, "htu": url, "iat": int(time.time()), "jti": secrets.token_urlsafe(16)}
        if token is not None:
            claims["ath"] = token_hash(token)
        if self.nonce is not None:
            claims["nonce"] = self.nonce
        return self._sign({"typ": "dpop+jwt", "jwk": public_half(self._signer)}, claims)

    def headers(self, token: str) -> dict[str, str]:
        """Headers of one GraphQL request with a bound token."""
        return {"Authorization": f"DPoP {token}", "DPoP": self.proof("POST", self.graphql_url, token)}

    def heard(self, headers: Mapping[str, str], body: Any = None) -> bool:
        """Keeps the server's nonce; True when the answer says that the request should be sent once more with it."""
        self.nonce = headers.get("dpop-nonce", self.nonce)
        asked = isinstance(body, Mapping) and body.get("error") == "use_dpop_nonce"
        return asked or "use_dpop_nonce" in headers.get("www-authenticate", "")

    def _sign(self, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
        return jwt.encode({"alg": "ES256", **header}, dict(claims), self._signer, algorithms=["ES256"])


def public_half(key: ECKey) -> dict[str, Any]:
    """The members of the public key a proof carries."""
    found = key.as_dict(private=False)
    return {name: found[name] for name in ("kty", "crv", "x", "y")}
