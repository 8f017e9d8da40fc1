"""Nothing is executed without POST, JSON and a token, whatever else a request says of itself (trust rules, T19); no name or path leads around the checks (T21)."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import orjson
import pytest
import pytest_asyncio
from sqlalchemy import func, select

import hub.app as app_module
import schema.body as body_module
from hub.store import tables
from hub.store.database import Database
from hub.store.embedded import Embedded
from tests.databases import own
from tests.schema.served import Served, bearer, served

pytestmark = pytest.mark.asyncio(loop_scope="module")
QUESTION = orjson.dumps({"query": "{ customers(first: 1) { nodes { id } } }"})
EVIL = "evil.example"

METHODS = ("POST", "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
CONTENT = (
    "application/json", "application/json; charset=utf-8", "", "text/plain", "text/plain; charset=application/json", "application/graphql",
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", "application/graphql+json",
)  # fmt: skip
ORIGINS = ("", "https://hub.example:8443", f"https://{EVIL}", "null")
CREDENTIALS = ("token", "none", "basic", "query", "cookie", "forged", "as a proof")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(cluster: Embedded, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    database = Database(await cluster.prepare(own("gates"), template="template"))
    async with served(database, tmp_path_factory.mktemp("home")) as found:
        yield found
    await database.close()


def request_of(method: str, content: str, origin: str, credential: str, token: str) -> tuple[str, str, dict[str, str]]:
    headers = {"Content-Type": content, "Origin": origin} | ({"Access-Control-Request-Method": "POST"} if method == "OPTIONS" else {})
    match credential:
        case "token":
            headers["Authorization"] = f"Bearer {token}"
        case "basic":
            headers["Authorization"] = "Basic cmlzay1kZXNrOnNlY3JldA=="
        case "cookie":
            headers["Cookie"] = f"access_token={token}; Authorization=Bearer%20{token}"
        case "forged":
            headers["Authorization"] = f"Bearer {token[:-6]}AAAAAA"
        case "as a proof":
            headers["DPoP"] = token
    url = "/graphql" + (f"?access_token={token}" if credential == "query" else "")
    return method, url, {name: value for name, value in headers.items() if value}


async def executed(server: Served) -> int:
    """Reads that were logged: what is executed leaves a line."""
    async with server.api.runtime.database.work() as tx:
        return int((await tx.execute(select(func.count()).select_from(tables.access_log))).scalar_one())


async def all_of(server: Served, contents: tuple[str, ...]) -> Counter[tuple[bool, bool]]:
    """By (may be executed, was executed)."""
    found: Counter[tuple[bool, bool]] = Counter()
    http, token = server.api.sides["risk-desk"].http, await bearer(server.api)
    for method, content, origin, credential in itertools.product(METHODS, contents, ORIGINS, CREDENTIALS):
        may = method == "POST" and content.startswith("application/json") and content != "application/jsonp" and credential == "token"
        asked, url, headers = request_of(method, content, origin, credential, token)
        answer = await http.request(asked, url, content=b"" if method in ("GET", "HEAD") else QUESTION, headers=headers)
        assert not any(name.startswith("access-control") for name in answer.headers)
        found[may, answer.status_code == 200 and b'"data"' in answer.content] += 1
    return found


async def test_nothing_is_executed_without_post_json_and_a_token(server: Served) -> None:
    before = await executed(server)
    found = await all_of(server, CONTENT)
    expected = 2 * len(ORIGINS)
    print(f"{sum(found.values())} requests, {found[True, True]} executed, {found[False, True]} of them without POST, JSON and a token")
    assert found == {(True, True): expected, (False, False): len(METHODS) * len(CONTENT) * len(ORIGINS) * len(CREDENTIALS) - expected}
    assert await executed(server) == before + expected


async def test_an_endpoint_that_takes_plain_text_is_noticed(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: what a form on any page could send."""
    monkeypatch.setattr(body_module, "_is_json", lambda content: content.startswith(("application/json", "text/plain")))
    assert (await all_of(server, ("text/plain",)))[False, True] > 0


def raw(line: str, *headers: str, token: str = "", body: bytes = QUESTION) -> bytes:
    """A request, byte by byte. Credentials are good, so that nothing else is in the way."""
    given = [*headers, "Content-Type: application/json", f"Content-Length: {len(body)}", "Connection: close"]
    given += [f"Authorization: Bearer {token}"] if token else []
    return "\r\n".join([line, *given, "", ""]).encode("latin-1") + body


def hosts(server: Served) -> dict[str, bytes]:
    """With a good token for a host that is not ours, or not only ours."""
    here, line, t = f"{server.host}:{server.port}", "POST /graphql HTTP/1.1", server.token
    wrong = {
        "another host": [f"Host: {EVIL}"], "no host": [], "an empty host": ["Host:"], "two hosts": [f"Host: {here}", f"Host: {EVIL}"],
        "two hosts, ours last": [f"Host: {EVIL}", f"Host: {here}"], "our host twice": [f"Host: {here}", f"host: {here}"],
        "another port": [f"Host: {server.host}:1"], "no port": [f"Host: {server.host}"], "a list": [f"Host: {here}, {EVIL}"],
        "a user": [f"Host: {EVIL}@{here}"], "a user before": [f"Host: {here}@{EVIL}"], "a path": [f"Host: {here}/{EVIL}"], "a query": [f"Host: {here}?{EVIL}"],
        "a fragment": [f"Host: {here}#{EVIL}"], "a dot behind": [f"Host: {server.host}.:{server.port}"], "a suffix": [f"Host: {here}.{EVIL}"],
        "a prefix": [f"Host: {EVIL}.{here}"], "a scheme": [f"Host: http://{here}"], "a blank inside": [f"Host: {here} {EVIL}"],
        "a tab inside": [f"Host: {here}\t{EVIL}"], "the address as a number": [f"Host: 2130706433:{server.port}"], "IPv6": [f"Host: [::1]:{server.port}"],
        "forwarded": [f"Host: {EVIL}", f"X-Forwarded-Host: {here}"], "forwarded by the standard": [f"Host: {EVIL}", f"Forwarded: host={here}"],
        "an older protocol": [],
    }  # fmt: skip
    made = {name: raw(line, *headers, token=t) for name, headers in wrong.items()}
    made["an older protocol"] = raw("POST /graphql HTTP/1.0", token=t)
    made["a whole address"] = raw(f"POST http://{EVIL}/graphql HTTP/1.1", f"Host: {EVIL}", token=t)
    return made


def paths(server: Served) -> dict[str, bytes]:
    """Without a token, by ways that something in front might take for others than we do."""
    here = f"Host: {server.host}:{server.port}"
    lines = {
        "two slashes": "//graphql", "a dot": "/./graphql", "up and down": "/healthz/../graphql", "up and down, encoded": "/healthz/%2e%2e/graphql", "a slash behind": "/graphql/",
        "an encoded slash": "/%2fgraphql", "encoded twice": "/%2567raphql", "encoded": "/%67raphql", "a parameter": "/graphql;/healthz", "a semicolon": "/healthz;/../graphql",
        "a backslash": "/healthz\\..\\graphql", "a NUL": "/graphql%00", "capitals": "/GRAPHQL", "a query": "/healthz?/graphql", "a fragment": "/graphql#/healthz",
        "a whole address": f"http://{server.host}:{server.port}/graphql", "another's whole address": f"http://{EVIL}/graphql", "an asterisk": "*",
        "an authority": f"{EVIL}:443",
    }  # fmt: skip
    made = {name: raw(f"POST {path} HTTP/1.1", here) for name, path in lines.items()}
    for header in ("X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "X-HTTP-Method-Override"):
        made[header] = raw("POST /healthz HTTP/1.1", here, f"{header}: /graphql")
    smuggled = raw("POST /graphql HTTP/1.1", here, token="")
    made["a second request in the body"] = raw("POST /healthz HTTP/1.1", here, body=smuggled)
    made["two lengths"] = raw("POST /graphql HTTP/1.1", here, "Content-Length: 0")
    made["a length and chunks"] = raw("POST /graphql HTTP/1.1", here, "Transfer-Encoding: chunked", body=b"0\r\n\r\n" + smuggled)
    return made


async def bypasses(server: Served, asked: dict[str, bytes]) -> tuple[list[str], list[str]]:
    """Those that were executed, and those whose answer repeats what the request made up."""
    through, echoed = [], []
    for name, request in asked.items():
        answer = await server.raw(request)
        through += [name] if b'"data"' in answer else []
        echoed += [name] if EVIL.encode() in answer.lower() else []
    return through, echoed


async def test_no_host_and_no_path_leads_around_the_checks(server: Served) -> None:
    before = await executed(server)
    asked = {
        **{f"host: {name}": one for name, one in hosts(server).items()},
        **{f"path: {name}": one for name, one in paths(server).items()},
    }
    through, echoed = await bypasses(server, asked)
    print(f"{len(asked)} requests, {len(through)} bypasses, {len(echoed)} echoes")
    assert len(asked) >= 30 and (through, echoed) == ([], [])
    assert await executed(server) == before


async def test_the_plain_request_goes_through(server: Served) -> None:
    """Control: the same bytes with nothing wrong are answered."""
    assert b'"data"' in await server.raw(raw("POST /graphql HTTP/1.1", f"Host: {server.host}:{server.port}", token=server.token))


async def test_a_server_that_believes_every_host_is_noticed(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: no look at the host; and one that looks at the first alone."""
    monkeypatch.setattr(app_module.HostCheck, "__call__", lambda self, scope, receive, send: self.app(scope, receive, send))
    through, _ = await bypasses(server, hosts(server))
    assert {"another host", "two hosts", "forwarded"} <= set(through)


async def test_metadata_name_the_configured_origin_whatever_is_asked(server: Served) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        origin = f"http://{server.host}:{server.port}"
        answer = await client.get(
            f"{origin}/.well-known/oauth-authorization-server", headers={"X-Forwarded-Host": EVIL, "X-Forwarded-Proto": "http"}
        )
    assert answer.json()["issuer"] == server.api.runtime.origin and EVIL not in answer.text
