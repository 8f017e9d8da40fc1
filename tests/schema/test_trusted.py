"""Stored documents and budgets over HTTP: what a client may ask, and how it is told that it may not (trust rules, T20)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
import structlog
from sqlalchemy import delete, update

import schema.endpoint as endpoint_module
from hub.access.documents import REMEMBERED, Documents, add_document, documents, remove_document
from hub.errors import NotFound
from hub.store.tables import client, cost_ledger
from schema.contract import HubSchema, build_schema
from schema.endpoint import GRAPHQL_JSON
from schema.plan.prices import LOOK_UP_COST
from schema.trusted import faults, printed
from tests.hub.access.side import Api, Side

pytestmark = pytest.mark.asyncio(loop_scope="module")
SCHEMA: HubSchema = build_schema()
STORED = "query Mine($n: Int!) { customers(first: $n) { nodes { id kind } } }"
FREE = "{ customers(first: 1) { nodes { id } } }"
SHA256 = hashlib.sha256(STORED.encode()).hexdigest()


@asynccontextmanager
async def settings_of(api: Api, name: str, **values: Any) -> AsyncIterator[None]:
    """A client's settings for a while. They take effect with its next request. Nothing of its minute is spent yet, whichever test came before."""
    before = {"documents": "OPEN", "cost_per_minute": None}
    for these in (values, before):
        async with api.runtime.database.work() as tx:
            await tx.execute(update(client).where(client.c.client_id == name).values(**these))
            await tx.execute(delete(cost_ledger).where(cost_ledger.c.client_id == name))
        if these is values:
            yield


async def send(side: Side, body: dict[str, Any], media: str = GRAPHQL_JSON) -> httpx.Response:
    headers = {**side.client.headers(side.token), "Content-Type": "application/json", "Accept": media}
    return await side.http.post("/graphql", content=orjson.dumps(body), headers=headers)


def code(answer: httpx.Response) -> str:
    return str(answer.json()["errors"][0]["extensions"]["code"])


async def stored(api: Api, name: str = "partner-app", text: str = STORED) -> str:
    async with api.runtime.database.work() as tx:
        return await add_document(tx, name, text, "admin")


@pytest.mark.parametrize("mode", ["OPEN", "AUDIT", "ONLY"])
async def test_a_stored_document_is_asked_by_its_digest(api: Api, mode: str) -> None:
    assert await stored(api) == SHA256
    partner, variables = api.sides["partner-app"], {"n": 1}
    async with settings_of(api, "partner-app", documents=mode):
        for body in (
            {"documentId": SHA256},
            {"documentId": f"sha256:{SHA256}"},
            {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": SHA256}}},
        ):
            answer = await send(partner, {**body, "variables": variables})
            assert answer.json()["data"] == {"customers": {"nodes": [{"id": api.world.id, "kind": "ORG"}]}}


async def test_only_stored_documents_means_only_those(api: Api) -> None:
    await stored(api)
    partner = api.sides["partner-app"]
    async with settings_of(api, "partner-app", documents="ONLY"):
        for body in ({"query": FREE}, {"query": STORED, "variables": {"n": 1}}, {"query": "{"}, {"query": "{ __typename }"}):
            answer = await send(partner, body)
            assert (answer.status_code, code(answer)) == (400, "DOCUMENT_REQUIRED")
        refused = 0
        for _ in range(200):
            answer = await send(partner, {"documentId": secrets.token_hex(32)})
            refused += (answer.status_code, code(answer)) == (400, "DOCUMENT_UNKNOWN")
        print(f"{refused} of 200 unknown digests refused")
        assert refused == 200


async def test_nobody_stores_a_document_by_sending_it(api: Api) -> None:
    """What some servers call automatic persisted queries."""
    partner, text = api.sides["partner-app"], "{ customers(first: 1) { nodes { kind } } }"
    digest = hashlib.sha256(text.encode()).hexdigest()
    both = {"query": text, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}}}
    assert "data" in (await send(partner, both)).json()
    assert code(await send(partner, {"documentId": digest})) == "DOCUMENT_UNKNOWN"
    async with settings_of(api, "partner-app", documents="ONLY"):
        assert code(await send(partner, both)) == "DOCUMENT_REQUIRED"
        assert code(await send(partner, {"documentId": digest})) == "DOCUMENT_UNKNOWN"


async def test_a_document_is_its_client_s(api: Api) -> None:
    await stored(api)
    assert code(await send(api.sides["another"], {"documentId": SHA256})) == "DOCUMENT_UNKNOWN"


async def test_unknown_documents_are_noted_by_their_digest(api: Api) -> None:
    await stored(api)
    partner = api.sides["partner-app"]
    async with settings_of(api, "partner-app", documents="AUDIT"):
        with structlog.testing.capture_logs() as logged:
            assert "data" in (await send(partner, {"query": FREE})).json()
            assert "data" in (await send(partner, {"query": STORED, "variables": {"n": 1}})).json()
    (line,) = [entry for entry in logged if entry["event"] == "graphql.untrusted"]
    assert (line["client"], line["document"]) == ("partner-app", hashlib.sha256(FREE.encode()).hexdigest())
    assert "customers" not in repr(logged)


@pytest.mark.parametrize(
    "body",
    [
        {"documentId": "x"},
        {"documentId": SHA256.upper()},
        {"documentId": 1},
        {"documentId": SHA256, "extensions": {"persistedQuery": {"sha256Hash": "0" * 64}}},
        {"extensions": {"persistedQuery": {"version": 1}}},
        {"extensions": {"persistedQuery": SHA256}},
        {"query": FREE, "documentId": SHA256},
    ],
)
async def test_a_digest_that_is_none_is_no_request(api: Api, body: dict[str, Any]) -> None:
    answer = await send(api.sides["risk-desk"], body)
    assert (answer.status_code, code(answer)) == (400, "BAD_REQUEST")


async def test_a_door_that_is_open_is_noticed(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: an endpoint that takes any document from everybody."""

    async def settled(_self: Any, _caller: Any, question: Any, _pending: Any) -> Any:
        return question

    monkeypatch.setattr(endpoint_module.Endpoint, "_settled", settled)
    async with settings_of(api, "partner-app", documents="ONLY"):
        assert "data" in (await send(api.sides["partner-app"], {"query": FREE})).json()


async def test_a_document_that_was_taken_away_is_unknown_soon(api: Api) -> None:
    now = 0.0
    mine = Documents(api.runtime.database, lambda: now)
    sha256 = await stored(api, "another", "{ __typename }")
    assert await mine.find("another", sha256) == "{ __typename }"
    async with api.runtime.database.work() as tx:
        assert [one.sha256 for one in await documents(tx, "another")] == [sha256]
        await remove_document(tx, "another", sha256)
        with pytest.raises(NotFound):
            await remove_document(tx, "another", sha256)
        with pytest.raises(NotFound):
            await add_document(tx, "nobody", STORED, "admin")
    now = REMEMBERED + 1
    assert await mine.find("another", sha256) is None


async def test_a_change_that_breaks_a_stored_document_is_named_with_its_line() -> None:
    text = "query Mine {\n  customers(first: 1) {\n    nodes { id kind }\n  }\n}\n"
    assert faults(SCHEMA.core, text) == []
    assert faults(printed(SCHEMA.sdl()), text) == []
    changed = printed(SCHEMA.sdl().replace("  kind: CustomerKind!", "  sort: CustomerKind!"))
    (found,) = faults(changed, text)
    assert (found.line, found.message) == (3, "Cannot query field 'kind' on type 'Customer'.") and found.remedy


@pytest.mark.parametrize(
    "text", ["{", "fragment F on Query { __typename }", "{ a: __typename } query B { __typename }", "{ nope }", " " * 40_000]
)
async def test_what_is_no_document_to_store_is_not_stored(text: str) -> None:
    assert faults(SCHEMA.core, text)


@pytest.mark.parametrize("media", [GRAPHQL_JSON, "application/json"])
async def test_a_spent_budget_says_when_to_come_back_and_nothing_else(api: Api, media: str) -> None:
    partner = api.sides["partner-app"]
    query = {"query": "{ customers(first: 20) { nodes { id kind nameMasked } } }"}
    async with settings_of(api, "partner-app", cost_per_minute=400):
        answers = [await send(partner, query, media) for _ in range(8)]
    spent = [answer for answer in answers if answer.status_code == 429]
    assert answers[0].status_code in (200, 429) and spent, answers[0].text
    for answer in spent:
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        (error,) = answer.json()["errors"]
        assert error["extensions"]["code"] == "RATE_LIMITED" and "data" not in answer.json()
        assert not any(character.isdigit() for character in error["message"] + error["extensions"]["remedy"])
        assert not {name for name in answer.headers if "limit" in name or "remaining" in name}
    assert "data" in (await send(api.sides["risk-desk"], query, media)).json(), "another client has its own"


async def flood(api: Api, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], int]:
    """Forty requests with a digest each that nobody knows: what they were answered, and how often the store was asked."""
    looked: list[str] = []
    find = Documents.find

    async def counted(self: Documents, client_id: str, sha256: str) -> str | None:
        looked.append(sha256)
        return await find(self, client_id, sha256)

    monkeypatch.setattr(Documents, "find", counted)
    answers = [await send(api.sides["partner-app"], {"documentId": secrets.token_hex(32)}, "application/json") for _ in range(40)]
    spent = [one for one in answers if code(one) == "RATE_LIMITED"]
    assert all(one.status_code == 429 and 0 < int(one.headers["retry-after"]) <= 60 for one in spent)
    return [code(one) for one in answers], len(looked)


async def test_a_flood_of_unknown_digests_ends_with_the_budget(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    # Another client's minute is not spent by it; a minute's end in between gives one budget more.
    async with settings_of(api, "partner-app", documents="ONLY", cost_per_minute=10 * LOOK_UP_COST):
        codes, looked = await flood(api, monkeypatch)
    assert codes[0] == "DOCUMENT_UNKNOWN" and codes.count("RATE_LIMITED") >= 20 and looked == codes.count("DOCUMENT_UNKNOWN") <= 20


async def test_a_look_that_costs_nothing_never_ends(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control."""
    monkeypatch.setattr(endpoint_module, "LOOK_UP_COST", 0)
    async with settings_of(api, "partner-app", documents="ONLY", cost_per_minute=11 * LOOK_UP_COST):
        assert await flood(api, monkeypatch) == (["DOCUMENT_UNKNOWN"] * 40, 40)


async def test_a_document_that_is_remembered_is_not_paid_for_again(api: Api) -> None:
    await stored(api)
    async with settings_of(api, "partner-app", documents="ONLY", cost_per_minute=6 * LOOK_UP_COST):
        answers = [await send(api.sides["partner-app"], {"documentId": SHA256, "variables": {"n": 1}}) for _ in range(30)]
    assert {one.status_code for one in answers} == {200}
