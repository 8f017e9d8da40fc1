"""The corpus of hostile tokens, proofs and assertions, grouped by what should stop them. Each differs from a good one in exactly one thing.

:data:`CORPUS` is sent as it is by the tests, and again with each check of the verifiers taken away (:mod:`tests.hub.access.checks`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import string
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from joserfc.jwk import ECKey

from hub.access.proofs import token_hash
from tests.hub.access.forge import (
    ENDED,
    GONE,
    P384,
    RSA,
    STRANGER,
    Change,
    Claims,
    Forge,
    Hostile,
    Sent,
    at,
    b64,
    put,
    sign,
    unchanged,
)
from tests.hub.access.side import ORIGIN

TOKENS: dict[str, dict[str, Change]] = {
    "header": {
        "another type": put("header", "typ", "JWT"),
        "a proof's type": put("header", "typ", "dpop+jwt"),
        "no type": put("header", "typ", ...),
        "unknown key": put("header", "kid", "other"),
        "no key id": put("header", "kid", ...),
        "key id is a number": put("header", "kid", 7),
        "empty crit": put("header", "crit", []),
        "crit": put("header", "crit", ["exp"]),
        "jku": put("header", "jku", "https://evil.example/jwks"),
        "jwk in the header": put("header", "jwk", lambda: ECKey.generate_key("P-256").as_dict(private=False)),
        "x5u": put("header", "x5u", "https://evil.example/x5u"),
        "x5c": put("header", "x5c", ["MIIB"]),
        "b64": put("header", "b64", False),
        "cty": put("header", "cty", "JWT"),
    },
    "issuer and audience": {
        "another issuer": put("claims", "iss", "https://evil.example"),
        "issuer with a slash": put("claims", "iss", ORIGIN + "/"),
        "issuer in capitals": put("claims", "iss", ORIGIN.upper()),
        "no issuer": put("claims", "iss", ...),
        "a list of issuers": put("claims", "iss", [ORIGIN]),
        "another audience": put("claims", "aud", "https://other.example/graphql"),
        "audience as a prefix": put("claims", "aud", f"{ORIGIN}/graphql/x"),
        "no audience": put("claims", "aud", ...),
        "audience list without us": put("claims", "aud", [ORIGIN]),
        "audience is an object": put("claims", "aud", {f"{ORIGIN}/graphql": True}),
    },
    "time": {
        "expired": put("claims", "exp", at(-1)),
        "exp as text": put("claims", "exp", lambda: str(int(time.time()) + 300)),
        "exp as a float": put("claims", "exp", lambda: time.time() + 300.5),
        "exp as true": put("claims", "exp", True),
        "exp far away": put("claims", "exp", 2**41),
        "no exp": put("claims", "exp", ...),
        "lives too long": put("claims", "exp", at(3600)),
        "from the future": lambda header, claims: claims.update(iat=at(61)(), exp=at(600)()),
        "no iat": put("claims", "iat", ...),
        "iat is negative": put("claims", "iat", -5),
    },
    "who": {
        "another client": put("claims", "client_id", "nobody"),
        "a client that is not registered": lambda header, claims: claims.update(client_id="not-there", sub="not-there"),
        "a client that is disabled": lambda header, claims: claims.update(client_id=GONE, sub=GONE),
        "subject is not the client": put("claims", "sub", "another"),
        "no subject": put("claims", "sub", ...),
        "no client": put("claims", "client_id", ...),
        "client is a list": put("claims", "client_id", ["partner-app"]),
        "no jti": put("claims", "jti", ...),
        "jti is empty": put("claims", "jti", ""),
        "jti is endless": put("claims", "jti", "x" * 257),
        "jti is a number": put("claims", "jti", 7),
        "revoked": put("claims", "jti", ENDED),
        "before its client's tokens were ended": lambda header, claims: claims.update(iat=at(-700)(), exp=at(100)()),
    },
    "scope": {
        "no scope": put("claims", "scope", ...),
        "scope is a list": put("claims", "scope", ["customers:read"]),
        "a scope twice": put("claims", "scope", "customers:read customers:read purpose:CREDIT_APPROVAL"),
        "two purposes": put("claims", "scope", "customers:read purpose:CREDIT_APPROVAL purpose:POST_LOAN"),
        "a purpose it has not": put("claims", "scope", "customers:read purpose:POST_LOAN"),
        "a claim nobody knows": put("claims", "admin", True),
    },
    "binding": {
        "bound to another key": put("claims", "cnf", {"jkt": "x" * 43}),
        "bound in another way": put("claims", "cnf", {"x5t#S256": "x"}),
        "bound in two ways": lambda header, claims: claims["cnf"].update({"x5t#S256": "x"}),
        "cnf is no object": put("claims", "cnf", "x"),
        "cnf is null": put("claims", "cnf", None),
        "thumbprint is a list": lambda header, claims: claims["cnf"].update(jkt=[claims["cnf"]["jkt"]]),
        "unbound": put("claims", "cnf", ...),
    },
}

PROOFS: dict[str, Change] = {
    "another type": put("header", "typ", "JWT"),
    "no type": put("header", "typ", ...),
    "no key": put("header", "jwk", ...),
    "private key inside": lambda header, claims: header["jwk"].update(d="AQAB"),
    "symmetric key": put("header", "jwk", {"kty": "oct", "k": "AAAA"}),
    "RSA key": put("header", "jwk", RSA.as_dict(private=False)),
    "key of another curve's point": lambda header, claims: header["jwk"].update(x="AAAA"),
    "key is a text": put("header", "jwk", "AAAA"),
    "key is for something else": lambda header, claims: header["jwk"].update(use="enc"),
    "header is endless": lambda header, claims: header["jwk"].update(x5u="https://evil.example/" + "x" * 300),
    "another key": put("header", "jwk", lambda: ECKey.generate_key("P-256").as_dict(private=False)),
    "kid beside": put("header", "kid", "x"),
    "crit": put("header", "crit", []),
    "another method": put("claims", "htm", "GET"),
    "lower-case method": put("claims", "htm", "post"),
    "no method": put("claims", "htm", ...),
    "another host": put("claims", "htu", "https://evil.example/graphql"),
    "another path": put("claims", "htu", f"{ORIGIN}/oauth/revoke"),
    "with a query": put("claims", "htu", f"{ORIGIN}/graphql?x=1"),
    "no address": put("claims", "htu", ...),
    "too old": put("claims", "iat", at(-61)),
    "from the future": put("claims", "iat", at(62)),
    "no time": put("claims", "iat", ...),
    "time as text": put("claims", "iat", lambda: str(int(time.time()))),
    "time as a float": put("claims", "iat", time.time),
    "for another token": put("claims", "ath", token_hash("x")),
    "for no token": put("claims", "ath", ...),
    "no id": put("claims", "jti", ...),
    "id too long": put("claims", "jti", "x" * 65),
    "id is a number": put("claims", "jti", 7),
    "id of two lines": put("claims", "jti", lambda: f"{time.perf_counter_ns()}\n"),
    "id with a NUL": put("claims", "jti", "a\0"),
    "id with half a character": put("claims", "jti", "a\ud800"),
    "too long": put("claims", "padding", "x" * 4000),
    "a foreign nonce": put("claims", "nonce", "x"),
    "no nonce": put("claims", "nonce", ...),
    "nonce is a number": put("claims", "nonce", 7),
}

ASSERTIONS: dict[str, Change] = {
    "another audience": put("claims", "aud", "https://evil.example"),
    "audience as a list": put("claims", "aud", [ORIGIN]),
    "the token endpoint as audience": put("claims", "aud", f"{ORIGIN}/oauth/token"),
    "another issuer": put("claims", "iss", "another"),
    "no issuer": put("claims", "iss", ...),
    "another subject": put("claims", "sub", "another"),
    "from before all time": put("claims", "iat", -5),
    "expired": put("claims", "exp", at(-1)),
    "lives too long": put("claims", "exp", at(3600)),
    "no end": put("claims", "exp", ...),
    "end as text": put("claims", "exp", lambda: str(int(time.time()) + 60)),
    "from the future": put("claims", "iat", at(61)),
    "not yet": put("claims", "nbf", at(61)),
    "no id": put("claims", "jti", ...),
    "id too long": put("claims", "jti", "x" * 129),
    "another key": put("header", "kid", "other"),
    "own key in the header": put("header", "jwk", lambda: ECKey.generate_key("P-256").as_dict(private=False)),
    "jku": put("header", "jku", "https://evil.example/jwks"),
    "a token's type": put("header", "typ", "at+jwt"),
    "a proof's type": put("header", "typ", "dpop+jwt"),
}


def _hmac(header: Claims, payload: str, secret: bytes) -> str:
    """What a library that confuses keys would accept: the public key's text as the secret."""
    signed = f"{b64(header)}.{payload}"
    return f"{signed}.{b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def signatures(forge: Forge) -> dict[str, str]:
    """Tokens that are not what the hub signed."""
    good = forge.token()
    header, payload, signature = good.split(".")
    told = {"alg": "HS256", "typ": "at+jwt", "kid": forge.signing.kid}
    doubled = f'{{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"{forge.signing.kid}"}}'.encode()
    return {
        "another EC key": forge.token(key=STRANGER),
        "the client's own key": forge.token(key=forge.key),
        "HMAC with the public key": _hmac(told, payload, forge.signing.as_pem(private=False)),
        "HMAC without a secret": _hmac(told, payload, b""),
        "PS256": forge.token(put("header", "alg", "PS256"), RSA),
        "ES384": forge.token(put("header", "alg", "ES384"), P384),
        "none": f"{b64(told | {'alg': 'none'})}.{payload}.",
        "None": f"{b64(told | {'alg': 'None'})}.{payload}.",
        "no signature": f"{header}.{payload}.",
        "cut signature": good[:-2],
        "zero signature": f"{header}.{payload}.{b64(bytes(64))}",
        "written in another way": good[:-1] + _ALPHABET[_ALPHABET.index(good[-1]) + 1],
        "another payload": f"{header}.{b64({'iss': ORIGIN})}.{signature}",
        "two parts": f"{header}.{payload}",
        "five parts": f"{good}.x.y",
        "empty": "x",
        "a list as header": f"{b64([1])}.{payload}.{signature}",
        "header is no base64": f"!{header}.{payload}.{signature}",
        "header is no JSON": f"{b64(b'{')}.{payload}.{signature}",
        "duplicate members": sign(doubled, _raw(payload), forge.signing),
        "duplicate claims": sign(_raw(header), b'{"iss":"x",' + _raw(payload)[1:], forge.signing),
        "not a number": sign(_raw(header), _raw(payload).replace(b'"exp"', b'"cnf": NaN, "exp"'), forge.signing),
        "claims are a list": sign(_raw(header), b"[]", forge.signing),
        "deeply nested header": f"{b64(b'[' * 2000)}.{payload}.{signature}",
        "too long": good + "A" * 9000,
        "not ASCII": good + "é",
    }


_ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


def _raw(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


SIGNATURES = (
    "another EC key", "the client's own key", "HMAC with the public key", "HMAC without a secret", "PS256", "ES384", "none", "None", "no signature",
    "cut signature", "zero signature", "written in another way", "another payload", "two parts", "five parts", "empty", "a list as header", "header is no base64",
    "header is no JSON", "duplicate members", "duplicate claims", "not a number", "claims are a list", "deeply nested header", "too long", "not ASCII",
)  # fmt: skip


def _requests() -> Iterator[tuple[str, Callable[[Forge], Sent]]]:
    """Good tokens and proofs, put together in wrong ways."""

    def pair(forge: Forge) -> tuple[str, str]:
        token = forge.token()
        return token, forge.proof(token)

    def other(forge: Forge) -> Sent:
        token, key = forge.token(), ECKey.generate_key("P-256")
        return Sent(forge.headers(token, forge.proof(token, put("header", "jwk", key.as_dict(private=False)), key)))

    def two_words(forge: Forge) -> Sent:
        token = forge.token()
        parted = f"{token[:-10]} {token[-10:]}"
        return Sent(forge.headers(parted, forge.proof(parted)))

    def unbound(forge: Forge, client: str = "partner-app") -> str:
        def change(header: Claims, claims: Claims) -> None:
            del claims["cnf"]
            claims.update(client_id=client, sub=client)

        return forge.token(change)

    yield "bound token as Bearer", lambda forge: Sent(forge.headers(*pair(forge), "Bearer"))
    yield "bound token as Bearer without a proof", lambda forge: Sent(forge.headers(forge.token(), scheme="Bearer")[:1])
    yield "another scheme", lambda forge: Sent(forge.headers(*pair(forge), "Basic"))
    yield "two tokens", lambda forge: Sent([*forge.headers(*pair(forge)), forge.headers(*pair(forge))[0]])
    yield "two proofs", lambda forge: Sent([*(found := forge.headers(*pair(forge))), found[1]])
    yield "two words", two_words
    yield "no proof", lambda forge: Sent(forge.headers(forge.token())[:1])
    yield "no token", lambda forge: Sent(forge.headers(forge.token())[1:])
    yield "nothing", lambda forge: Sent([])
    yield "unbound token of a client that must be bound", lambda forge: Sent(forge.headers(unbound(forge), scheme="Bearer")[:1])
    yield "unbound token with a proof", lambda forge: Sent(forge.headers(unbound(forge)))
    yield (
        "unbound token of a client that may, with a proof",
        lambda forge: Sent(forge.headers(unbound(forge, "risk-desk"), scheme="Bearer")),
    )
    yield "unbound token of a client that may, as DPoP", lambda forge: Sent(forge.headers(unbound(forge, "risk-desk"))[:1])
    yield "unbound token as DPoP", lambda forge: Sent(forge.headers(unbound(forge))[:1])
    yield "proof of another key", other
    yield (
        "proof that another one signed, behind one that is good",
        lambda forge: Sent(
            forge.headers(token := forge.token(), forge.proof(token, key=STRANGER)), after=Sent(forge.headers(*pair(forge)))
        ),
    )
    yield "proof used before", lambda forge: Sent(forge.headers(*pair(forge))).again()


def _at_the_token_endpoint(forge: Forge, assertion: str, change: Change = unchanged, **more: Any) -> Sent:
    return Sent([("DPoP", forge.proof(None, change))], forge.form(assertion, **more))


def _corpus() -> Iterator[Hostile]:
    for group, changes in TOKENS.items():
        for name, change in changes.items():
            yield Hostile(f"token: {group}", name, lambda forge, change=change: Sent(forge.headers(forge.token(change))))  # type: ignore[misc]
    for name in SIGNATURES:
        yield Hostile("token: signature", name, lambda forge, name=name: Sent(forge.headers(signatures(forge)[name])))  # type: ignore[misc]
    for name, change in PROOFS.items():
        yield Hostile("proof", name, lambda forge, change=change: Sent(forge.headers(token := forge.token(), forge.proof(token, change))))  # type: ignore[misc]
    for name, make in _requests():
        yield Hostile("request", name, make)
    for name, change in ASSERTIONS.items():
        yield Hostile("assertion", name, lambda forge, change=change: _at_the_token_endpoint(forge, forge.assertion(change)))  # type: ignore[misc]
    yield from _forms()


def _with_proof(change: Change, forge: Forge) -> Sent:
    return _at_the_token_endpoint(forge, forge.assertion(), change)


def _forms() -> Iterator[Hostile]:
    def own(name: str, make: Callable[[Forge], Sent]) -> Hostile:
        return Hostile("assertion", name, make)

    def proof_again(forge: Forge) -> Sent:
        proof = [("DPoP", forge.proof(None))]
        return Sent(proof, forge.form(forge.assertion()), after=Sent(proof, forge.form(forge.assertion())))

    def assertion_again(forge: Forge) -> Sent:
        assertion = forge.assertion()
        return replace(_at_the_token_endpoint(forge, assertion), after=_at_the_token_endpoint(forge, assertion))

    def disabled(forge: Forge) -> Sent:
        assertion = forge.assertion(lambda header, claims: claims.update(iss=GONE, sub=GONE))
        return _at_the_token_endpoint(forge, assertion, client_id=GONE)

    def private_inside(forge: Forge) -> Sent:
        private = {name: value for name, value in STRANGER.as_dict(private=True).items() if name != "kid"}
        return Sent([("DPoP", forge.proof(None, put("header", "jwk", private), STRANGER))], forge.form(forge.assertion()))

    def no_number(forge: Forge) -> str:
        header, payload, _ = forge.assertion().split(".")
        return sign(_raw(header), _raw(payload)[:-1] + b',"weight":NaN}', forge.key)

    def with_headers(forge: Forge, *headers: tuple[str, str], **more: Any) -> Sent:
        sent = _at_the_token_endpoint(forge, forge.assertion(), **more)
        return replace(sent, headers=[*sent.headers, *headers])

    yield own("signed by another key", lambda forge: _at_the_token_endpoint(forge, forge.assertion(key=STRANGER)))
    yield own("used before", assertion_again)
    yield own("not a number", lambda forge: _at_the_token_endpoint(forge, no_number(forge)))
    yield own("is no token", lambda forge: _at_the_token_endpoint(forge, "x"))
    yield own("is not there", lambda forge: _at_the_token_endpoint(forge, ""))
    yield own("beside another authentication", lambda forge: with_headers(forge, ("Authorization", "Basic eDp5")))
    yield own("in no form", lambda forge: with_headers(forge, ("Content-Type", "text/plain")))
    yield own("in an endless form", lambda forge: with_headers(forge, padding="x" * 20_000))
    yield own("without a grant type", lambda forge: with_headers(forge, grant_type=...))
    yield own("with a scope twice", lambda forge: with_headers(forge, scope=["customers:read", "customers:read"]))
    yield own("of a client that is disabled", disabled)
    yield own("beside parameters in the address", lambda forge: replace(with_headers(forge), query="?client_id=partner-app"))
    yield Hostile("proof", "at the token endpoint: private key inside", private_inside)
    yield own("for no scope", lambda forge: with_headers(forge, scope="purpose:CREDIT_APPROVAL"))
    yield Hostile("proof", "at the token endpoint: used before", proof_again)
    yield own("with a secret", lambda forge: _at_the_token_endpoint(forge, forge.assertion(), client_secret="x"))
    yield own("of another type", lambda forge: _at_the_token_endpoint(forge, forge.assertion(), client_assertion_type="x"))
    yield own("for another client", lambda forge: _at_the_token_endpoint(forge, forge.assertion(), client_id="another"))
    yield own("for another resource", lambda forge: _at_the_token_endpoint(forge, forge.assertion(), resource="https://other.example"))
    yield own("for another grant", lambda forge: _at_the_token_endpoint(forge, forge.assertion(), grant_type="password"))
    yield own("for a scope it has not", lambda forge: _at_the_token_endpoint(forge, forge.assertion(), scope="facts:read"))
    yield own(
        "for a purpose it has not", lambda forge: _at_the_token_endpoint(forge, forge.assertion(), scope="customers:read purpose:POST_LOAN")
    )
    for name in ("another method", "another host", "too old", "no id", "a foreign nonce", "RSA key"):
        yield Hostile("proof", f"at the token endpoint: {name}", partial(_with_proof, PROOFS[name]))
    yield Hostile("proof", "at the token endpoint: none", lambda forge: Sent([], forge.form(forge.assertion())))


CORPUS = tuple(_corpus())
