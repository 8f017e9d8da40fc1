"""The endpoint: what it refuses before anything is executed, what it shows of errors, and what it never logs."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import orjson
import pytest
import strawberry
import structlog
from sqlalchemy import create_engine, func, pool, select, text

import schema.endpoint as endpoint_module
from hub.domain.identifiers import new_id
from hub.errors import ConsentMissing, ContractBroken, HubError, InvalidInput, NotAllowed, NotFound, PlatformBusy, SecretMissing
from hub.store import tables
from schema.body import MAX_BODY, MAX_NESTING
from schema.contract import HubSchema
from schema.endpoint import GRAPHQL_JSON, media_type
from schema.examples import example
from tests.hub.access.side import Api, Side
from tests.schema.port import Port

pytestmark = pytest.mark.asyncio(loop_scope="module")
QUESTION = "{ customers(first: 1) { nodes { id } } }"
JSON = "application/json"


async def send(
    side: Side, body: bytes, headers: dict[str, str] | None = None, method: str = "POST", url: str = "/graphql"
) -> httpx.Response:
    """One request, exactly as given, with a token."""
    given = {**side.client.headers(side.token), "Content-Type": JSON, **(headers or {})}
    return await side.http.request(method, url, content=body, headers={key: value for key, value in given.items() if value})


async def reads(api: Api) -> int:
    async with api.runtime.database.work() as tx:
        return int((await tx.execute(select(func.count()).select_from(tables.access_log))).scalar_one())


def body(query: str = QUESTION, **more: Any) -> bytes:
    return orjson.dumps({"query": query, **more})


NESTED = {"a": 1}
for _ in range(MAX_NESTING):
    NESTED = {"a": NESTED}  # type: ignore[dict-item]

REFUSED: dict[str, tuple[int, bytes, dict[str, str], str, str]] = {
    "by GET": (405, b"", {}, "GET", f"/graphql?query={QUESTION}"),
    "by PUT": (405, body(), {}, "PUT", "/graphql"),
    "by HEAD": (405, b"", {}, "HEAD", "/graphql"),
    "by OPTIONS of another origin": (
        405,
        b"",
        {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"},
        "OPTIONS",
        "/graphql",
    ),
    "a batch": (400, b"[" + body() + b"," + body() + b"]", {}, "POST", "/graphql"),
    "multipart": (415, b"--x\r\n\r\n--x--", {"Content-Type": "multipart/form-data; boundary=x"}, "POST", "/graphql"),
    "a form": (415, b"query=" + QUESTION.encode(), {"Content-Type": "application/x-www-form-urlencoded"}, "POST", "/graphql"),
    "plain text": (415, body(), {"Content-Type": "text/plain"}, "POST", "/graphql"),
    "graphql text": (415, QUESTION.encode(), {"Content-Type": "application/graphql"}, "POST", "/graphql"),
    "padded JSON": (415, body(), {"Content-Type": "application/jsonp"}, "POST", "/graphql"),
    "JSON in another charset": (415, body(), {"Content-Type": "application/json; charset=gbk"}, "POST", "/graphql"),
    "two media types": (415, body(), {"Content-Type": "application/json, text/plain"}, "POST", "/graphql"),
    "no media type": (415, body(), {"Content-Type": ""}, "POST", "/graphql"),
    "a compressed body": (415, gzip.compress(body()), {"Content-Encoding": "gzip"}, "POST", "/graphql"),
    "a body said to be compressed": (415, body(), {"Content-Encoding": "identity"}, "POST", "/graphql"),
    "a body too long": (413, body(" " * MAX_BODY + QUESTION), {}, "POST", "/graphql"),
    "bytes that are no UTF-8": (400, b'{"query": "\xff"}', {}, "POST", "/graphql"),
    "overlong UTF-8": (400, b'{"query": "\xc0\xaf"}', {}, "POST", "/graphql"),
    "half a surrogate pair": (400, b'{"query": "{ customers { totalCount } }", "variables": {"a": "\\ud800"}}', {}, "POST", "/graphql"),
    "UTF-16": (400, QUESTION.encode("utf-16"), {}, "POST", "/graphql"),
    "no JSON": (400, b"{", {}, "POST", "/graphql"),
    "nothing": (400, b"", {}, "POST", "/graphql"),
    "JSON too deep to read": (400, b"[" * 5000 + b"]" * 5000, {}, "POST", "/graphql"),
    "no query": (400, b"{}", {}, "POST", "/graphql"),
    "a query that is no text": (400, b'{"query": 1}', {}, "POST", "/graphql"),
    "a blank query": (400, body("  "), {}, "POST", "/graphql"),
    "an unknown member": (400, body(id="x"), {}, "POST", "/graphql"),
    "variables in a list": (400, body(variables=[1]), {}, "POST", "/graphql"),
    "variables as text": (400, body(variables="{}"), {}, "POST", "/graphql"),
    "variables that nest": (400, body(variables=NESTED), {}, "POST", "/graphql"),
    "NUL in a variable": (400, body(variables={"a": ["x\0"]}), {}, "POST", "/graphql"),
    "NUL in a variable's name": (400, body(variables={"a\0": 1}), {}, "POST", "/graphql"),
    "a name that is no text": (400, body(operationName=1), {}, "POST", "/graphql"),
    "extensions that are no object": (400, body(extensions=[]), {}, "POST", "/graphql"),
    "a foreign answer": (406, body(), {"Accept": "text/html"}, "POST", "/graphql"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_request_that_is_none_is_not_executed(api: Api, name: str) -> None:
    status, content, headers, method, url = REFUSED[name]
    before = await reads(api)
    answer = await send(api.sides["risk-desk"], content, headers, method, url)
    assert answer.status_code == status, answer.text
    assert await reads(api) == before
    assert "access-control-allow-origin" not in answer.headers
    assert status != 405 or answer.headers["allow"] == "POST"
    if method == "HEAD":
        return
    (told,) = answer.json()["errors"]
    assert list(answer.json()) == ["errors", "extensions"]
    assert told["message"] and told["extensions"]["code"] == "BAD_REQUEST" and told["extensions"]["remedy"]


ELSEWHERE = {
    "another host": (421, "POST", "https://another.example/graphql", "Ask under https://hub.example:8443"),
    "a misspelt address": (404, "POST", "/graphq", "Send GraphQL as POST /graphql."),
    "the root": (404, "GET", "/", "/.well-known/oauth-authorization-server"),
    "another method": (405, "POST", "/healthz", "GET"),
}


@pytest.mark.parametrize("name", ELSEWHERE)
async def test_who_asks_elsewhere_is_told_where(api: Api, name: str) -> None:
    status, method, url, remedy = ELSEWHERE[name]
    answer = await send(api.sides["risk-desk"], body(), {}, method, url)
    assert (answer.status_code, answer.headers["content-type"]) == (status, f"{JSON}; charset=utf-8")
    (told,) = answer.json()["errors"]
    assert told["message"] and remedy in told["extensions"]["remedy"] and told["extensions"]["code"] == "BAD_REQUEST"
    assert "another.example" not in answer.text and 'graphq"' not in answer.text
    assert status != 405 or "GET" in answer.headers["allow"]


async def test_a_token_by_another_method_is_refused_as_oauth_refuses(api: Api) -> None:
    answer = await send(api.sides["risk-desk"], b"", {}, "GET", "/oauth/token")
    told = {"error": "invalid_request", "error_description": "This address is not asked by this method. Use POST."}
    assert (answer.status_code, answer.headers["allow"], answer.json()) == (405, "POST", told)


async def test_the_plain_request_is_executed(api: Api) -> None:
    """Control: the same way of sending, with nothing wrong."""
    before = await reads(api)
    for headers in ({}, {"Content-Type": "application/json; charset=utf-8"}, {"Content-Type": 'Application/JSON; charset="UTF-8"'}):
        answer = await send(api.sides["risk-desk"], body(variables=None, operationName=None, extensions={}), headers)
        assert answer.json() == {"data": {"customers": {"nodes": [{"id": api.world.id}]}}}
    assert await reads(api) == before + 3
    assert answer.headers["cache-control"] == "no-store"


async def test_a_body_may_be_as_long_as_the_limit(api: Api) -> None:
    padded = body(QUESTION + " " * (MAX_BODY - len(body())))
    assert len(padded) == MAX_BODY and "data" in (await send(api.sides["risk-desk"], padded)).json()

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY // 1024 + 2):
            yield b" " * 1024

    side = api.sides["risk-desk"]
    answer = await side.http.post("/graphql", content=chunks(), headers={**side.client.headers(side.token), "Content-Type": JSON})
    assert answer.status_code == 413, "a body without a declared length is counted as it comes"


@pytest.mark.parametrize(
    ("accepts", "media"),
    [
        ([], JSON),
        (["*/*"], JSON),
        (["application/*"], JSON),
        ([JSON], JSON),
        ([GRAPHQL_JSON], GRAPHQL_JSON),
        ([f"{GRAPHQL_JSON}; charset=utf-8, {JSON};q=0.9"], GRAPHQL_JSON),
        (["text/html", JSON], JSON),
        (["text/html, application/xml;q=0.9"], None),
    ],
)
async def test_the_media_type_of_the_answer(accepts: list[str], media: str | None) -> None:
    assert media_type(accepts) == media


@pytest.mark.parametrize(
    ("query", "variables", "what"),
    [
        ("{", {}, "syntax"),
        ("{ nope }", {}, "validation"),
        ("query ($id: ID!) { customer(id: $id) { id } }", {}, "a variable"),
        ("query ($id: ID!) { customer(id: $id) { id } }", {"id": {}}, "a variable of another type"),
        ("query A { __typename } query B { __typename }", {}, "no operation"),
        ("{ customers(first: 101) { totalCount } }", {}, "an input"),
    ],
)
async def test_a_request_error_has_no_data_and_the_newer_type_says_so(api: Api, query: str, variables: dict[str, Any], what: str) -> None:
    answers = [await api.sides["risk-desk"].ask(query, variables, {"Accept": media}) for media in (GRAPHQL_JSON, JSON)]
    assert [answer.status_code for answer in answers] == [400, 200], what
    for answer, media in zip(answers, (GRAPHQL_JSON, JSON), strict=True):
        assert answer.headers["content-type"] == f"{media}; charset=utf-8"
        assert list(answer.json()) == ["errors", "extensions"] and answer.json()["errors"][0]["message"]
    good = await api.sides["risk-desk"].ask(QUESTION, headers={"Accept": GRAPHQL_JSON})
    assert (good.status_code, good.headers["content-type"]) == (200, f"{GRAPHQL_JSON}; charset=utf-8")


async def test_at_most_five_errors_and_hints_only_for_who_may_read_the_contract(api: Api) -> None:
    for name, hints in (("partner-app", False), ("risk-desk", True), ("admin", True)):
        answer = (await api.sides[name].ask("{ customer(ident: 1) { nam kin outcme a b c d e f g } custmers { x } }")).json()
        assert len(answer["errors"]) == 5
        assert ("Did you mean" in orjson.dumps(answer).decode()) is hints
        misspelt = "query ($a: Custmer) { customers(frist: $a, first: $a) { totalCount } }"
        assert ("Did you mean" in (await api.sides[name].ask(misspelt)).text) is hints


async def test_an_operation_is_chosen_by_name(api: Api) -> None:
    two = "query A { customers(first: 1) { totalCount } } query B { customers(first: 1) { nodes { kind } } }"
    side = api.sides["risk-desk"]
    assert (await send(side, body(two, operationName="B"))).json() == {"data": {"customers": {"nodes": [{"kind": "ORG"}]}}}
    for name in ("C", None, ""):
        assert "errors" in (await send(side, body(two, operationName=name))).json()


INTROSPECTION = "{ __schema { queryType { name } types { name fields { name args { type { ofType { ofType { ofType { name } } } } } } } } }"


async def test_introspection_needs_its_scope(api: Api) -> None:
    risk, partner, admin = (api.sides[name] for name in ("risk-desk", "partner-app", "admin"))
    for side in (risk, admin):
        assert (await side.ask(INTROSPECTION)).json()["data"]["__schema"]["queryType"] == {"name": "Query"}
    for query in (INTROSPECTION, '{ __type(name: "Customer") { name } }'):
        refused = (await partner.ask(query)).json()
        assert "data" not in refused and "schema:introspect" in refused["errors"][0]["message"]
    assert (await partner.ask("{ __typename }")).json() == {"data": {"__typename": "Query"}}
    mixed = (await risk.ask("{ __schema { queryType { name } } customers { totalCount } }")).json()
    assert "data" not in mixed


async def test_a_token_without_the_scope_does_not_introspect(api: Api) -> None:
    side = Side(api.sides["risk-desk"].http, api.sides["risk-desk"].client)
    await side.login("customers:read purpose:CREDIT_APPROVAL")
    assert "data" in (await side.ask(QUESTION)).json()
    assert "data" not in (await side.ask(INTROSPECTION)).json()


async def evaluate(api: Api, key: str | None = None, scenario: str = "S03") -> dict[str, Any]:
    asked = {"input": {"customerId": api.world.id, "scenario": scenario}, "key": key or str(new_id())}
    answer = await api.sides["risk-desk"].ask(example("Evaluate"), asked, {"Accept": GRAPHQL_JSON})
    return {"status": answer.status_code, **answer.json()}


async def test_what_a_payload_reads_is_logged_under_its_document(api: Api) -> None:
    await evaluate(api)
    newest = select(tables.access_log).order_by(tables.access_log.c.log_id.desc()).limit(1)
    async with api.runtime.database.work() as tx:
        row = (await tx.execute(newest)).one()
    sha256 = hashlib.sha256(example("Evaluate").encode()).hexdigest()
    assert (row.operation, row.document_sha256, row.client_id) == ("Evaluate", sha256, "risk-desk")
    assert row.fields == ["Evaluation.id", "Evaluation.outcome"]


@contextmanager
def failing(port: Port, error: Exception) -> Iterator[None]:
    port.fails = error
    try:
        yield
    finally:
        port.fails = None


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (InvalidInput("That is wrong.", remedy="Do it right."), "InvalidInput"),
        (NotAllowed(), "NotAllowed"),
        (NotFound(), "NotFound"),
        (ConsentMissing(), "ConsentMissing"),
        (PlatformBusy(), "TryLater"),
        (ContractBroken(), "TryLater"),
    ],
)
async def test_an_expected_problem_is_data(api: Api, port: Port, error: HubError, problem: str) -> None:
    with failing(port, error):
        answer = await evaluate(api)
    assert answer["status"] == 200 and "errors" not in answer
    assert answer["data"]["evaluate"] == {"__typename": problem, "message": error.message, "remedy": error.remedy}


@pytest.mark.parametrize("error", [RuntimeError("CANARY at /srv/hub"), KeyError("CANARY"), SecretMissing("CANARY")])
async def test_an_unexpected_error_is_masked_and_found_by_its_id(api: Api, port: Port, error: Exception) -> None:
    with structlog.testing.capture_logs() as logged, failing(port, error):
        answer = await evaluate(api)
    (shown,) = answer["errors"]
    assert (answer["status"], shown["message"], shown["path"]) == (500, "Something went wrong in the hub.", ["evaluate"])
    assert set(shown["extensions"]) == {"code", "id"} and "CANARY" not in orjson.dumps(answer).decode()
    (line,) = [entry for entry in logged if entry["event"] == "graphql.masked"]
    assert (line["error_id"], line["kind"]) == (shown["extensions"]["id"], type(error).__name__)
    assert line["places"][-1].startswith("port.py:") and line["places"][-1].endswith(" service")
    assert "CANARY" not in repr(logged)


async def test_an_error_of_the_database_tells_nothing(api: Api) -> None:
    """A statement that fails carries its text and its values in the error; neither may be shown or logged."""
    owner = create_engine(api.runtime.database.urls.owner, poolclass=pool.NullPool)
    try:
        with owner.begin() as connection:
            connection.execute(text("revoke insert on access_log from hub_worker"))
        with structlog.testing.capture_logs() as logged:
            answer = (await api.sides["risk-desk"].ask("query Denied { customers { nodes { id } } }")).json()
    finally:
        with owner.begin() as connection:
            connection.execute(text("grant insert on access_log to hub_worker"))
        owner.dispose()
    (shown,) = answer["errors"]
    assert "data" not in answer and shown["message"] == "Something went wrong in the hub."
    (line,) = [entry for entry in logged if entry["event"] == "graphql.masked"]
    assert line["kind"] == "DBAPIError" and any(place.startswith("reader.py:") for place in line["places"])
    assert "Denied" not in repr(logged) and "insert into" not in repr(logged)


async def test_what_takes_too_long_is_ended(api: Api, port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    port.waits = 0.2
    try:
        assert "data" in await evaluate(api)
        monkeypatch.setattr(endpoint_module, "MAX_SECONDS", 0.05)
        answer = await evaluate(api)
    finally:
        port.waits = 0
    assert answer["status"] == 503 and answer["errors"][0]["extensions"]["code"] == "TIMEOUT"


CANARY = "CANARY7391"
LOOK = f"query Look{CANARY}($id: ID!, $s: String!) {{ {CANARY}: customer(id: $id) {{ nameMasked evaluation(scenario: $s) {{ id }} }} }}"


async def everything_that_may_leak(api: Api, port: Port) -> None:
    """Answers, refusals and failures with canaries in the document, in the variables and in the answer."""
    risk = api.sides["risk-desk"]
    variables = {"id": api.world.id, "s": CANARY}
    found = await risk.ask(LOOK, variables)
    assert found.json()["data"][CANARY]["nameMasked"] == CANARY
    await risk.ask(LOOK.replace("nameMasked", CANARY), variables)
    await risk.ask("{ " + CANARY, variables)
    await risk.ask(LOOK, {"id": {"x": CANARY}, "s": CANARY})
    await risk.ask(f'{{ customers(after: "{CANARY}") {{ totalCount }} }}')
    await api.sides["partner-app"].ask(f"{{ {CANARY}: customers {{ nodes {{ orders {{ totalCount }} }} }} }}")
    await send(risk, CANARY.encode())
    with failing(port, RuntimeError(CANARY)):
        await evaluate(api, CANARY, CANARY)
    await evaluate(api, CANARY, CANARY)


@pytest.fixture
async def canary_in_the_store(api: Api) -> AsyncIterator[None]:
    for name in (CANARY, "青*"):
        async with api.runtime.database.work() as tx:
            await tx.execute(tables.customer.update().where(tables.customer.c.customer_id == api.world.mine).values(name_masked=name))
        if name == CANARY:
            yield


@pytest.mark.usefixtures("canary_in_the_store")
async def test_no_question_and_no_answer_is_logged(
    api: Api, port: Port, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    capfd.readouterr()
    await everything_that_may_leak(api, port)
    written = capfd.readouterr()
    logged = written.out + written.err + caplog.text
    assert logged.count("graphql.answered") >= 8 and "graphql.masked" in logged
    assert CANARY not in logged


@pytest.mark.usefixtures("canary_in_the_store")
async def test_a_log_with_questions_in_it_is_noticed(
    api: Api, port: Port, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: Strawberry's own way with errors, which the contract replaces, prints documents."""
    monkeypatch.setattr(HubSchema, "process_errors", strawberry.Schema.process_errors)
    await everything_that_may_leak(api, port)
    assert CANARY in caplog.text
