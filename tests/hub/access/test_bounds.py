"""Where exactly tokens, proofs and assertions stop being good: each bound from both sides, with a clock that stands still. No server, no database."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from hub.access import assertions, jose, proofs, tokens
from hub.access.clients import Client
from hub.access.jose import Expect, key_from, open_token, peek, peek_header, text_claim, whole_number
from hub.access.keys import KeySet
from hub.access.nonces import Nonces
from hub.access.proofs import Asked, NonceNeeded, check_proof, token_hash
from hub.access.tokens import issue, open_access_token, split_scope
from hub.errors import TokenInvalid

NOW = 1_800_000_000
ISSUER, RESOURCE = "https://hub.example", "https://hub.example/graphql"
KEY, OTHER = ECKey.generate_key("P-256", {"kid": "k1"}), ECKey.generate_key("P-256", {"kid": "k2"})
KEYS = KeySet(KEY, {"k1": KEY, "k2": OTHER}, 0.0)
NONCES = Nonces(b"n" * 32)
PUBLIC = {name: value for name, value in KEY.as_dict(private=False).items() if name in ("kty", "crv", "x", "y")}
Claims = dict[str, Any]


def sign(header: Claims, claims: Any, key: Any = KEY) -> str:
    registry = jws.JWSRegistry(header_registry={}, algorithms=["ES256", "Ed25519", "PS256"], strict_check_header=False)
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return jws.serialize_compact(header, payload, key, registry=registry)


def token(**changes: Any) -> str:
    header = {"alg": "ES256", "typ": "at+jwt", "kid": changes.pop("kid", "k1")}
    claims = {
        "iss": ISSUER,
        "aud": RESOURCE,
        "sub": "c",
        "client_id": "c",
        "scope": "a b",
        "iat": NOW,
        "exp": NOW + 600,
        "jti": "j",
    } | changes
    return sign(header, {name: value for name, value in claims.items() if value is not ...}, OTHER if header["kid"] == "k2" else KEY)


def opened(text: str, now: float = NOW) -> tokens.AccessToken:
    return open_access_token(text, KEYS, ISSUER, RESOURCE, now)


def refused(call: Any, *given: Any) -> bool:
    try:
        call(*given)
    except TokenInvalid:
        return True
    return False


def test_an_issued_token_is_the_one_that_opens() -> None:
    text = issue(KEYS, ISSUER, RESOURCE, "c", "b a purpose:P", "t", NOW + 0.9)
    assert peek_header(text) == {"alg": "ES256", "typ": "at+jwt", "kid": "k1"}
    claims = peek(text)
    assert len(claims.pop("jti")) == 36
    assert claims == {
        "iss": ISSUER, "aud": RESOURCE, "sub": "c", "client_id": "c", "scope": "b a purpose:P", "iat": NOW, "exp": NOW + 600, "cnf": {"jkt": "t"},
    }  # fmt: skip
    found = opened(text)
    assert (found.client_id, found.scopes, found.purpose, found.thumbprint) == ("c", frozenset("ab"), "P", "t")
    assert (found.issued_at, found.expires_at, found.jti) == (NOW, NOW + 600, peek(text)["jti"])
    unbound = issue(KEYS, ISSUER, RESOURCE, "c", "a", None, NOW)
    assert "cnf" not in peek(unbound) and opened(unbound).thumbprint is None


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ({"exp": NOW + 1}, {"exp": NOW}),
        ({"exp": NOW + 900}, {"exp": NOW + 901}),
        ({"iat": NOW + 10, "exp": NOW + 600}, {"iat": NOW + 11, "exp": NOW + 600}),
        ({"aud": [RESOURCE]}, {"aud": [ISSUER]}),
        ({"aud": ["https://x.example", RESOURCE]}, {"aud": []}),
        ({"kid": "k2"}, {"kid": "k3"}),
        ({"scope": "a"}, {"scope": ""}),
        ({"scope": "x" * 2000}, {"scope": "x" * 2001}),
        ({"jti": "j" * 256}, {"jti": "j" * 257}),
        ({"client_id": "d" * 256, "sub": "d" * 256}, {"client_id": "d", "sub": "c"}),
        ({"cnf": {"jkt": "t" * 256}}, {"cnf": {"jkt": "t" * 257}}),
        ({"cnf": {"jkt": "t"}}, {"cnf": {"jkt": "t", "x5t#S256": "t"}}),
        ({"scope": "a purpose:P"}, {"scope": "a a"}),
        ({"iss": ISSUER}, {"iss": ...}),
        ({"aud": RESOURCE}, {"aud": f"x{RESOURCE}x"}),
    ],
)
def test_a_token_s_bounds(good: Claims, bad: Claims) -> None:
    assert not refused(opened, token(**good)), good
    assert refused(opened, token(**bad)), bad


def test_a_fraction_of_a_second_does_not_prolong_a_token() -> None:
    assert not refused(opened, token(exp=NOW + 1), NOW + 0.999)
    assert refused(opened, token(exp=NOW + 1), NOW + 1.001)


def test_scopes_and_purposes_are_told_apart() -> None:
    assert split_scope("a b") == (frozenset({"a", "b"}), "")
    assert split_scope("purpose:P a") == (frozenset({"a"}), "P")
    assert split_scope("purposes:P") == (frozenset({"purposes:P"}), "")
    assert refused(split_scope, "purpose:P purpose:Q")


def proof(url: str = RESOURCE, key: Any = KEY, jwk: Any = PUBLIC, alg: str = "ES256", typ: str = "dpop+jwt", **changes: Any) -> str:
    claims = {"htm": "POST", "htu": url, "iat": NOW, "jti": "j", "ath": token_hash("T"), "nonce": NONCES.current(NOW)} | changes
    header = {"alg": alg, "typ": typ, "jwk": jwk}
    return sign(header, {name: value for name, value in claims.items() if value is not ...}, key)


def checked(text: str, now: float = NOW, bearer: str | None = "T") -> proofs.Proof:
    return check_proof([text], Asked("POST", RESOURCE, bearer), NONCES, now)


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ({"iat": NOW - 60}, {"iat": NOW - 61}),
        ({"iat": NOW + 60}, {"iat": NOW + 61}),
        ({"jti": "j" * 64}, {"jti": "j" * 65}),
        ({"nonce": NONCES.current(NOW - 300)}, {"nonce": NONCES.current(NOW - 600)}),
        ({"nonce": NONCES.current(NOW)}, {"nonce": NONCES.current(NOW + 300)}),
        ({"ath": token_hash("T")}, {"ath": token_hash("U")}),
        ({"htm": "POST"}, {"htm": "PUT"}),
        ({"htu": RESOURCE}, {"htu": RESOURCE + "/"}),
    ],
)
def test_a_proof_s_bounds(good: Claims, bad: Claims) -> None:
    assert not refused(checked, proof(**good)), good
    assert refused(checked, proof(**bad)), bad


def test_what_a_proof_says() -> None:
    found = checked(proof(), NOW + 0.5)
    assert (found.thumbprint, found.jti, found.expires_at) == (KEY.thumbprint(), "j", NOW + 121)


def test_at_the_token_endpoint_a_proof_speaks_of_no_token() -> None:
    assert not refused(checked, proof(ath=...), NOW, None)
    assert refused(checked, proof(ath=...))


def test_only_the_nonce_s_fault_asks_for_a_nonce() -> None:
    for nonce in (..., 7, "", "x"):
        with pytest.raises(NonceNeeded):
            checked(proof(nonce=nonce))
    for bad in ({"htm": "GET"}, {"iat": 0}, {"ath": "x"}, {"jti": ""}):
        with pytest.raises(TokenInvalid) as caught:
            checked(proof(nonce="x", **bad))
        assert not isinstance(caught.value, NonceNeeded), bad


def test_keys_of_proofs() -> None:
    edwards = OKPKey.generate_key("Ed25519")
    assert checked(proof(key=edwards, jwk=edwards.as_dict(private=False), alg="Ed25519")).thumbprint == edwards.thumbprint()
    rsa = RSAKey.generate_key(2048)
    assert refused(checked, proof(key=rsa, jwk=rsa.as_dict(private=False), alg="PS256"))
    assert refused(checked, proof(jwk=KEY.as_dict(private=True)))
    assert refused(checked, proof(typ="at+jwt"))


def test_exactly_one_proof_of_4096_characters_at_most() -> None:
    good = proof()
    asked = Asked("POST", RESOURCE, "T")
    for headers in ([], [good, good]):
        assert refused(check_proof, headers, asked, NONCES, NOW)
    for length in (4095, 4096, 4097, 4098):
        text = next(made for pad in range(2000, 4000) if len(made := proof(padding="x" * pad)) >= length)
        assert refused(checked, text) is (len(text) > 4096), len(text)


def test_the_hash_of_a_token_is_rfc_9449_s() -> None:
    assert token_hash("T") == base64.urlsafe_b64encode(hashlib.sha256(b"T").digest()).decode().rstrip("=")


def test_nonces_are_a_keyed_hash_of_their_slot() -> None:
    key = hmac.digest(b"n" * 32, b"hub.access.dpop-nonce", "sha256")
    expected = base64.urlsafe_b64encode(hmac.digest(key, str(NOW // 300).encode(), "sha256")).decode().rstrip("=")
    assert NONCES.current(NOW) == NONCES.current(NOW + 299.9) == expected != NONCES.current(NOW + 300)
    assert NONCES.accepts(expected, NOW + 599) and not NONCES.accepts(expected, NOW + 600)
    assert not NONCES.accepts(expected, NOW - 1)


def client(*keys: Any) -> Client:
    return Client("c", "PARTNER", frozenset(), frozenset(), {"keys": [dict(one) for one in keys]}, (), False)


def assertion(key: Any = KEY, header: Claims | None = None, **changes: Any) -> str:
    claims = {"iss": "c", "sub": "c", "aud": ISSUER, "exp": NOW + 60, "jti": "j"} | changes
    return sign(header or {"alg": "ES256", "kid": "k1"}, {name: value for name, value in claims.items() if value is not ...}, key)


OURS = client(KEY.as_dict(private=False))


def asserted(text: str, now: float = NOW, whose: Client = OURS) -> tuple[str, int]:
    return assertions.check_assertion(text, whose, ISSUER, now)


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ({"exp": NOW + 1}, {"exp": NOW}),
        ({"exp": NOW + 300}, {"exp": NOW + 301}),
        ({"iat": NOW + 10}, {"iat": NOW + 11}),
        ({"nbf": NOW + 10}, {"nbf": NOW + 11}),
        ({"iat": 0}, {"iat": "0"}),
        ({"jti": "j" * 128}, {"jti": "j" * 129}),
        ({"header": {"alg": "ES256"}}, {"header": {"alg": "ES256", "kid": "k9"}}),
        ({"header": {"alg": "ES256", "typ": "JWT"}}, {"header": {"alg": "ES256", "typ": "jwt"}}),
        ({"header": {"alg": "ES256", "typ": "client-authentication+jwt"}}, {"header": {"alg": "ES256", "typ": "dpop+jwt"}}),
        ({}, {"iss": "d"}),
        ({}, {"sub": "d"}),
        ({}, {"aud": ISSUER + "/"}),
    ],
)
def test_an_assertion_s_bounds(good: Claims, bad: Claims) -> None:
    assert not refused(asserted, assertion(**good)), good
    assert refused(asserted, assertion(**bad)), bad


def test_what_an_assertion_says() -> None:
    assert asserted(assertion(jti="once", exp=NOW + 77)) == ("once", NOW + 77)
    assert assertions.claimed_client(assertion()) == "c"


def test_without_a_key_id_the_only_registered_key_counts() -> None:
    two = client(KEY.as_dict(private=False), OTHER.as_dict(private=False))
    assert refused(asserted, assertion(header={"alg": "ES256"}), NOW, two)
    assert not refused(asserted, assertion(OTHER, {"alg": "ES256", "kid": "k2"}), NOW, two)
    assert refused(asserted, assertion(OTHER, {"alg": "ES256", "kid": "k1"}), NOW, two)


@pytest.mark.parametrize(
    ("alg", "key"), [("PS256", RSAKey.generate_key(2048, {"kid": "r"})), ("Ed25519", OKPKey.generate_key("Ed25519", {"kid": "o"}))]
)
def test_other_kinds_of_client_keys(alg: str, key: Any) -> None:
    text = assertion(key, {"alg": alg, "kid": key.kid})
    assert not refused(asserted, text, NOW, client(key.as_dict(private=False)))


@pytest.mark.parametrize("member", ["d", "p", "q", "k"])
def test_a_key_with_a_private_member_is_none(member: str) -> None:
    assert not refused(key_from, PUBLIC)
    assert refused(key_from, PUBLIC | {member: "AQAB"})


@pytest.mark.parametrize(
    "jwk", [None, [], "x", {}, {"kty": "oct", "k": "AAAA"}, {"kty": "EC"}, {"kty": "EC", "crv": "P-256", "x": 1, "y": 2}]
)
def test_what_is_no_public_key(jwk: Any) -> None:
    assert refused(key_from, jwk)


def test_kinds_of_keys_are_named() -> None:
    rsa = RSAKey.generate_key(2048).as_dict(private=False)
    assert not refused(key_from, rsa) and refused(key_from, rsa, ("EC", "OKP"))


@pytest.mark.parametrize(
    ("value", "good"), [(0, True), (2**40 - 1, True), (2**40, False), (-1, False), (1.0, False), (True, False), ("1", False), (None, False)]
)
def test_times_are_whole_numbers(value: Any, good: bool) -> None:
    assert refused(whole_number, {"iat": value}, "iat") is not good
    assert refused(whole_number, {}, "iat")


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ("x", True),
        ("x" * 256, True),
        ("x" * 257, False),
        ("", False),
        (1, False),
        (["x"], False),
        ("x\0", False),
        ("x\n", False),
        ("中", True),
    ],
)
def test_texts_are_texts_of_a_length(value: Any, good: bool) -> None:
    assert refused(text_claim, {"jti": value}, "jti") is not good
    assert refused(text_claim, {}, "jti")


def test_a_token_of_8192_characters_at_most() -> None:
    body = "A" * (8192 - 4)
    assert refused(peek, f"{body}.e30.") and jose.MAX_TOKEN == 8192
    header = base64.urlsafe_b64encode(b'{"a":1}').decode().rstrip("=")
    long = f"{header}.e30." + "A" * (8192 - len(header) - 5)
    assert len(long) == 8192 and peek_header(long) == {"a": 1} and peek(long) == {}
    for bad in (long + "A", "", "e30", "e30.e30", "e30.e30.e30.e30", "é30.e30.e30", "e3 0.e30.", "e3+0.e30.", "W10.e30."):
        assert refused(peek_header, bad), bad


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b"7",
        b'"x"',
        b"",
        b"{",
        b'{"a":1,"a":1}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b"\xff",
        b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
def test_a_payload_is_one_json_object(payload: bytes) -> None:
    expect = Expect(("ES256",), ("t",), frozenset({"alg", "typ"}), frozenset({"kid"}))
    header = {"alg": "ES256", "typ": "t"}
    assert open_token(sign(header, {"a": 1}), expect, lambda header: KEY).claims == {"a": 1}
    assert refused(open_token, sign(header, payload), expect, lambda header: KEY)


def test_header_members_are_those_expected() -> None:
    expect = Expect(("ES256",), ("t", "u"), frozenset({"alg", "typ"}), frozenset({"kid"}))

    def opens(**header: Any) -> bool:
        return not refused(open_token, sign({"alg": "ES256", **header}, {}), expect, lambda header: KEY)

    assert opens(typ="t") and opens(typ="u") and opens(typ="t", kid="k")
    assert not opens() and not opens(typ="v") and not opens(typ="t", cty="x") and not opens(kid="k")
    assert open_token(sign({"alg": "ES256", "typ": "t", "kid": "k"}, {}), expect, lambda header: KEY).header["kid"] == "k"
    assert refused(open_token, sign({"alg": "ES256", "typ": "t"}, {}, OTHER), expect, lambda header: KEY)


def test_the_algorithm_is_one_of_those_named() -> None:
    rsa = RSAKey.generate_key(2048)
    expect = Expect(("ES256",), ("t",), frozenset({"alg", "typ"}))
    assert refused(open_token, sign({"alg": "PS256", "typ": "t"}, {}, rsa), expect, lambda header: rsa)
    wider = Expect(("ES256", "PS256"), ("t",), frozenset({"alg", "typ"}))
    assert not refused(open_token, sign({"alg": "PS256", "typ": "t"}, {}, rsa), wider, lambda header: rsa)
