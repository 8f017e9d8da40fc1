"""A client that is remembered is read for before the store is asked about it: what the store says by the commit decides whether anything is answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from msgspec import structs
from sqlalchemy import text
from starlette.types import ASGIApp

from hub.access.admissions import Admissions
from hub.access.audit import AccessLog
from hub.access.audit.log import Waiting
from hub.app import build_app
from hub.domain.caller import Pending, Standing
from hub.store.database import Database
from hub.store.view import Reader
from schema import endpoint
from tests.hub.access.side import ORIGIN, Api, Side, open_api

READ = "query Look($id: ID!) { customer(id: $id) { id orders(first: 1) { nodes { orderNumber } } } }"
EVALUATE = 'mutation { evaluate(input: { customer: "x", scenario: "S03", idempotencyKey: "k" }) { __typename } }'


async def remembered(api: Api) -> Side:
    """A client whose key is bound, and whom the process remembers."""
    found = api.sides["risk-desk"]
    await found.login()
    assert (await look(api, found)).json()["data"]["customer"]["id"] == api.world.id
    return found


@pytest.fixture
async def side(api: Api) -> Side:
    return await remembered(api)


async def look(api: Api, side: Side, headers: Mapping[str, str] | None = None) -> httpx.Response:
    return await side.ask(READ, {"id": api.world.id}, headers)


async def done(api: Api, statement: str, **values: Any) -> Any:
    async with api.runtime.database.work() as tx:
        found = await tx.execute(text(statement), values)
        return found.scalar_one() if found.returns_rows else None


async def logged(api: Api) -> int:
    return int(await done(api, "select count(*) from access_log"))


async def used(api: Api) -> int:
    return int(await done(api, "select count(*) from used_token_id where kind = 'DPOP'"))


async def test_a_read_of_a_client_that_is_remembered_is_admitted_by_the_logs_commit(
    api: Api, side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    of = Admissions.of

    async def noted(self: Admissions, one: Any) -> Standing:
        asked.append(one)
        return await of(self, one)

    monkeypatch.setattr(Admissions, "of", noted)
    before, rows = await used(api), await logged(api)
    answers = await asyncio.gather(*(look(api, side) for _ in range(5)))
    assert {one.status_code for one in answers} == {200} and not asked
    assert (await used(api), await logged(api)) == (before + 5, rows + 5)
    assert await done(api, "select count(*) from used_token_id u join access_log l on l.xmin = u.xmin where u.kind = 'DPOP'"), (
        "in one transaction"
    )


@pytest.mark.parametrize("compared", [True, False])
async def test_a_proof_that_is_shown_by_many_at_once_is_answered_once(
    api: Api, side: Side, compared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not compared:
        monkeypatch.setattr(Pending, "holds", lambda *_: True)
    headers, rows = side.client.headers(side.token), await logged(api)
    answers = await asyncio.gather(*(look(api, side, headers) for _ in range(12)))
    refused = [one for one in answers if one.status_code == 401]
    if not compared:
        assert not refused, "control"
        return
    assert len(refused) == 11 and await logged(api) == rows + 1
    assert all("data" not in one.json() and 'error="invalid_dpop_proof"' in one.headers["www-authenticate"] for one in refused)


async def test_a_group_that_holds_a_proof_twice_would_answer_two(api: Api, side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: what goes with one commit shows each proof once."""

    def taken(self: AccessLog) -> list[Waiting]:
        found, self._waiting = self._waiting, []
        return found

    commit = AccessLog._commit

    async def slow(self: AccessLog, group: Any) -> Any:
        await asyncio.sleep(0.3)
        return await commit(self, group)

    monkeypatch.setattr(AccessLog, "_taken", taken)
    monkeypatch.setattr(AccessLog, "_commit", slow)
    first, headers = asyncio.create_task(look(api, side)), side.client.headers(side.token)
    await asyncio.sleep(0.1)
    answers = await asyncio.gather(first, *(look(api, side, headers) for _ in range(12)))
    assert [one.status_code for one in answers].count(200) > 2


async def test_two_processes_answer_a_proof_once(api: Api, side: Side) -> None:
    def process() -> ASGIApp:
        return build_app(api.runtime)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=process()), base_url=ORIGIN) as http:
        there = replace(side, http=http)
        assert (await look(api, there)).status_code == 200
        for _ in range(5):
            headers = side.client.headers(side.token)
            answers = await asyncio.gather(*(look(api, one, headers) for one in (side, there, side, there)))
            assert sorted(one.status_code for one in answers) == [200, 401, 401, 401]


async def test_what_was_settled_before_it_read_is_not_settled_again(api: Api, side: Side) -> None:
    """A document that the store has to be asked for; then it is read for."""
    await done(api, "update client set documents = 'AUDIT' where client_id = 'risk-desk'")
    assert [(await look(api, side)).status_code for _ in range(3)] == [200] * 3


@pytest.mark.parametrize("slow", [0.0, 3_600.0])
async def test_a_body_that_comes_late_is_looked_at_again(
    database: Database, tmp_path: Path, slow: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The use of a proof is forgotten once it could not be shown any more: whoever holds a body back until then has nothing of it."""
    monkeypatch.setattr(endpoint, "SLOW", slow)
    later = [0.0]
    async with open_api(database, tmp_path, now=lambda: time.time() + later[0]) as api:
        side = await remembered(api)
        headers = side.client.headers(side.token)
        assert (await look(api, side, headers)).status_code == 200

        async def body() -> AsyncIterator[bytes]:
            later[0] = 200.0
            await done(api, "delete from used_token_id where kind = 'DPOP'")
            yield orjson.dumps({"query": READ, "variables": {"id": api.world.id}})

        answer = await side.http.post("/graphql", content=body(), headers={**headers, "content-type": "application/json"})
    assert answer.status_code == (401 if slow == 0 else 200), "where it is not looked at again: the control"


async def test_whoever_was_cut_off_while_he_was_admitted_is_not_refused_for_it(
    api: Api, side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A time limit that ends an operation before it began: the proof is used, and he has not shown it twice."""
    of = Admissions.of

    async def slow(self: Admissions, asked: Any) -> Standing:
        found = await of(self, asked)
        await asyncio.sleep(0.5)
        return found

    monkeypatch.setattr(Admissions, "of", slow)
    monkeypatch.setattr(endpoint, "MAX_SECONDS", 0.2)
    answer = (await side.ask(EVALUATE)).json()
    assert answer["errors"][0]["extensions"]["code"] == "TIMEOUT"


CHANGES = {
    "disabled": "update client set disabled_at = now() where client_id = 'risk-desk'",
    "its tokens ended": "update client set tokens_from = now() + interval '5 seconds' where client_id = 'risk-desk'",
    "another purpose": "update client set purposes = array['MARKETING'] where client_id = 'risk-desk'",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_what_has_become_of_a_client_counts_at_once(api: Api, side: Side, change: str) -> None:
    rows, proofs = await logged(api), await used(api)
    await done(api, CHANGES[change])
    for _ in range(2):
        answer = await look(api, side)
        assert (answer.status_code, "data" in answer.json()) == (401, False)
    assert (await logged(api), await used(api)) == (rows, proofs + 2)


async def test_a_revoked_token_is_answered_nothing(api: Api, side: Side) -> None:
    form = {"token": side.token, "client_id": "risk-desk", **side.client.token_form()}
    assert (
        await side.form("/oauth/revoke", {key: form[key] for key in ("token", "client_id", "client_assertion_type", "client_assertion")})
    ).status_code == 200
    rows = await logged(api)
    assert [(await look(api, side)).status_code for _ in range(2)] == [401, 401] and await logged(api) == rows


@pytest.mark.parametrize("compared", [True, False])
async def test_a_scope_that_was_taken_away_opens_nothing(api: Api, side: Side, compared: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not compared:
        monkeypatch.setattr(Pending, "holds", lambda *_: True)
    rows = await logged(api)
    await done(api, "update client set scopes = array_remove(scopes, 'facts:read') where client_id = 'risk-desk'")
    answer = (await look(api, side)).json()
    if not compared:
        assert answer["data"]["customer"] is not None, "control"
        return
    assert answer["errors"][0]["extensions"]["code"] == "NOT_ALLOWED" and await logged(api) == rows
    await done(api, "update client set scopes = array_append(scopes, 'facts:read') where client_id = 'risk-desk'")
    assert (await look(api, side)).json()["data"]["customer"] is not None, "and one that was given back opens it again"


async def test_what_has_an_effect_is_settled_before_it(api: Api, side: Side) -> None:
    """The services of this API fail when they are called."""
    headers = side.client.headers(side.token)
    assert (await look(api, side, headers)).status_code == 200
    again = await side.ask(EVALUATE, {}, headers)
    assert again.status_code == 401 and "data" not in again.json()


BAD: dict[str, dict[str, Any]] = {
    "no question": {"json": {}},
    "no JSON": {"content": b"{", "headers": {"content-type": "application/json"}},
    "an unknown document": {"json": {"documentId": "ab" * 32}},
    "what is not valid": {"json": {"query": "{ nothing }"}},
    "a page too long": {"json": {"query": "{ customers(first: 1000) { totalCount } }"}},
    "a subscription": {"json": {"query": "{ nothing }"}, "headers": {"accept": "text/event-stream"}},
}


@pytest.mark.parametrize("bad", BAD)
async def test_a_proof_is_used_whatever_is_answered(api: Api, side: Side, bad: str) -> None:
    headers, proofs = side.client.headers(side.token), await used(api)
    asked = BAD[bad] | {"headers": {**headers, **BAD[bad].get("headers", {})}}
    answer = await side.http.post("/graphql", **asked)
    assert "errors" in answer.json() and answer.status_code != 401 and await used(api) == proofs + 1
    assert (await side.http.post("/graphql", **asked)).status_code == 401
    assert (await look(api, side, headers)).status_code == 401


async def test_a_proof_is_used_where_the_log_refuses_the_row(api: Api, side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of that commit is kept: it is used by one of its own."""
    write = AccessLog.write

    async def spoilt(self: AccessLog, rows: Any, pending: Pending | None = None) -> None:
        await write(self, [structs.replace(row, operation="no text: \0") for row in rows], pending)

    monkeypatch.setattr(AccessLog, "write", spoilt)
    headers, proofs = side.client.headers(side.token), await used(api)
    answer = (await look(api, side, headers)).json()
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL" and "data" not in answer and await used(api) == proofs + 1
    monkeypatch.undo()
    assert (await look(api, side, headers)).status_code == 401


async def test_a_proof_is_used_where_nobody_waits_for_the_answer(api: Api, side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who gave up while the commit was under way is not told that he showed his own proof twice."""
    commit, proofs = AccessLog._commit, await used(api)
    given_up, going = asyncio.Event(), asyncio.Event()

    async def late(self: AccessLog, group: Any) -> Any:
        going.set()
        await given_up.wait()
        return await commit(self, group)

    read = Reader.read

    async def impatient(self: Reader, *asked: Any) -> bytes:
        reading = asyncio.ensure_future(read(self, *asked))
        await going.wait()
        reading.cancel()
        given_up.set()
        await asyncio.wait([reading])
        raise TimeoutError

    monkeypatch.setattr(AccessLog, "_commit", late)
    monkeypatch.setattr(Reader, "read", impatient)
    answer = (await look(api, side)).json()
    assert answer["errors"][0]["extensions"]["code"] == "TIMEOUT"
    async with asyncio.timeout(5):
        while await used(api) != proofs + 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
