"""Makes tokens, proofs and assertions: good ones, and ones of which one thing is changed."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import text

from hub.access.proofs import token_hash
from tests.hub.access.side import ORIGIN, Api, Side

QUERY = {"query": "{ customers(first: 1) { totalCount } }"}
Claims = dict[str, Any]
Change = Callable[[Claims, Claims], None]
Headers = list[tuple[str, str]]
ENDED, GONE = "revoked-id", "disabled-app"
"""Of a token that was revoked, and of a client that is disabled."""


RSA = RSAKey.generate_key(2048)
P384, STRANGER = ECKey.generate_key("P-384"), ECKey.generate_key("P-256")


def b64(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


_ALGORITHMS = ["ES256", "ES384", "PS256"]
_SIGNERS = jws.JWSRegistry(algorithms=_ALGORITHMS)


def sign(header: Claims | bytes, claims: Claims | bytes, key: Any, algorithm: str = "ES256") -> str:
    """Signs whatever it is told, unlike a careful library."""
    told = algorithm if isinstance(header, bytes) else header["alg"]
    signer: Any = _SIGNERS.get_alg(told)
    signed = f"{b64(header)}.{b64(claims)}"
    return f"{signed}.{b64(signer.sign(signed.encode(), key))}"


def unchanged(header: Claims, claims: Claims) -> None:
    pass


def put(where: str, name: str, value: Any) -> Change:
    """Changes one member; ``...`` leaves it out; a function makes the value when it is sent."""

    def change(header: Claims, claims: Claims) -> None:
        part = header if where == "header" else claims
        made = value() if callable(value) else value
        part.pop(name, None) if made is ... else part.update({name: made})

    return change


def at(seconds: float) -> Callable[[], int]:
    return lambda: int(time.time() + seconds)


@dataclass
class Forge:
    """Makes good tokens, proofs and assertions of a client, and lets a case change one thing."""

    api: Api
    signing: ECKey

    @property
    def side(self) -> Side:
        return self.api.sides["partner-app"]

    @property
    def key(self) -> ECKey:
        return ECKey.import_key(dict(self.side.client.key))

    def token(self, change: Change = unchanged, key: Any = None) -> str:
        now = int(time.time())
        header = {"alg": "ES256", "typ": "at+jwt", "kid": str(self.signing.kid)}
        claims: Claims = {
            "iss": ORIGIN,
            "aud": f"{ORIGIN}/graphql",
            "sub": "partner-app",
            "client_id": "partner-app",
            "scope": "customers:read purpose:CREDIT_APPROVAL",
            "iat": now,
            "exp": now + 600,
            "jti": str(time.perf_counter_ns()),
            "cnf": {"jkt": self.key.thumbprint()},
        }
        change(header, claims)
        return sign(header, claims, key or self.signing)

    def proof(self, token: str | None, change: Change = unchanged, key: Any = None) -> str:
        """``token`` is None at the token endpoint."""
        public = {name: value for name, value in self.key.as_dict(private=False).items() if name in ("kty", "crv", "x", "y")}
        header: Claims = {"alg": "ES256", "typ": "dpop+jwt", "jwk": public}
        url = f"{ORIGIN}/oauth/token" if token is None else f"{ORIGIN}/graphql"
        claims: Claims = {"htm": "POST", "htu": url, "iat": int(time.time()), "jti": str(time.perf_counter_ns())}
        claims |= {"nonce": self.side.client.nonce, **({"ath": token_hash(token)} if token else {})}
        change(header, claims)
        return sign(header, claims, key or self.key)

    def assertion(self, change: Change = unchanged, key: Any = None) -> str:
        now = int(time.time())
        header: Claims = {"alg": "ES256", "kid": str(self.key.kid)}
        claims: Claims = {"iss": "partner-app", "sub": "partner-app", "aud": ORIGIN, "iat": now, "exp": now + 60}
        claims["jti"] = f"j{time.perf_counter_ns()}"
        change(header, claims)
        return sign(header, claims, key or self.key)

    def headers(self, token: str, proof: str | None = None, scheme: str = "DPoP") -> Headers:
        return [("Authorization", f"{scheme} {token}"), ("DPoP", proof or self.proof(token.encode("ascii", "ignore").decode()))]

    def form(self, assertion: str, **more: Any) -> dict[str, Any]:
        """What is ``...`` is left out."""
        made = self.side.client.token_form() | {"client_assertion": assertion} | more
        return {name: value for name, value in made.items() if value is not ...}


@dataclass(frozen=True)
class Sent:
    """A request to the resource, or with a form to the token endpoint. ``after`` is sent before, and is good."""

    headers: Headers
    form: dict[str, Any] | None = None
    query: str = ""
    after: Sent | None = None

    def again(self) -> Sent:
        return replace(self, after=self)


@dataclass(frozen=True)
class Hostile:
    group: str
    name: str
    make: Callable[[Forge], Sent]


async def prepare(api: Api) -> None:
    """The client that is disabled, the one that lost a right, and the token that was revoked."""
    async with api.runtime.database.work() as tx:
        row = "client_id, name, audience, scopes, purposes, jwks, bearer, return_urls, created_at"
        copied = row.replace("client_id", f"'{GONE}'", 1)
        await tx.execute(
            text(f"insert into client ({row}, disabled_at) select {copied}, now() from client where client_id = 'partner-app'")
        )
        await tx.execute(text("update client set tokens_from = now() - interval '2 seconds' where client_id = 'partner-app'"))
        await tx.execute(text(f"insert into used_token_id values ('REVOKED', 'partner-app', '{ENDED}', now() + interval '1 hour')"))
