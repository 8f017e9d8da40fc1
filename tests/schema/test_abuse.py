"""Hostile documents over HTTP: all refused, soon, and without memory growing (trust rules, T15). With one limit taken away, the corpus finds it."""

from __future__ import annotations

import gzip
import json
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

import hub.app as app_module
import schema.body as body_module
import schema.plan.arguments as arguments_module
import schema.plan.cost as cost_module
from hub.store.view import binding as binding_module
from schema.codes import CODES
from schema.endpoint import GRAPHQL_JSON
from schema.plan.documents import Documents
from tests.hub.access.side import Api
from tests.schema.test_limits import BOUNDS, REFUSED, doubling

pytestmark = pytest.mark.asyncio(loop_scope="module")
MANY = 10**6
KINDS = "query ($kinds: [SourceKind!]) { customers(first: 1) { nodes { sources(only: $kinds) { status } } } }"


@dataclass(frozen=True)
class Abuse:
    """``limit`` is what refuses it; empty: the language itself."""

    name: str
    limit: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


def asked(name: str, limit: str, query: str, variables: Any = None) -> Abuse:
    return Abuse(name, limit, orjson.dumps({"query": query, "variables": variables}))


def nested(depth: int) -> str:
    """JSON too deep for orjson to write."""
    return '{"query": "{ __typename }", "variables": {"a": ' + "[" * depth + "]" * depth + "}}"


CORPUS = [
    *(asked(f"{bound.limit} {number}", bound.limit, bound.document(bound.largest + bound.step)) for number, bound in enumerate(BOUNDS)),
    *(asked(name, "", text) for name, text in REFUSED.items() if text.strip() and "NUL" not in name),
    asked("30 doubling fragments", "fields", doubling(30)),
    asked("30 doubling fragments, not spread", "fields", doubling(30, "{ __typename }")),
    asked("10,000 aliases", "tokens", "{" + "a: __typename " * 3000 + "}"),
    asked("a document of comments", "body", "#" * 70_000 + "\n{ __typename }"),
    asked("a name of 60 kB", "body", "{ " + "a" * 66_000 + " }"),
    asked("a string of 60 kB", "body", '{ node(id: "' + "a" * 66_000 + '") { __typename } }'),
    asked("100 pages of 100", "cost", "{ customers(first: 100) { nodes { evaluations(first: 100) { nodes { id scenario outcome } } } } }"),
    asked("a size in a variable", "cost", "query ($n: Int!) { customers(first: $n) { nodes { evaluations(first: $n) { nodes { id } } } } }", {"n": 100}),
    asked("a size in a default", "cost", "query ($n: Int! = 100) { customers(first: $n) { nodes { evaluations(first: $n) { nodes { id } } } } }"),
    asked("a size that is skipped", "cost", "{ customers(first: 100) { nodes @skip(if: true) { evaluations(first: 100) { nodes { id } } } } }"),
    asked("counts for everybody", "cost", "{ customers(first: 100) { nodes { evaluations(first: 1) { totalCount } accessLog(first: 1) { totalCount } } } }"),
    asked("201 sources", "list", KINDS, {"kinds": ["TAX"] * 201}),
    asked("a page of 101", "page", "{ customers(first: 101) { nodes { id } } }"),
    asked("a page of 101 in a variable", "page", "query ($n: Int!) { customers(first: $n) { nodes { id } } }", {"n": 101}),
    Abuse("a batch of 500", "", orjson.dumps([{"query": "{ __typename }"}] * 500)),
    Abuse("variables 21 deep", "nesting of variables", nested(21).encode()),
    Abuse("variables 1,000 deep", "nesting of variables", nested(1000).encode()),
    Abuse("JSON 100,000 deep", "body", b"[" * 100_000 + b"]" * 100_000),
    Abuse("JSON 30,000 deep", "", b"[" * 30_000),
    Abuse("a body of 1 MB", "body", b'{"query": "' + b" " * 2**20 + b'{ __typename }"}'),
    Abuse("a compressed megabyte", "encoding", gzip.compress(b'{"query": "' + b" " * 2**20 + b'{ __typename }"}'), (("Content-Encoding", "gzip"),)),
    Abuse("a compressed body that is none", "encoding", b'{"query": "{ __typename }"}', (("Content-Encoding", "br"),)),
    Abuse("UTF-16", "", json.dumps({"query": "{ __typename }"}).encode("utf-16")),
    Abuse("overlong UTF-8", "", b'{"query": "{ __typename \xc0\xaf}"}'),
    Abuse("half a character", "", b'{"query": "{ __typename }", "variables": {"a": "\\ud800"}}'),
    Abuse("NaN", "", b'{"query": "{ __typename }", "variables": {"a": NaN}}'),
    Abuse("a number of 5,000 digits", "", b'{"query": "query ($n: Int!) { customers(first: $n) { totalCount } }", "variables": {"n": ' + b"9" * 5000 + b"}}"),
    Abuse("200 variables", "", orjson.dumps({"query": "query (" + " ".join(f"$v{n}: Int" for n in range(200)) + ") { __typename }"})),
]  # fmt: skip
WORDS = {
    "cost": "too much at once",
    "list": "200 items",
    "page": "1 to 100",
    "body": "too long",
    "encoding": "compressed",
    "nesting of variables": "nest too deep",
}


async def refused(api: Api, one: Abuse) -> tuple[int, str, float]:
    """Status, what is said, and the processor's seconds."""
    partner = api.sides["partner-app"]
    headers = {**partner.client.headers(partner.token), "Content-Type": "application/json", "Accept": GRAPHQL_JSON, **dict(one.headers)}
    began = time.process_time()
    answer: httpx.Response = await partner.http.post("/graphql", content=one.body, headers=headers)
    seconds = time.process_time() - began
    errors = answer.json().get("errors", [])
    assert all(error["extensions"]["code"] in CODES for error in errors)
    return answer.status_code, " ".join(error["message"] for error in errors), seconds


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize()


async def test_all_of_it_is_refused_soon_and_memory_stays(api: Api) -> None:
    times: dict[str, float] = {}
    for one in CORPUS:
        status, said, _ = await refused(api, one)
        assert status in (400, 413, 415) and said, (one.name, status, said)
        expected = WORDS.get(one.limit, f"too much: {one.limit}" if one.limit else "")
        assert expected in said, (one.name, said)
    before = resident()
    for _ in range(3):
        app_module._contract(False).documents._known.clear()
        for one in CORPUS:
            times[one.name] = min(times.get(one.name, 9.0), (await refused(api, one))[2])
    grown = (resident() - before) / 2**20
    slowest = max(times, key=lambda name: times[name])
    print(
        f"{len(CORPUS)} documents refused; slowest {times[slowest] * 1000:.0f} ms ({slowest}), {3 * len(CORPUS)} more grew the memory by {grown:.1f} MB"
    )
    assert len(CORPUS) >= 50 and grown < 10


Spoil = Callable[[pytest.MonkeyPatch], None]


def _limit(name: str) -> Spoil:
    def spoil(monkeypatch: pytest.MonkeyPatch) -> None:
        contract = app_module._contract(False)
        wide = Documents(contract.core, contract.documents.planner, replace(contract.documents.limits, **{name: MANY}))
        monkeypatch.setattr(contract, "documents", wide)

    return spoil


SPOILT: dict[str, Spoil] = {
    **{name: _limit(name) for name in {bound.limit for bound in BOUNDS}},
    "cost": lambda patch: patch.setattr(cost_module, "MAX_COST", {"PARTNER": MANY}),
    "list": lambda patch: patch.setattr(arguments_module, "MOST_ITEMS", MANY),
    "page": lambda patch: patch.setattr(binding_module, "MAX_PAGE", MANY),
    "body": lambda patch: patch.setattr(body_module, "MAX_BODY", 10 * MANY),
    "encoding": lambda patch: patch.setattr(body_module, "ENCODED", b"x-nothing"),
    "nesting of variables": lambda patch: patch.setattr(body_module, "MAX_NESTING", MANY),
}


@pytest.mark.parametrize("limit", sorted(SPOILT))
async def test_a_limit_that_is_gone_is_found(api: Api, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: what the limit refused is refused by it no longer."""
    SPOILT[limit](monkeypatch)
    expected = WORDS.get(limit, f"too much: {limit}")
    # Documents that only this limit keeps from using the machine up stay at home.
    probes = [one for one in CORPUS if one.limit == limit and not any(word in one.name for word in ("doubling", "100 pages", "1,000 deep"))]
    assert probes
    assert not all([expected in (await refused(api, one))[1] for one in probes])


async def test_every_limit_has_its_abuse() -> None:
    assert {one.limit for one in CORPUS} == {*SPOILT, ""}
