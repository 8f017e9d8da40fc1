"""Whoever has an answer already is told that it is the same: after it was read anew, under today's rules, and written down."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from hub.domain.identifiers import new_id
from hub.store.tables import access_log
from schema.etag import MOST, named
from schema.examples import example
from tests.hub.access.side import Api
from tests.schema.port import Port
from tests.schema.test_examples import inputs

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def asked(api: Api, tag: str | None = None, client: str = "risk-desk", **headers: str) -> httpx.Response:
    given = {"Accept-Encoding": "identity"} | headers | ({"If-None-Match": tag} if tag else {})
    return await api.sides[client].ask(example("SourceStatus"), {"id": api.world.id}, given)


async def reads(api: Api) -> int:
    async with api.runtime.database.work() as tx:
        return len((await tx.execute(select(access_log.c.log_id).where(access_log.c.operation == "SourceStatus"))).all())


async def test_the_same_answer_is_not_sent_again_and_is_a_read_all_the_same(api: Api) -> None:
    first, before = await asked(api), await reads(api)
    tag = first.headers["etag"]
    assert first.status_code == 200 and tag.startswith('"') and first.headers["cache-control"] == "no-store"
    for given in (tag, f"W/{tag}", f'"other", {tag}'):
        again = await asked(api, given)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["cache-control"] == "no-store" and again.headers["dpop-nonce"] and "content-type" not in again.headers
    assert await reads(api) == before + 3
    for given in ('"other"', "*", tag.strip('"'), tag[:-2] + '"', '""'):
        assert (await asked(api, given)).content == first.content


async def test_what_has_changed_is_sent(api: Api) -> None:
    tag = (await asked(api)).headers["etag"]
    change = "UPDATE connection SET last_verdict = CASE last_verdict WHEN 'COMPLETE' THEN 'INCOMPLETE' ELSE 'COMPLETE' END WHERE customer_id = :id"
    async with api.runtime.database.work() as tx:
        await tx.execute(text(change), {"id": api.world.mine})
    changed = await asked(api, tag)
    assert changed.status_code == 200 and changed.headers["etag"] != tag
    async with api.runtime.database.work() as tx:
        await tx.execute(text(change), {"id": api.world.mine})
    assert (await asked(api, tag)).status_code == 304, "control: it is as it was"


async def test_a_tag_is_of_one_client_and_one_form(api: Api) -> None:
    small = f'{{ customer(id: "{api.world.id}") {{ kind }} }}'
    answers = [await api.sides[client].ask(small) for client in ("risk-desk", "partner-app")]
    assert answers[0].content == answers[1].content and answers[0].headers["etag"] != answers[1].headers["etag"]
    other = await asked(api, Accept="application/graphql-response+json")
    assert other.headers["etag"] != (await asked(api)).headers["etag"]


async def test_who_may_no_longer_read_is_refused_whatever_he_has(api: Api) -> None:
    tag = (await asked(api)).headers["etag"]
    assert (await asked(api, tag, Authorization="DPoP x")).status_code == 401
    refused = await asked(api, tag, client="admin")
    assert refused.status_code == 200 and "errors" in refused.json() and "etag" not in refused.headers


async def test_neither_mutations_nor_errors_nor_introspection_have_one(api: Api, port: Port) -> None:
    client, given, _ = inputs(api.world.id)["PauseConsent"]
    mutation = await api.sides[client].ask(example("PauseConsent"), {"input": given, "key": str(new_id())}, {"If-None-Match": "*"})
    broken = await api.sides["risk-desk"].ask("{ nothing }")
    itself = await api.sides["risk-desk"].ask("{ __schema { queryType { name } } }")
    for answer in (mutation, broken, itself):
        assert answer.status_code == 200 and answer.content and "etag" not in answer.headers


async def test_a_compressed_answer_has_a_weak_tag(api: Api) -> None:
    """The same answer in other bytes; its tag is known all the same."""
    plain = (await asked(api)).headers["etag"]
    small = await asked(api, **{"Accept-Encoding": "gzip"})
    assert (small.headers["content-encoding"], small.headers["etag"]) == ("gzip", f"W/{plain}")
    again = await asked(api, small.headers["etag"], **{"Accept-Encoding": "gzip"})
    assert (again.status_code, again.content) == (304, b"")


def many(number: int) -> dict[str, Any]:
    return {"headers": [", ".join(f'"{one}"' for one in range(number))]}


async def test_a_long_list_is_cut() -> None:
    assert len(named(**many(MOST + 5))) == MOST and named(["", ",", '"']) == frozenset()
