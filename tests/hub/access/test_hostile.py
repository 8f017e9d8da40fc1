"""The corpus of hostile tokens, proofs and assertions. Each differs from a good one, which is tried first, in exactly one thing.

All meet one API: nothing here changes what another test of the module sends, and nobody sends an id twice but to see it refused.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from hub.access import proofs, tokens
from hub.access.keys import SigningKeys
from hub.access.proofs import token_hash
from hub.store.database import Database
from tests.databases import Databases
from tests.hub.access.side import ORIGIN, Api, Side, open_api

pytestmark = pytest.mark.asyncio(loop_scope="module")
QUERY = {"query": "{ customers(first: 1) { totalCount } }"}
Claims = dict[str, Any]
Change = Callable[[Claims, Claims], None]


def _b64(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _sign(header: Claims, claims: Claims, key: Any) -> str:
    """Signs whatever it is told, unlike a careful library."""
    registry = jws.JWSRegistry(header_registry={}, algorithms=["ES256", "HS256", "PS256"], strict_check_header=False)
    return jws.serialize_compact(header, json.dumps(claims).encode(), key, registry=registry)


def _hmac(header: Claims, payload: str, secret: bytes) -> str:
    """What a library that confuses keys would accept: the public key's text as the secret."""
    signed = f"{_b64(header)}.{payload}"
    return f"{signed}.{_b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


class Forge:
    """Makes a good access token and proof for a client, and lets a case change one thing."""

    def __init__(self, side: Side, signing: ECKey) -> None:
        self.side, self.signing, self.key = side, signing, ECKey.import_key(dict(side.client.key))

    def token(self, change: Change = lambda header, claims: None, key: Any = None) -> str:
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
        return _sign(header, claims, key or self.signing)

    def proof(self, token: str, change: Change = lambda header, claims: None, key: Any = None) -> str:
        public = {name: value for name, value in self.key.as_dict(private=False).items() if name in ("kty", "crv", "x", "y")}
        header: Claims = {"alg": "ES256", "typ": "dpop+jwt", "jwk": public}
        claims: Claims = {"htm": "POST", "htu": f"{ORIGIN}/graphql", "iat": int(time.time()), "jti": str(time.perf_counter_ns())}
        claims |= {"ath": token_hash(token), "nonce": self.side.client.nonce}
        change(header, claims)
        return _sign(header, claims, key or self.key)

    async def send(self, token: str, proof: str, scheme: str = "DPoP") -> int:
        answer = await self.side.http.post("/graphql", json=QUERY, headers={"Authorization": f"{scheme} {token}", "DPoP": proof})
        if answer.status_code == 200:
            assert answer.json()["data"] == {"customers": {"totalCount": 1}}
        return answer.status_code


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """The partner's app has logged in, and so knows the nonce."""
    with databases.one() as urls:
        database = Database(urls)
        async with open_api(database, tmp_path_factory.mktemp("home")) as opened:
            await opened.sides["partner-app"].login()
            yield opened
        await database.close()


@pytest_asyncio.fixture(loop_scope="module")
async def forge(api: Api) -> Forge:
    signing = (await SigningKeys(api.runtime.database, api.runtime.keys).current()).signing
    made = Forge(api.sides["partner-app"], signing)
    token = made.token()
    assert await made.send(token, made.proof(token)) == 200, "the good one must pass, else the corpus proves nothing"
    return made


def put(where: str, name: str, value: Any) -> Change:
    def change(header: Claims, claims: Claims) -> None:
        part = header if where == "header" else claims
        part.pop(name, None) if value is ... else part.update({name: value})

    return change


NOW = int(time.time())
TOKENS: dict[str, Change] = {
    "another type": put("header", "typ", "JWT"),
    "no type": put("header", "typ", ...),
    "unknown key": put("header", "kid", "other"),
    "no key id": put("header", "kid", ...),
    "empty crit": put("header", "crit", []),
    "jku": put("header", "jku", "https://evil.example/jwks"),
    "jwk in the header": put("header", "jwk", ECKey.generate_key("P-256").as_dict(private=False)),
    "x5c": put("header", "x5c", ["MIIB"]),
    "another issuer": put("claims", "iss", "https://evil.example"),
    "issuer with a slash": put("claims", "iss", ORIGIN + "/"),
    "another audience": put("claims", "aud", "https://other.example/graphql"),
    "audience as a prefix": put("claims", "aud", f"{ORIGIN}/graphql/x"),
    "no audience": put("claims", "aud", ...),
    "audience list without us": put("claims", "aud", [ORIGIN]),
    "expired": put("claims", "exp", NOW - 1),
    "exp as text": put("claims", "exp", str(NOW + 300)),
    "exp as a float": put("claims", "exp", NOW + 300.5),
    "exp as true": put("claims", "exp", True),
    "no exp": put("claims", "exp", ...),
    "lives too long": put("claims", "exp", NOW + 3600),
    "from the future": put("claims", "iat", NOW + 3000),
    "another client": put("claims", "client_id", "nobody"),
    "subject is not the client": put("claims", "sub", "another"),
    "no jti": put("claims", "jti", ...),
    "no scope": put("claims", "scope", ...),
    "two purposes": put("claims", "scope", "customers:read purpose:CREDIT_APPROVAL purpose:POST_LOAN"),
    "a purpose it has not": put("claims", "scope", "customers:read purpose:POST_LOAN"),
    "bound to another key": put("claims", "cnf", {"jkt": "x" * 43}),
    "bound in another way": put("claims", "cnf", {"x5t#S256": "x"}),
    "cnf is no object": put("claims", "cnf", "x"),
    "unbound": put("claims", "cnf", ...),
    "a claim nobody knows": put("claims", "admin", True),
}


@pytest.mark.parametrize("name", TOKENS)
async def test_a_hostile_token_is_refused(forge: Forge, name: str) -> None:
    token = forge.token(TOKENS[name])
    assert await forge.send(token, forge.proof(token)) == 401


async def test_tokens_signed_by_anything_else_are_refused(forge: Forge) -> None:
    public = forge.signing.as_pem(private=False)
    rsa = RSAKey.generate_key(2048)
    good = forge.token()
    header, payload, signature = good.split(".")
    hostile = {
        "another EC key": forge.token(key=ECKey.generate_key("P-256")),
        "HMAC with the public key": _hmac({"alg": "HS256", "typ": "at+jwt", "kid": forge.signing.kid}, payload, public),
        "PS256": forge.token(put("header", "alg", "PS256"), rsa),
        "none": f"{_b64({'alg': 'none', 'typ': 'at+jwt', 'kid': forge.signing.kid})}.{payload}.",
        "no signature": f"{header}.{payload}.",
        "cut signature": good[:-2],
        "zero signature": f"{header}.{payload}.{_b64(bytes(64))}",
        "another payload": f"{header}.{_b64({'iss': ORIGIN})}.{signature}",
        "two parts": f"{header}.{payload}",
        "five parts": f"{good}.x.y",
        "empty": "x",
        "a list as header": f"{_b64([1])}.{payload}.{signature}",
        "duplicate members": ".".join((_b64(b'{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"x"}'), payload, signature)),
        "deeply nested header": f"{_b64(b'[' * 2000)}.{payload}.{signature}",
        "too long": good + "A" * 9000,
        "not ASCII": good + "é",
    }
    accepted = [name for name, token in hostile.items() if await _send_anyhow(forge, token) == 200]
    assert accepted == []


async def _send_anyhow(forge: Forge, token: str) -> int:
    proof = forge.proof(token.encode("ascii", "ignore").decode())
    headers = {"Authorization": f"DPoP {token}".encode(), "DPoP": proof.encode()}
    return (await forge.side.http.post("/graphql", json=QUERY, headers=headers)).status_code


PROOFS: dict[str, Change] = {
    "another type": put("header", "typ", "JWT"),
    "no key": put("header", "jwk", ...),
    "private key inside": put("header", "jwk", ECKey.generate_key("P-256", private=True).as_dict(private=True)),
    "symmetric key": put("header", "jwk", {"kty": "oct", "k": "AAAA"}),
    "RSA key": put("header", "jwk", {"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
    "another key": put("header", "jwk", ECKey.generate_key("P-256").as_dict(private=False)),
    "kid beside": put("header", "kid", "x"),
    "another method": put("claims", "htm", "GET"),
    "lower-case method": put("claims", "htm", "post"),
    "another host": put("claims", "htu", "https://evil.example/graphql"),
    "another path": put("claims", "htu", f"{ORIGIN}/oauth/token"),
    "with a query": put("claims", "htu", f"{ORIGIN}/graphql?x=1"),
    "too old": put("claims", "iat", NOW - 300),
    "from the future": put("claims", "iat", NOW + 3000),
    "no time": put("claims", "iat", ...),
    "for another token": put("claims", "ath", token_hash("x")),
    "for no token": put("claims", "ath", ...),
    "no id": put("claims", "jti", ...),
    "id too long": put("claims", "jti", "x" * 65),
    "id is a number": put("claims", "jti", 7),
    "a foreign nonce": put("claims", "nonce", "x"),
    "no nonce": put("claims", "nonce", ...),
}


@pytest.mark.parametrize("name", PROOFS)
async def test_a_hostile_proof_is_refused(forge: Forge, name: str) -> None:
    token = forge.token()
    assert await forge.send(token, forge.proof(token, PROOFS[name])) == 401


async def test_a_proof_counts_once(forge: Forge) -> None:
    token = forge.token()
    proof = forge.proof(token)
    assert [await forge.send(token, proof) for _ in range(3)] == [200, 401, 401]


async def test_schemes_and_headers_are_not_mixed(forge: Forge) -> None:
    token, http = forge.token(), forge.side.http
    assert await forge.send(token, forge.proof(token), "Bearer") == 401
    assert await forge.send(token, forge.proof(token), "Basic") == 401
    twice = [("Authorization", f"DPoP {token}"), ("Authorization", f"DPoP {token}"), ("DPoP", forge.proof(token))]
    proofs_twice = [("Authorization", f"DPoP {token}"), ("DPoP", forge.proof(token)), ("DPoP", forge.proof(token))]
    for headers in (twice, proofs_twice, [("Authorization", f"DPoP {token}")], [("DPoP", forge.proof(token))], []):
        assert (await http.post("/graphql", json=QUERY, headers=headers)).status_code == 401
    elsewhere = await http.post(f"/graphql?access_token={token}", json=QUERY, headers={"Cookie": f"access_token={token}"})
    assert elsewhere.status_code == 401


@pytest.mark.parametrize(
    ("module", "name", "case"),
    [(tokens, "LONGEST_LIFE", "lives too long"), (tokens, "SKEW", "from the future"), (proofs, "WINDOW", "too old")],
)
async def test_the_corpus_notices_a_check_that_is_gone(
    forge: Forge, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, case: str
) -> None:
    """Positive control: with its check removed, the case is accepted."""
    monkeypatch.setattr(module, name, 10**9)
    token = forge.token(TOKENS[case] if module is tokens else lambda header, claims: None)
    proof = forge.proof(token, PROOFS[case] if module is proofs else lambda header, claims: None)
    assert await forge.send(token, proof) == 200


ASSERTIONS: dict[str, Change] = {
    "another audience": put("claims", "aud", "https://evil.example"),
    "audience as a list": put("claims", "aud", [ORIGIN]),
    "the token endpoint as audience": put("claims", "aud", f"{ORIGIN}/oauth/token"),
    "another issuer": put("claims", "iss", "another"),
    "another subject": put("claims", "sub", "another"),
    "expired": put("claims", "exp", NOW - 1),
    "lives too long": put("claims", "exp", NOW + 3600),
    "from the future": put("claims", "iat", NOW + 3000),
    "not yet": put("claims", "nbf", NOW + 3000),
    "no id": put("claims", "jti", ...),
    "another key": put("header", "kid", "other"),
    "own key in the header": put("header", "jwk", ECKey.generate_key("P-256").as_dict(private=False)),
    "a token's type": put("header", "typ", "at+jwt"),
}


@pytest.mark.parametrize("name", [None, *ASSERTIONS])
async def test_a_hostile_assertion_is_refused(api: Api, name: str | None) -> None:
    side = api.sides["partner-app"]
    key, now = ECKey.import_key(dict(side.client.key)), int(time.time())
    header: Claims = {"alg": "ES256", "kid": str(key.kid)}
    claims: Claims = {
        "iss": "partner-app",
        "sub": "partner-app",
        "aud": ORIGIN,
        "iat": now,
        "exp": now + 60,
        "jti": f"j{time.perf_counter_ns()}",
    }
    (ASSERTIONS[name] if name else lambda header, claims: None)(header, claims)
    form = side.client.token_form() | {"client_assertion": _sign(header, claims, key)}
    answer = await side.form("/oauth/token", form, {"DPoP": side.client.proof("POST", side.client.token_url)})
    assert answer.status_code == (200 if name is None else 401), answer.text


async def test_an_assertion_counts_once_and_comes_alone(api: Api) -> None:
    side = api.sides["partner-app"]
    form = side.client.token_form()

    async def send(form: dict[str, str], **headers: str) -> int:
        proof = side.client.proof("POST", side.client.token_url)
        return (await side.form("/oauth/token", form, {"DPoP": proof, **headers})).status_code

    assert await send(form) == 200
    assert await send(form) == 401
    assert await send(side.client.token_form() | {"client_secret": "x"}) == 401
    assert await send(side.client.token_form(), Authorization="Basic eDp5") == 401
    assert await send(side.client.token_form() | {"client_id": "another"}) == 401
    assert await send(side.client.token_form() | {"resource": "https://other.example"}) == 400
    assert await send(side.client.token_form() | {"grant_type": "password"}) == 400
    assert await send(side.client.token_form() | {"client_assertion_type": "x"}) == 401
