"""What the hub sends to a platform's authorisation server, and what it makes of the answers: pure. The hub's own server is the oracle for proofs and assertions."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import ECKey, OKPKey

from hub.access.jose import Expect, key_from, open_token
from hub.access.nonces import Nonces
from hub.access.proofs import Asked, NonceNeeded, check_proof, token_hash
from hub.connect import Context, ContractBroken, Grant, Misconfigured, OAuth, Reauthorise, Request, Response, Subject, dpop
from hub.connect.code_grant import CodeGrant, challenge
from hub.connect.oauth import assertion, client_key
from hub.domain.enums import SourceKind

GRANT = CodeGrant(lambda context: ("read", "more"), {"read": SourceKind.SHOP})
FULL = OAuth(client="private_key_jwt", names_issuer=True, dpop=True, names_resource=True, pushed_path="/par")
OURS = ECKey.generate_key("P-256", {"kid": "hub-1"})
CONFIG = {
    "base_url": "https://api.example/v1",
    "client_id": "hub",
    "client_key": json.dumps(OURS.as_dict(private=True)),
    "issuer": "https://issuer.example",
    "resource": "https://api.example/v1",
}
TODAY = date(2026, 1, 15)
NOW = datetime(2026, 1, 15, 4, tzinfo=UTC)
CONTEXT = Context(CONFIG, Subject(None, None, "甲某"), frozenset({SourceKind.SHOP}), TODAY, TODAY, NOW, TODAY, oauth=FULL)
VERIFIER = "v" * 43
BACK = "https://hub.example/link/callback/x"
TOKEN = {"access_token": "bound", "token_type": "DPoP", "expires_in": 300, "refresh_token": "again", "scope": "read"}


def said(status: int, body: Any, **headers: str) -> Response:
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, json.dumps(body).encode())


def talk(dialogue: Generator[Request, Response, Any], *answers: Response) -> tuple[Any, list[Request]]:
    """What the dialogue returns, and what it asked on the way."""
    asked, left = [next(dialogue)], list(answers)
    try:
        while True:
            asked.append(dialogue.send(left.pop(0)))
    except StopIteration as end:
        assert not left, "it asked less than was answered"
        return end.value, asked


def form(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.body.decode(), strict_parsing=True).items()}


def header(request: Request, name: str) -> str:
    return dict(request.headers).get(name, "")


def begin(context: Context, *answers: Response) -> tuple[str, list[Request]]:
    dialogue = GRANT.begin(context, redirect_uri=BACK, state="s1", verifier=VERIFIER, text_hash="0" * 64)
    if answers:
        return talk(dialogue, *answers)
    with pytest.raises(StopIteration) as end:
        next(dialogue)
    return end.value.value, []


def complete(context: Context, *answers: Response) -> tuple[Grant, list[Request]]:
    return talk(GRANT.complete(context, redirect_uri=BACK, verifier=VERIFIER, callback={"code": "c1"}), *answers)


def claims_of(token: str) -> dict[str, Any]:
    expect = Expect(("ES256",), ("JWT",), frozenset({"alg", "typ"}), frozenset({"kid"}))
    return open_token(token, expect, lambda _: key_from(OURS.as_dict(private=False))).claims


def test_an_assertion_is_for_the_issuer_alone_short_and_used_once() -> None:
    one, other = (claims_of(assertion(CONFIG, NOW.timestamp())) for _ in range(2))
    assert one["jti"] != other["jti"] and len(one["jti"]) >= 22
    assert {name: one[name] for name in ("iss", "sub", "aud")} == {"iss": "hub", "sub": "hub", "aud": "https://issuer.example"}
    assert 0 < one["exp"] - one["iat"] <= 60 and one["iat"] == int(NOW.timestamp())


def test_a_key_may_be_written_as_pem() -> None:
    pem = OURS.as_pem(private=True).decode()
    assert claims_of(assertion({**CONFIG, "client_key": pem}, NOW.timestamp()))["iss"] == "hub"


@pytest.mark.parametrize(
    "text",
    [
        "", "secret", "{}", '{"kty":"oct","k":"c2VjcmV0"}', json.dumps(OURS.as_dict(private=False)), json.dumps(ECKey.generate_key("P-384").as_dict(private=True)),
        json.dumps(OKPKey.generate_key("Ed25519").as_dict(private=True)), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
    ],
)  # fmt: skip
def test_what_is_no_key_is_said_without_saying_it(text: str) -> None:
    with pytest.raises(Misconfigured) as fault:
        client_key(text)
    assert len(text) < 7 or text not in str(fault.value)


def test_three_ways_to_say_who_the_hub_is() -> None:
    secret = {**CONFIG, "client_secret": "s/1 ü"}
    for oauth, inside, outside in (
        (OAuth(), set(), "Basic aHViOnMlMkYxKyVDMyVCQw=="),
        (OAuth(client="client_secret_post"), {"client_id", "client_secret"}, ""),
        (OAuth(client="private_key_jwt"), {"client_id", "client_assertion", "client_assertion_type"}, ""),
    ):
        bearer = {**TOKEN, "token_type": "Bearer"}
        _, (asked,) = complete(replace(CONTEXT, oauth=oauth, config=secret), said(200, bearer))
        assert set(form(asked)) - {"grant_type", "code", "redirect_uri", "code_verifier"} == inside
        assert (header(asked, "Authorization"), asked.idempotent) == (outside, False)


def test_a_request_is_pushed_and_the_browser_carries_a_reference() -> None:
    url, (asked,) = begin(CONTEXT, said(201, {"request_uri": "urn:x:1", "expires_in": 60}))
    assert url == "https://api.example/v1/oauth2/authorize?client_id=hub&request_uri=urn%3Ax%3A1"
    sent = form(asked)
    assert claims_of(sent.pop("client_assertion"))["aud"] == "https://issuer.example"
    del sent["client_assertion_type"]
    assert sent == {
        "response_type": "code", "client_id": "hub", "redirect_uri": BACK, "scope": "read more", "state": "s1",
        "code_challenge": challenge(VERIFIER), "code_challenge_method": "S256", "resource": "https://api.example/v1",
    }  # fmt: skip
    assert VERIFIER not in asked.body.decode()


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (said(400, {"error": "invalid_request"}), ContractBroken),
        (said(401, {"error": "invalid_client"}), Misconfigured),
        (said(201, {}), ContractBroken),
        (said(201, {"request_uri": "u" * 3000}), ContractBroken),
    ],
)
def test_a_request_that_cannot_be_pushed_sends_nobody_anywhere(answer: Response, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        begin(CONTEXT, answer)


def test_where_there_is_no_pkce_nothing_of_it_is_sent_and_nothing_but_s256_can_be_said() -> None:
    url, _ = begin(replace(CONTEXT, oauth=OAuth(pkce=False)))
    assert "challenge" not in url
    _, (asked,) = complete(
        replace(CONTEXT, oauth=OAuth(pkce=False), config={**CONFIG, "client_secret": "s"}), said(200, {**TOKEN, "token_type": "bearer"})
    )
    assert "code_verifier" not in form(asked)
    query = parse_qs(urlsplit(begin(replace(CONTEXT, oauth=OAuth()))[0]).query)
    assert (query["code_challenge_method"], query["code_challenge"]) == (["S256"], [challenge(VERIFIER)])


def proven(request: Request, url: str, nonce: str, token: str | None = None) -> str:
    """The thumbprint of the key in a proof that our own server would accept."""

    class Only(Nonces):
        def __init__(self) -> None: ...
        def accepts(self, text: str, now: float) -> bool:
            return text == nonce

    return check_proof([header(request, "DPoP")], Asked(request.method, url, token), Only(), NOW.timestamp()).thumbprint


TOKEN_URL = "https://api.example/v1/oauth2/token"


def test_a_token_is_bound_and_a_server_that_wants_its_nonce_is_asked_once_more() -> None:
    wants = said(400, {"error": "use_dpop_nonce"}, dpop_nonce="n1")
    grant, (first, second) = complete(CONTEXT, wants, said(200, TOKEN))
    with pytest.raises(NonceNeeded):
        proven(first, TOKEN_URL, "n1")
    bound = proven(second, TOKEN_URL, "n1")
    assert bound == ECKey.import_key(json.loads(grant.extra[dpop.KEY])).thumbprint()
    assert form(first)["client_assertion"] != form(second)["client_assertion"], "an assertion is used once"
    told, (only,) = complete(replace(CONTEXT, nonces={"": "n2"}), said(200, TOKEN))
    assert proven(only, TOKEN_URL, "n2") != bound, "each connection has a key of its own"
    assert told.extra[dpop.KEY] != grant.extra[dpop.KEY]


def test_a_server_that_is_never_content_is_asked_twice_and_no_more() -> None:
    wants = [said(400, {"error": "use_dpop_nonce"}, dpop_nonce=f"n{at}") for at in range(2)]
    with pytest.raises(ContractBroken):
        complete(CONTEXT, *wants)


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "", None])
def test_a_token_that_is_bound_to_nothing_is_refused(kind: str | None) -> None:
    with pytest.raises(ContractBroken):
        complete(CONTEXT, said(200, {**TOKEN, "token_type": kind}))


def test_a_bound_token_nobody_asked_for_is_refused() -> None:
    with pytest.raises(ContractBroken):
        complete(replace(CONTEXT, oauth=OAuth(), config={**CONFIG, "client_secret": "s"}), said(200, TOKEN))


def test_a_refresh_keeps_the_key_and_without_one_asks_nothing() -> None:
    grant, _ = complete(CONTEXT, said(200, TOKEN))
    fresh, (asked,) = talk(GRANT.refresh(replace(CONTEXT, grant=grant, nonces={"": "n"})), said(200, {**TOKEN, "access_token": "next"}))
    assert (fresh.access_token, fresh.extra[dpop.KEY]) == ("next", grant.extra[dpop.KEY])
    assert proven(asked, TOKEN_URL, "n") == ECKey.import_key(json.loads(grant.extra[dpop.KEY])).thumbprint()
    with pytest.raises(Reauthorise):
        next(GRANT.refresh(replace(CONTEXT, grant=replace(grant, extra={}))))


def test_every_call_for_data_is_proven_for_its_token_and_its_address() -> None:
    grant, _ = complete(CONTEXT, said(200, TOKEN))
    context = replace(CONTEXT, grant=grant, nonces={"": "n", "other": "m"})
    request = Request("GET", "/orders", query=(("day", "2026-01-15"),))
    signed = dpop.sign(context, request)
    assert header(signed, "Authorization") == "DPoP bound"
    proven(signed, "https://api.example/v1/orders", "n", "bound")
    again = dpop.sign(context, request)
    assert header(again, "DPoP") != header(signed, "DPoP"), "a proof is used once"
    with pytest.raises(Reauthorise):
        dpop.sign(replace(context, grant=Grant("bare")), request)
    assert token_hash("bound") in json.dumps(payload(header(signed, "DPoP")))


def payload(token: str) -> Mapping[str, Any]:
    expect = Expect(("ES256",), ("dpop+jwt",), frozenset({"alg", "typ", "jwk"}))
    return open_token(token, expect, lambda found: key_from(found["jwk"])).claims


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (said(401, {}, dpop_nonce="n", www_authenticate='DPoP error="use_dpop_nonce", algs="ES256"'), "n"),
        (said(401, {}, dpop_nonce="n", www_authenticate="DPoP error=use_dpop_nonce"), "n"),
        (said(400, {"error": "use_dpop_nonce"}, dpop_nonce="n"), "n"),
        (said(401, {}, dpop_nonce="n", www_authenticate='DPoP error="invalid_token"'), ""),
        (said(400, {"error": "invalid_grant"}, dpop_nonce="n"), ""),
        (said(400, ["use_dpop_nonce"], dpop_nonce="n"), ""),
        (said(400, {"error": "use_dpop_nonce"}), ""),
        (said(400, {"error": "use_dpop_nonce"}, dpop_nonce='a"b'), ""),
        (said(400, {"error": "use_dpop_nonce"}, dpop_nonce="n" * 600), ""),
        (said(200, {"error": "use_dpop_nonce"}, dpop_nonce="n"), ""),
        (Response(400, {"dpop-nonce": "n"}, b"use_dpop_nonce"), ""),
    ],
)
def test_when_a_nonce_is_all_that_is_missing(answer: Response, wanted: str) -> None:
    assert dpop.nonce_wanted(answer) == wanted


def test_which_settings_are_needed_and_which_addresses_are_used() -> None:
    assert FULL.needs == ("client_id", "client_key", "issuer", "resource")
    assert OAuth().needs == ("client_id", "client_secret")
    apart = {**CONFIG, "login_url": "https://login.example", "authorise_url": "https://www.example"}
    assert replace(FULL, host="login_url").endpoints(apart) == (
        "https://www.example/oauth2/authorize", "https://login.example/oauth2/token", "https://login.example/oauth2/revoke", "https://login.example/par",
    )  # fmt: skip
    assert replace(FULL, host="login_url").endpoints({**CONFIG, "login_url": "base_url"})[0] == "https://api.example/v1/oauth2/authorize"
    with pytest.raises(Misconfigured):
        replace(FULL, host="login_url").endpoints(CONFIG)
