"""cn_social, mode hmac: signatures, the rotating secret, the order of checks, the authorization services."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.cn_social import connector
from connectors.cn_social.sandbox import APPKEY, RID, SIDS, build
from connectors.cn_social.sandbox_desk import Limits
from connectors.cn_social.sign import rtime_of, signature, signed, unwrap, verifies, wrap
from connectors.sandbox.platform import World
from hub.connect import (
    ContractBroken,
    Misconfigured,
    NotPermitted,
    Pending,
    Reauthorise,
    RefreshNeeded,
    Request,
    RetryAt,
)
from hub.connect.language import Context
from tests.connectors.cn_persona import OWNER, persona
from tests.contract.drive import REDIRECT, Drive

VECTORS = Path(__file__).parents[2].parent / "shared/oracles/signature-vectors/vectors.json"
STREAMS = {stream.name: stream for stream in connector.streams}


def drive(limits: Limits | None = None, **switches: set[str]) -> Drive:
    someone = persona()
    test = Drive(connector, build(World((someone,), switches=switches), limits or Limits(retry_after=0)), someone)
    test.config["auth_mode"] = "hmac"
    return test


async def call(test: Drive, path: str, body: dict[str, Any], key: str, *, at: Context | None = None, **changed: str) -> dict[str, Any]:
    """One signed call as an outsider would make it; ``changed`` replaces single headers."""
    request = Request("POST", f"/sysapi/{path}", headers=(("Content-Type", "application/json"),), body=json.dumps(body).encode())
    request = signed(at or replace(test.context, now=datetime.now(UTC)), request, key)
    headers = tuple((name, changed.get(name.removeprefix("gjgxjhpt_"), value)) for name, value in request.headers)
    answer: dict[str, Any] = json.loads((await test.send(replace(request, headers=headers))).body)
    return answer


def test_the_signature_is_hmac_sha256_of_sid_rid_rtime() -> None:
    """RFC 4231, test case 2, through the canonicaliser: the parts are joined with nothing between them."""
    expected = bytes.fromhex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    import base64

    assert base64.b64decode(signature("Jefe", "what do ya want ", "for ", "nothing?")) == expected


def test_the_profiles_vectors_hold() -> None:
    if not VECTORS.exists():
        pytest.skip("no signature vectors beside this project")
    vectors = json.loads(VECTORS.read_text("utf-8"))
    signatures = [vector for vector in vectors if vector["platform"] == "cn_social-hmac"]
    assert len(signatures) == 2
    for vector in signatures:
        assert signature(vector["key"], vector["sid"], vector["rid"], vector["rtime"]) == vector["expected"]
    (secret,) = (vector for vector in vectors if vector["platform"] == "cn_social-secret")
    assert wrap(secret["secret"], secret["appkey"]) == secret["expected"]
    assert unwrap(secret["expected"], secret["appkey"]) == secret["secret"]


def test_one_changed_byte_is_refused() -> None:
    good = signature("key", "sid", "rid", "1768874400000")
    assert verifies("key", "sid", "rid", "1768874400000", good)
    assert not verifies("key", "sid", "rid", "1768874400001", good)
    assert not verifies("key", "sid", "rid", "1768874400000", "A" + good[1:] if good[0] != "A" else "B" + good[1:])


def test_a_wrapped_secret_opens_only_with_its_appkey() -> None:
    assert unwrap(wrap("session-secret", "appkey-1"), "appkey-1") == "session-secret"
    assert unwrap("bare", "appkey-1", "plain") == "bare"
    with pytest.raises(ContractBroken):
        unwrap("bm90IGEgc2VjcmV0", "appkey-1")


def test_different_calls_of_one_millisecond_differ_in_rtime() -> None:
    now = datetime.now(UTC)
    pages = [Request("POST", "/sysapi/si/contribution/query", body=json.dumps({"page": page}).encode()) for page in range(50)]
    rtimes = {rtime_of(now, page) for page in pages}
    assert len(rtimes) == 50
    assert all(0 <= now.timestamp() * 1000 - int(rtime) < 61_000 for rtime in rtimes)
    assert rtime_of(now, pages[0], "salt") != rtime_of(now, pages[0])
    assert rtime_of(now, pages[0]) == rtime_of(now, pages[0])
    assert rtime_of(now + timedelta(milliseconds=1), pages[0]) != rtime_of(now, pages[0])


async def test_the_consent_is_a_number_and_the_secret_part_of_the_grant() -> None:
    test = drive()
    grant = await test.link()
    assert grant.scopes == ("SOCIAL_INSURANCE", "HOUSING_FUND")
    assert set(grant.extra) == {"sqbh", "secret", "secret_end"}
    # Counted from when the link began; the platform counts from when it was asked for the secret, some moments later.
    assert 43_000 < (grant.expires_in or 0) <= 43_200 + 60
    facts = await test.everything()
    assert len(facts) == 22 * 3 + 6 + 18 + 2 + 21


async def test_both_modes_give_the_same_facts() -> None:
    signing, bearing = drive(), drive()
    bearing.config["auth_mode"] = "oauth2"
    for test in (signing, bearing):
        await test.link()
    assert await signing.everything() == await bearing.everything()


async def test_a_refusal_asks_for_a_new_authorisation() -> None:
    with pytest.raises(Reauthorise, match="refused"):
        await drive().link(decision="refuse")


async def test_the_redirect_is_a_hint_and_only_the_query_counts() -> None:
    test = drive()
    begin = connector.authorisation.begin(test.context, redirect_uri=REDIRECT, state="s", verifier="v" * 64, text_hash="ab" * 32)
    await test.talk(begin)
    complete = connector.authorisation.complete(
        test.context, redirect_uri=REDIRECT, verifier="v" * 64, callback={"sqbh": "SQ0004", "result": "agree"}
    )
    with pytest.raises(Pending):
        await test.talk(complete)


async def test_a_secret_that_was_rotated_away_is_fetched_once() -> None:
    test = drive()
    await test.link()
    stale = replace(test.context.grant, extra={**test.context.grant.extra, "secret": "rotated-away"})  # type: ignore[union-attr,type-var]
    test.context = replace(test.context, grant=stale, now=datetime.now(UTC))
    with pytest.raises(RefreshNeeded):
        await test.pull(STREAMS["contributions"])
    fresh = await test.talk(connector.authorisation.refresh(test.context))
    test.context = replace(test.context, grant=fresh)
    assert len((await test.pull(STREAMS["contributions"])).facts) == 66


async def test_the_secret_before_stays_good_and_an_old_one_expires() -> None:
    someone = persona()
    platform = build(World((someone,)), Limits(retry_after=0))
    test = Drive(connector, platform, someone)
    test.config["auth_mode"] = "hmac"
    first = (await test.link()).extra["secret"]
    test.context = replace(test.context, now=datetime.now(UTC))
    await test.talk(connector.authorisation.refresh(test.context))
    assert (await call(test, "hf/loan/query", {"sqbh": "SQ0004"}, first))["subcode"] == "OK"
    requester = _requester(platform)
    for secret in requester.secrets:
        secret.until = 0
    assert (await call(test, "hf/loan/query", {"sqbh": "SQ0004"}, first))["subcode"] == "SECRET_EXPIRED"


def _requester(platform: Any) -> Any:
    """The gateway's own books: how a test lets time pass there."""
    (route,) = (route for route in platform.app.app.routes if route.path.endswith("/authorize") and "oauth2" not in route.path)
    return route.endpoint.__self__.requester


async def test_the_order_of_checks_requester_signature_clock_replay() -> None:
    test = drive()
    secret = (await test.link()).extra["secret"]
    body = {"sqbh": "SQ0004"}
    now = replace(test.context, now=datetime.now(UTC))
    old = replace(test.context, now=datetime.now(UTC) - timedelta(seconds=400))
    assert (await call(test, "hf/loan/query", body, "wrong", rid="somebody"))["subcode"] == "SERVICE_NOT_GRANTED"
    assert (await call(test, "hf/loan/query", body, "wrong", sid=SIDS["hf/entry/query"]))["subcode"] == "SERVICE_NOT_GRANTED"
    assert (await call(test, "hf/loan/query", body, "wrong", at=old))["subcode"] == "SIGN_INVALID"
    assert (await call(test, "hf/loan/query", body, secret, at=old))["subcode"] == "SIGN_EXPIRED"
    assert (await call(test, "hf/loan/query", body, secret, at=now))["subcode"] == "OK"
    assert (await call(test, "hf/loan/query", body, secret, at=now))["subcode"] == "SIGN_REPLAYED"


async def test_the_body_is_not_signed() -> None:
    """Another body under a valid signature is served: a signature is no proof of integrity here."""
    test = drive()
    secret = (await test.link()).extra["secret"]
    request = Request("POST", "/sysapi/hf/loan/query", body=b'{"sqbh":"SQ0004"}')
    request = signed(replace(test.context, now=datetime.now(UTC)), request, secret)
    answer = json.loads((await test.send(replace(request, body=b'{"sqbh":"SQ0004","page":9}'))).body)
    assert (answer["subcode"], answer["data"]["page"]) == ("OK", 9)


async def test_a_wrong_appkey_is_the_operators_fault() -> None:
    test = drive()
    test.config["appkey"] = "wrong"
    with pytest.raises(Misconfigured):
        await test.link()
    test.config |= {"appkey": APPKEY, "rid": "nobody"}
    with pytest.raises(Misconfigured) as refused:
        await test.link()
    assert refused.value.code == "E-106"


async def test_a_path_without_sid_is_the_operators_fault() -> None:
    test = drive()
    test.config["sids"] = "{}"
    with pytest.raises(Misconfigured, match="auth/secret"):
        await test.link()


async def test_secrets_are_fetched_once_a_minute() -> None:
    test = drive(Limits.of_profile())
    begin = connector.authorisation.begin(test.context, redirect_uri=REDIRECT, state="s", verifier="v" * 64, text_hash="ab" * 32)
    await test.talk(begin)
    test.context = replace(test.context, now=datetime.now(UTC))
    with pytest.raises(RetryAt) as busy:
        await test.talk(
            connector.authorisation.complete(test.context, redirect_uri=REDIRECT, verifier="v" * 64, callback={"sqbh": "SQ0004"})
        )
    assert (busy.value.code, busy.value.seconds) == ("RATE", 60.0)


async def test_a_plain_secret_is_taken_as_it_is() -> None:
    someone = persona()
    test = Drive(connector, build(World((someone,)), Limits(retry_after=0), plain_secret=True), someone)
    test.config["auth_mode"] = "hmac"
    await test.link()
    assert len((await test.pull(STREAMS["fund_accounts"])).facts) == 2


async def test_revoking_ends_the_authorisation_and_may_be_repeated() -> None:
    test = drive()
    await test.link()
    for _ in range(2):
        test.context = replace(test.context, now=datetime.now(UTC))
        await test.talk(connector.authorisation.revoke(test.context))
    with pytest.raises(Reauthorise):
        await test.pull(STREAMS["enrolments"])


async def test_revoking_with_an_old_secret_fetches_a_new_one() -> None:
    test = drive()
    grant = await test.link()
    test.context = replace(test.context, grant=replace(grant, extra={**grant.extra, "secret": "old"}), now=datetime.now(UTC))
    await test.talk(connector.authorisation.revoke(test.context))
    test.context = replace(test.context, grant=grant)
    with pytest.raises(Reauthorise):
        await test.pull(STREAMS["enrolments"])


async def test_a_scope_the_customer_left_out_is_not_permitted() -> None:
    test = drive()
    authorisation = connector.authorisation
    url = await test.talk(authorisation.begin(test.context, redirect_uri=REDIRECT, state="s", verifier="v" * 64, text_hash="ab" * 32))
    answer = await test.client.post(url, data={"decision": "agree", "scope": ["hf.person"]})
    callback = dict(httpx.URL(answer.headers["location"]).params)
    grant = await test.talk(authorisation.complete(test.context, redirect_uri=REDIRECT, verifier="v" * 64, callback=callback))
    test.context = replace(test.context, grant=grant)
    assert grant.scopes == ("HOUSING_FUND",)
    with pytest.raises(NotPermitted):
        await test.pull(STREAMS["enrolments"])


async def test_an_outsider_signs_with_what_the_sandbox_prints() -> None:
    """Written without this project's code but for the client: secret, unwrap, data call."""
    import base64
    import hashlib
    import hmac
    import time

    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    platform = build(World((persona(),)), Limits(retry_after=0))
    given, period = platform.outsider["hmac"], platform.outsider["period"]
    prefix, base = given["header_prefix"], f"http://gateway.test{platform.base_path}/sysapi"

    def heads(path: str, key: str) -> dict[str, str]:
        rtime, sid = str(int(time.time() * 1000)), given["sids"][path]
        mac = hmac.new(key.encode(), (sid + given["rid"] + rtime).encode(), hashlib.sha256).digest()
        values = {"rid": given["rid"], "sid": sid, "rtime": rtime, "sign": base64.b64encode(mac).decode()}
        return {prefix + name: value for name, value in values.items()}

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=platform.app)) as client:
        signed_heads = heads("auth/secret", given["appkey"])
        answer = (await client.post(f"{base}/auth/secret", headers=signed_heads, json=signed_heads)).json()
        key = hashlib.sha1(hashlib.sha1(given["appkey"].encode()).digest()).digest()[:16]
        opener = Cipher(algorithms.AES(key), modes.ECB()).decryptor()
        padded = opener.update(base64.b64decode(answer["data"]["secret"])) + opener.finalize()
        secret = padded[: -padded[-1]].decode()
        body = {"sqbh": given["sqbh"], "qsny": period["qsny"], "zzny": period["zzny"]}
        path = "si/contribution/query"
        data = (await client.post(f"{base}/{path}", headers=heads(path, secret), json=body)).json()
    assert (answer["code"], data["code"], data["data"]["total"]) == ("0", 200, 18)
    assert given["rid"] == RID
    assert OWNER not in json.dumps(data)
