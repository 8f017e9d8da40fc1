"""cn_social, mode oauth2: codes, tokens, refresh families, scopes; the gateway's limits and its late answers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connectors.cn_social import connector
from connectors.cn_social.sandbox import BASE_PATH, build
from connectors.cn_social.sandbox_desk import Limits
from connectors.sandbox.code_grant import CodeGrantServer
from connectors.sandbox.platform import World
from hub.connect import Misconfigured, NotPermitted, Pending, Reauthorise, RefreshNeeded, RetryAt
from tests.connectors.cn_persona import persona
from tests.contract.drive import REDIRECT, Drive

STREAMS = {stream.name: stream for stream in connector.streams}
AUTH = connector.authorisation


def drive(limits: Limits | None = None) -> Drive:
    someone = persona()
    return Drive(connector, build(World((someone,)), limits or Limits(retry_after=0)), someone)


def server(test: Drive) -> CodeGrantServer:
    """The gateway's own books: how a test lets time pass there."""
    (route,) = (route for route in test.platform.app.app.routes if route.path.endswith("/oauth2/token"))  # type: ignore[attr-defined]
    owner: CodeGrantServer = route.endpoint.__self__
    return owner


async def code_of(test: Drive) -> dict[str, str]:
    url = await test.talk(AUTH.begin(test.context, redirect_uri=REDIRECT, state="s", verifier="v" * 64, text_hash=""))
    return await test.submit_consent(url)


async def exchange(test: Drive, callback: dict[str, str], **changed: str) -> Any:
    with_defaults = {"redirect_uri": REDIRECT, "verifier": "v" * 64} | changed
    return await test.talk(AUTH.complete(test.context, callback=callback, **with_defaults))


async def ask(test: Drive, path: str, token: str, body: dict[str, Any] | None = None) -> httpx.Response:
    url = f"http://platform.test{BASE_PATH}/sysapi/{path}"
    return await test.client.post(url, headers={"Authorization": f"Bearer {token}"}, json=body or {})


async def test_a_code_needs_its_verifier_and_its_redirect_uri() -> None:
    test = drive()
    callback = await code_of(test)
    with pytest.raises(Reauthorise):
        await exchange(test, callback, verifier="w" * 64)
    with pytest.raises(Reauthorise):
        await exchange(test, callback, redirect_uri="http://127.0.0.1/elsewhere")
    assert (await exchange(test, callback)).access_token


async def test_a_code_used_twice_kills_the_tokens_it_gave() -> None:
    test = drive()
    callback = await code_of(test)
    grant = await exchange(test, callback)
    assert (await ask(test, "hf/loan/query", grant.access_token)).status_code == 200
    with pytest.raises(Reauthorise):
        await exchange(test, callback)
    assert (await ask(test, "hf/loan/query", grant.access_token)).status_code == 401


async def test_a_code_lives_five_minutes() -> None:
    test = drive()
    callback = await code_of(test)
    books = server(test)
    now = books.now()
    books.now = lambda: now + 301
    with pytest.raises(Reauthorise):
        await exchange(test, callback)
    books.now = lambda: now + 299
    assert (await exchange(test, callback)).access_token


@pytest.mark.parametrize("broken", ["plain", "missing", "client", "redirect", "scope"])
async def test_the_authorise_page_insists(broken: str) -> None:
    test = drive()
    url = await test.talk(AUTH.begin(test.context, redirect_uri=REDIRECT, state="s", verifier="v" * 64, text_hash=""))
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    changes = {
        "plain": {"code_challenge_method": "plain"},
        "missing": {"code_challenge": ""},
        "client": {"client_id": "somebody"},
        "redirect": {"redirect_uri": "https://evil.example/"},
        "scope": {"scope": "si.person all"},
    }
    answer = await test.client.get(url.split("?")[0], params=query | changes[broken])
    if broken in ("client", "redirect"):
        assert answer.status_code == 400
    else:
        error = parse_qs(urlsplit(answer.headers["location"]).query)["error"]
        assert error == ["invalid_scope" if broken == "scope" else "invalid_request"]


async def test_refresh_tokens_rotate_and_reuse_ends_the_family() -> None:
    test = drive()
    first = await test.link()
    second = await test.talk(AUTH.refresh(test.context))
    assert second.refresh_token != first.refresh_token
    assert second.scopes == first.scopes
    assert (await ask(test, "hf/loan/query", second.access_token)).status_code == 200
    with pytest.raises(Reauthorise):
        await test.talk(AUTH.refresh(test.context))
    assert (await ask(test, "hf/loan/query", second.access_token)).status_code == 401
    test.context = replace(test.context, grant=second)
    with pytest.raises(Reauthorise):
        await test.talk(AUTH.refresh(test.context))


async def test_an_expired_token_asks_for_a_refresh_and_no_grant_for_a_new_one() -> None:
    test = drive()
    await test.link()
    books = server(test)
    now = books.now()
    books.now = lambda: now + 7201
    with pytest.raises(RefreshNeeded):
        await test.pull(STREAMS["enrolments"])
    test.context = replace(test.context, grant=await test.talk(AUTH.refresh(test.context)))
    assert len((await test.pull(STREAMS["enrolments"])).facts) == 6
    test.context = replace(test.context, grant=None)
    with pytest.raises(Reauthorise):
        await test.talk(AUTH.refresh(test.context))


async def test_revoked_tokens_end() -> None:
    test = drive()
    grant = await test.link()
    await test.talk(AUTH.revoke(test.context))
    assert (await ask(test, "hf/loan/query", grant.access_token)).status_code == 401
    await test.talk(AUTH.revoke(test.context))


async def test_a_wrong_client_secret_is_the_operators_fault() -> None:
    test = drive()
    test.config["client_secret"] = "wrong"
    with pytest.raises(Misconfigured) as refused:
        await test.link()
    assert refused.value.code == "invalid_client"


async def test_a_scope_the_customer_unticked_is_not_permitted() -> None:
    test = drive()
    url = await test.talk(AUTH.begin(test.context, redirect_uri=REDIRECT, state="s", verifier="v" * 64, text_hash=""))
    answer = await test.client.post(url, data={"decision": "agree", "scope": "hf.person"})
    callback = dict(httpx.URL(answer.headers["location"]).params)
    test.context = replace(test.context, grant=await exchange(test, callback))
    assert test.context.grant is not None
    assert test.context.grant.scopes == ("HOUSING_FUND",)
    with pytest.raises(NotPermitted):
        await test.pull(STREAMS["contributions"])
    assert len((await test.pull(STREAMS["fund_accounts"])).facts) == 2


async def test_long_windows_are_answered_later() -> None:
    test = drive(Limits(retry_after=0.05, task_polls=1))
    await test.link()
    stream = STREAMS["contributions"]
    (window,) = stream.windows(test.context, test.context.data_from, test.context.today)

    async def step(cursor: Any) -> Any:
        request = connector.sign(test.context, stream.request(test.context, window, cursor))
        return stream.read(test.context, window, cursor, await test.send(request))

    accepted = await step(None)
    assert (accepted.records, accepted.next, accepted.wait) == ((), {"page": 1, "task": "T0001"}, 0.05)
    assert (await step(None)).next == accepted.next
    with pytest.raises(RetryAt) as early:
        await step(accepted.next)
    assert early.value.code == "RATE"
    got = await test.pull(stream)
    assert len(got.facts) == got.declared == 66


async def test_a_poll_before_the_task_is_ready_is_pending() -> None:
    test = drive(Limits(retry_after=0, task_polls=1))
    grant = await test.link()
    question = {"qsny": "202401", "zzny": "202512"}
    taskid = (await ask(test, "si/contribution/query", grant.access_token, question)).json()["data"]["taskid"]
    stream = STREAMS["contributions"]
    (window,) = stream.windows(test.context, test.context.data_from, test.context.today)
    cursor = {"page": 1, "task": taskid}
    response = await test.send(connector.sign(test.context, stream.request(test.context, window, cursor)))
    with pytest.raises(Pending):
        stream.read(test.context, window, cursor, response)


async def test_a_lost_task_starts_the_window_again() -> None:
    test = drive()
    await test.link()
    stream = STREAMS["contributions"]
    (window,) = stream.windows(test.context, test.context.data_from, test.context.today)
    cursor = {"page": 3, "task": "T9999", "seen": 80, "snapshot": "x"}
    response = await test.send(connector.sign(test.context, stream.request(test.context, window, cursor)))
    page = stream.read(test.context, window, cursor, response)
    assert page.next == {"page": 1, "seen": 80, "base": 80, "again": 1}


async def test_the_profiles_limits() -> None:
    test = drive(Limits.of_profile())
    grant = await test.link()
    answers = [(await ask(test, "hf/loan/query", grant.access_token)).json() for _ in range(7)]
    assert [answer["code"] for answer in answers[:5]] == [200] * 5
    assert (answers[6]["code"], answers[6]["subcode"], answers[6]["data"]["retryafter"]) == (429, "RATE", 1)


async def test_a_day_has_a_limit_per_consent() -> None:
    test = drive(Limits(per_consent_day=2))
    grant = await test.link()
    answers = [(await ask(test, "hf/loan/query", grant.access_token)).json()["code"] for _ in range(3)]
    assert answers == [200, 200, 429]


@pytest.mark.parametrize(
    ("path", "body", "subcode"),
    [
        ("si/contribution/query", {"qsny": "201501", "zzny": "202512"}, "WINDOW_TOO_LONG"),
        ("si/employer/query", {"qsny": "202201", "zzny": "202512"}, "WINDOW_TOO_LONG"),
        ("si/contribution/query", {"qsny": "2025-01", "zzny": "202512"}, "PARAM_INVALID"),
        ("si/contribution/query", {"qsny": "202512", "zzny": "202501"}, "PARAM_INVALID"),
        ("si/enrolment/query", {"pagesize": 101}, "PARAM_INVALID"),
        ("si/enrolment/query", {"page": 0}, "PARAM_INVALID"),
        ("si/enrolment/query", {"sqbh": "SQ0001"}, "IDENTITY_MISMATCH"),
        ("hf/entry/query", {"grzh": "1", "qsrq": "2025-01-01", "zzrq": "2025-06-30"}, "IDENTITY_MISMATCH"),
        ("task/result", {"taskid": "T9999"}, "TASK_UNKNOWN"),
        ("nothing/query", {}, "PARAM_INVALID"),
    ],
)
async def test_wrong_questions_are_refused(path: str, body: dict[str, Any], subcode: str) -> None:
    test = drive()
    grant = await test.link()
    answer = await ask(test, path, grant.access_token, body)
    assert (answer.status_code, answer.json()["subcode"]) == (200, subcode)


async def test_a_body_that_is_no_json_is_refused() -> None:
    test = drive()
    grant = await test.link()
    url = f"http://platform.test{BASE_PATH}/sysapi/si/enrolment/query"
    answer = await test.client.post(url, headers={"Authorization": f"Bearer {grant.access_token}"}, content=b"{")
    assert answer.json()["subcode"] == "PARAM_INVALID"


async def test_a_page_beyond_the_last_is_empty_with_the_same_total() -> None:
    test = drive()
    grant = await test.link()
    data = (await ask(test, "si/enrolment/query", grant.access_token, {"page": 9})).json()["data"]
    assert (data["rows"], data["total"], data["pages"]) == ([], 6, 1)


async def test_one_kind_of_insurance_may_be_asked_for() -> None:
    test = drive()
    grant = await test.link()
    body = {"qsny": "202507", "zzny": "202512", "aae140": ["110"]}
    rows = (await ask(test, "si/contribution/query", grant.access_token, body)).json()["data"]["rows"]
    assert {row["aae140"] for row in rows} == {"110"}
    assert len(rows) == 6


async def test_an_outsider_gets_data_with_what_the_sandbox_prints() -> None:
    platform = build(World((persona(),)))
    given, period = platform.outsider["oauth2"], platform.outsider["period"]
    form = {"grant_type": "authorization_code"} | {name: given[name] for name in ("code", "redirect_uri", "code_verifier")}
    base = f"http://platform.test{platform.base_path}"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=platform.app)) as client:
        token = (await client.post(f"{base}/oauth2/token", data=form, auth=(given["client_id"], given["client_secret"]))).json()
        assert set(token) == {
            "access_token",
            "token_type",
            "expires_in",
            "refresh_token",
            "refresh_expires_in",
            "scope",
            "sqbh",
            "subject",
        }
        for bearer in (token["access_token"], given["access_token"]):
            heads = {"Authorization": f"Bearer {bearer}"}
            body = {"qsny": period["qsny"], "zzny": period["zzny"]}
            data = (await client.post(f"{base}/sysapi/si/contribution/query", headers=heads, json=body)).json()["data"]
            assert (data["jedw"], data["total"]) == ("1", 18)
    assert json.dumps(platform.outsider)
