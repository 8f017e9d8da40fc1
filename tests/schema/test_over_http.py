"""GraphQL over HTTP as others see it: the audit of graphql-http (trust rules, T12), compression, and numbers by which a request is found again."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import httpx
import orjson
import pytest
import pytest_asyncio
import structlog
import zstandard

import schema.endpoint as endpoint_module
from hub.store.database import Database
from hub.store.embedded import Embedded
from schema.packing import WORTH, chosen
from tests.databases import own
from tests.npm import locked
from tests.schema.served import Served, served

pytestmark = pytest.mark.asyncio(loop_scope="module")
AUDIT = Path(__file__).parent / "audit"
LONG = "{" + " ".join(f"a{n}: customers(first: 1) {{ nodes {{ id kind createdAt nameMasked }} }}" for n in range(12)) + "}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(cluster: Embedded, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    database = Database(await cluster.prepare(own("over_http"), template="template"))
    async with served(database, tmp_path_factory.mktemp("home")) as found:
        yield found
    await database.close()


async def audited(server: Served) -> list[dict[str, str]]:
    folder = locked(AUDIT, "graphql-http", "the audit of GraphQL over HTTP")
    command = ("node", str(AUDIT / "audit.mjs"), str(folder), server.url, server.token)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    found: list[dict[str, str]] = json.loads(out)
    return found


async def test_the_audit_finds_nothing_but_that_get_is_not_served(server: Served) -> None:
    results = await audited(server)
    counts = Counter(one["status"] for one in results)
    print(f"{len(results)} checks: {dict(counts)}")
    assert len(results) == 61
    assert [one for one in results if one["status"] in ("error", "warn")] == []
    notices = [one for one in results if one["status"] == "notice"]
    assert len(notices) == 3 and all("GET" in one["name"] for one in notices), notices


async def test_an_endpoint_that_answers_in_the_older_way_is_noticed(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: the newer media type is not known."""
    monkeypatch.setattr(endpoint_module, "GRAPHQL_JSON", "application/nothing")
    assert {one["status"] for one in await audited(server)} & {"warn", "error"}


async def ask(server: Served, query: str, **headers: str) -> httpx.Response:
    given = {
        "Authorization": f"Bearer {server.token}",
        "Content-Type": "application/json",
        **{key.replace("_", "-"): value for key, value in headers.items()},
    }
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.post(server.url, content=orjson.dumps({"query": query}), headers=given)


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"), ("zstd", "zstd"), ("gzip, zstd", "zstd"), ("gzip;q=1.0, zstd;q=0.5", "gzip"), ("*", "zstd"), ("br", None), ("identity", None),
        ("gzip;q=0", None), ("zstd;q=0, *", "gzip"), ("gzip;q=x", None), ("", None),
    ],
)  # fmt: skip
async def test_which_compression_is_chosen(accepted: str, coding: str | None) -> None:
    assert chosen([accepted]) == coding


async def test_a_long_answer_is_packed_as_the_client_asks_and_a_short_one_never(server: Served) -> None:
    plain = await ask(server, LONG, accept_encoding="identity")
    assert len(plain.content) > WORTH and "content-encoding" not in plain.headers
    assert "accept-encoding" in plain.headers["vary"].lower()
    for coding in ("gzip", "zstd"):
        given = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json", "Accept-Encoding": coding}
        async with httpx.AsyncClient(trust_env=False) as client:
            async with client.stream("POST", server.url, content=orjson.dumps({"query": LONG}), headers=given) as answer:
                body = b"".join([part async for part in answer.aiter_raw()])
        assert answer.headers["content-encoding"] == coding and len(body) < len(plain.content) / 2
        unpacked = gzip.decompress(body) if coding == "gzip" else zstandard.decompress(body)
        assert unpacked == plain.content
    assert "content-encoding" not in (await ask(server, "{ __typename }", accept_encoding="gzip")).headers


async def test_a_request_is_found_by_its_number(server: Served) -> None:
    """In a header of every answer, beside every error, and in the log."""
    seen = set()
    with structlog.testing.capture_logs() as logged:
        for query in ("{ __typename }", "{ nope }", "{"):
            answer = await ask(server, query)
            number = answer.headers["x-request-id"]
            assert UUID(number).version == 7
            seen.add(number)
            assert answer.json().get("extensions", {"requestId": number}) == {"requestId": number}
            assert ("extensions" in answer.json()) is ("errors" in answer.json())
    assert {entry["request"] for entry in logged if entry["event"] == "graphql.answered"} == seen
    async with httpx.AsyncClient(trust_env=False) as client:
        for refused in (await client.get(server.url), await client.post(server.url), await client.put(server.url)):
            assert UUID(refused.headers["x-request-id"])
