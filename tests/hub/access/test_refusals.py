"""What a refused request is told: the standard's error, a sentence that helps, and nothing about who is registered."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from joserfc.jwk import ECKey
from sqlalchemy.exc import DBAPIError

from hub.access import server
from hub.access.assertions import UNPROVEN
from hub.access.clients import make_client_keys
from hub.access.documents import Documents
from hub.access.nonces import Nonces
from hub.store.database import Database
from tests.hub.access.forge import sign
from tests.hub.access.side import ORIGIN, Api, Side, open_api

BODY = {"query": "{ customers { totalCount } }"}
METADATA = f'resource_metadata="{ORIGIN}/.well-known/oauth-protected-resource/graphql"'


async def refused(side: Side, **changes: Any) -> tuple[int, dict[str, str]]:
    """An answer of the token endpoint."""
    form = {name: value for name, value in (side.client.token_form() | changes).items() if value is not None}
    answer = await side.form("/oauth/token", form, {"DPoP": side.client.proof("POST", side.client.token_url)})
    assert answer.headers["cache-control"] == "no-store" and answer.headers["dpop-nonce"]
    found: dict[str, str] = answer.json()
    assert set(found) == {"error", "error_description"} and len(found["error_description"]) > 10
    return answer.status_code, found


async def test_each_mistake_has_its_error(api: Api) -> None:
    side = api.sides["partner-app"]
    await side.login()
    expected: dict[str, list[dict[str, Any]]] = {
        "invalid_request": [{"grant_type": None}, {"grant_type": ""}],
        "unsupported_grant_type": [{"grant_type": "password"}, {"grant_type": "refresh_token"}],
        "invalid_target": [{"resource": "https://evil.example"}],
        "invalid_scope": [{"scope": "facts:read"}, {"scope": "purpose:POST_LOAN customers:read"}],
        "invalid_client": [{"client_assertion": None}, {"client_assertion": "x"}, {"client_secret": "x"}, {"client_id": "another"}],
    }
    for error, mistakes in expected.items():
        for changes in mistakes:
            status, found = await refused(side, **changes)
            assert (status, found["error"]) == (401 if error == "invalid_client" else 400, error), changes


async def test_a_form_that_is_none(api: Api) -> None:
    http = api.sides["partner-app"].http
    sent: list[dict[str, Any]] = [
        {"json": {"grant_type": "client_credentials"}},
        {"content": b"grant_type", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"content": b"a=1&a=2", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"data": {"a": "x" * 20_000}},
        {"data": {"grant_type": "client_credentials"}, "params": {"client_id": "partner-app"}},
    ]
    for one in sent:
        for path in ("token", "introspect", "revoke"):
            answer = await http.post(f"/oauth/{path}", **one)
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), one
    for path in ("introspect", "revoke"):
        side = api.sides["partner-app"]
        answer = await side.form(f"/oauth/{path}", side.client.token_form())
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request") and "token" in answer.json()["error_description"]


async def test_the_scheme_that_was_tried_is_named(api: Api) -> None:
    http = api.sides["partner-app"].http
    for tried, scheme in (("Basic eDp5", "Basic"), ("Bearer x", "Bearer"), ("DPoP x", "DPoP"), ("Negotiate x", "Basic")):
        answer = await http.post("/oauth/token", data={"grant_type": "client_credentials"}, headers={"Authorization": tried})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["www-authenticate"].split(" ")[0] == scheme


def assertion(client: str, key: Any, kid: str, **changes: Any) -> str:
    now = int(time.time())
    claims = {"iss": client, "sub": client, "aud": ORIGIN, "exp": now + 60, "jti": f"j{time.perf_counter_ns()}"} | changes
    return sign({"alg": "ES256", "kid": kid}, claims, key)


async def test_nobody_learns_which_clients_and_keys_there_are(api: Api) -> None:
    """Unknown, disabled, another key, an unknown key's id, a wrong signature, whatever else is wrong in the assertion: one answer, byte for byte."""
    side, stranger = api.sides["partner-app"], ECKey.import_key(make_client_keys()[0])
    kid, answers = str(side.client.key["kid"]), set()
    for client in ("partner-app", "nobody-here", "customer", "admin"):
        for named in (kid, "unknown"):
            for changes in ({}, {"aud": "https://evil.example"}, {"exp": 5}, {"jti": None}):
                form = side.client.token_form() | {"client_id": client, "client_assertion": assertion(client, stranger, named, **changes)}
                answer = await side.form("/oauth/token", form)
                answers.add((answer.status_code, answer.content))
    ((status, body),) = answers
    assert status == 401 and UNPROVEN.encode() in body
    mine = ECKey.import_key(dict(side.client.key))
    told = await side.form("/oauth/token", side.client.token_form() | {"client_assertion": assertion("partner-app", mine, kid, aud="x")})
    assert "aud" in told.json()["error_description"], "control: whoever has proved his key is told what is wrong"


async def challenge(api: Api, headers: list[tuple[str, str]]) -> tuple[int, str]:
    answer = await api.sides["partner-app"].http.post("/graphql", json=BODY, headers=headers)
    assert "data" not in answer.json()
    return answer.status_code, answer.headers["www-authenticate"]


async def test_the_resource_s_challenges(api: Api) -> None:
    side = api.sides["partner-app"]
    await side.login()
    url, token = side.client.graphql_url, side.token
    bound = f"DPoP {token}"
    both = f'DPoP algs="ES256 Ed25519", {METADATA}, Bearer {METADATA}'
    assert await challenge(api, []) == (401, both), "no error where nothing was brought (RFC 6750, 3.1)"
    assert await challenge(api, [("Authorization", "Basic eDp5")]) == (401, both)
    cases = [
        ([("Authorization", bound), ("Authorization", bound)], 400, "DPoP", "invalid_request"),
        ([("Authorization", f"{bound} x")], 400, "DPoP", "invalid_request"),
        ([("Authorization", "DPoP x.y.z"), ("DPoP", side.client.proof("POST", url, token))], 401, "DPoP", "invalid_token"),
        ([("Authorization", f"Bearer {token}")], 401, "Bearer", "invalid_token"),
        ([("Authorization", bound)], 401, "DPoP", "invalid_dpop_proof"),
        ([("Authorization", bound), ("DPoP", side.client.proof("GET", url, token))], 401, "DPoP", "invalid_dpop_proof"),
        ([("Authorization", bound), ("DPoP", side.client.proof("POST", url, "x"))], 401, "DPoP", "invalid_dpop_proof"),
    ]
    for headers, status, scheme, error in cases:
        found, told = await challenge(api, headers)
        assert (found, told.split(" ")[0]) == (status, scheme) and f'error="{error}"' in told, told
        assert 'error_description="' in told and METADATA in told and "algs=" in told
    side.client.nonce = None
    status, told = await challenge(api, [("Authorization", bound), ("DPoP", side.client.proof("POST", url, token))])
    assert status == 401 and told.startswith('DPoP error="use_dpop_nonce"')


@pytest.mark.parametrize(
    ("cause", "status", "error"), [(psycopg.OperationalError, 503, "temporarily_unavailable"), (psycopg.DataError, 500, "server_error")]
)
async def test_what_the_database_says_is_not_repeated(
    api: Api, monkeypatch: pytest.MonkeyPatch, cause: Any, status: int, error: str
) -> None:
    async def fails(*_: Any) -> Any:
        raise DBAPIError("select canary-77", {}, cause("canary-78"))

    monkeypatch.setattr(server, "find_client", fails)
    side = api.sides["partner-app"]
    answer = await side.form("/oauth/token", side.client.token_form())
    assert (answer.status_code, answer.json()["error"]) == (status, error) and b"canary" not in answer.content
    assert ("retry-after" in answer.headers) is (status == 503)


@pytest.fixture
async def timed(database: Database, tmp_path: Path) -> AsyncIterator[tuple[Api, list[float]]]:
    """A hub whose clock is told what time it is: [seconds]."""
    now = [float(int(time.time()))]
    async with open_api(database, tmp_path, now=lambda: now[0]) as opened:
        yield opened, now


async def posted(api: Api, now: float, *, iat: float = 0, age: float = 0, **claims: Any) -> int:
    """A token request at ``now``, whose proof is ``age`` old and whose assertion says ``now + iat``."""
    side = api.sides["partner-app"]
    key, nonce = ECKey.import_key(dict(side.client.key)), Nonces(api.runtime.keys.blind).current(now)
    said = {"iss": "partner-app", "sub": "partner-app", "aud": ORIGIN, "iat": int(now + iat), "exp": int(now) + 60}
    signed = sign({"alg": "ES256", "kid": str(key.kid)}, {**said, "jti": f"j{time.perf_counter_ns()}", **claims}, key)
    public = {name: value for name, value in key.as_dict(private=False).items() if name in ("kty", "crv", "x", "y")}
    proof = {"htm": "POST", "htu": f"{ORIGIN}/oauth/token", "iat": int(now - age), "jti": f"p{time.perf_counter_ns()}", "nonce": nonce}
    form = side.client.token_form() | {"client_assertion": signed}
    answer: httpx.Response = await side.form(
        "/oauth/token", form, {"DPoP": sign({"alg": "ES256", "typ": "dpop+jwt", "jwk": public}, proof, key)}
    )
    side.token = answer.json().get("access_token", "")
    return answer.status_code


async def test_times_of_assertions_and_proofs(timed: tuple[Api, list[float]]) -> None:
    """T4: ten seconds ahead are forgiven, sixty-one are not; an assertion lives five minutes at most; a proof is a minute old at most."""
    api, (now, *_) = timed
    assert [await posted(api, now, iat=ahead) for ahead in (0, 10, 11, 61)] == [200, 200, 401, 401]
    assert [await posted(api, now, exp=int(now) + life) for life in (300, 301, 0, -1)] == [200, 401, 401, 401]
    assert [await posted(api, now, nbf=int(now) + ahead) for ahead in (10, 61)] == [200, 401]
    assert [await posted(api, now, age=age) for age in (0, 60, -59, 62, -62)] == [200, 200, 200, 400, 400]


async def test_a_token_ends_after_ten_minutes_to_the_second(timed: tuple[Api, list[float]]) -> None:
    """T4: by the hub's clock, which the test moves."""
    api, now = timed
    began = now[0]
    side = api.sides["risk-desk"]
    token = (await side.form("/oauth/token", side.client.token_form())).json()["access_token"]
    for later, status in ((0, 200), (598, 200), (601, 401), (3600, 401)):
        now[0] = began + later
        answer = await side.http.post("/graphql", json=BODY, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status, later


async def test_control_a_longer_life_is_noticed(timed: tuple[Api, list[float]], monkeypatch: pytest.MonkeyPatch) -> None:
    """T4's control: with a life of an hour the assertion that is refused above is accepted."""
    api, (now, *_) = timed
    monkeypatch.setattr("hub.access.assertions.LONGEST_LIFE", 3600)
    assert await posted(api, now, exp=int(now) + 3600) == 200


async def test_a_store_that_is_away_is_no_word_of_ours_at_the_resource(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before an operation has begun, too: masked, as JSON, with the request's id."""
    partner = api.sides["partner-app"]
    await partner.login()

    async def away(*_: Any, **__: Any) -> Any:
        raise DBAPIError(None, None, psycopg.OperationalError("canary-27"))

    for owner, name in ((Database, "do"), (Documents, "find")):
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, away)
            answer = await partner.http.post("/graphql", json={"documentId": "0" * 64}, headers=partner.client.headers(partner.token))
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["extensions"]["code"]) == (503, "UNAVAILABLE") and "canary" not in answer.text
        assert answer.headers["retry-after"] and answer.headers["x-request-id"] and answer.headers["dpop-nonce"]
