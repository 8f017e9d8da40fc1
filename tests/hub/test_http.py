"""The one place that opens sockets: who may be called, how, and what of an answer is taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from starlette.types import Receive, Scope, Send

from connectors.sandbox.serve import bind
from hub import http as http_module
from hub.connect import Request
from hub.errors import ContractBroken
from hub.http import Allowed, HostNotAllowed, Http, PlatformUnreachable, browser, is_loopback
from tests.hub.sync.server import Brief

GET = Request("GET", "/ping")
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Echo:
    """Answers with what :attr:`answer` says and remembers what it heard."""

    def __init__(self, body: bytes = b"pong", status: int = 200, **headers: str) -> None:
        self.body, self.status, self.headers = body, status, headers
        self.heard: list[tuple[str, dict[str, str]]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.heard.append((scope["raw_path"].decode(), {name.decode(): value.decode() for name, value in scope["headers"]}))
        headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


@asynccontextmanager
async def listening(app: App) -> AsyncIterator[str]:
    server = Brief(app)
    await server.start()
    yield server.origin
    await server.stop()


@asynccontextmanager
async def calling(*allowed: str, connections: int = 16) -> AsyncIterator[Http]:
    http = Http(allowed, connections=connections)
    yield http
    await http.close()


LIST = "https://api.bank.example/v1"
ADMITTED = [
    "https://api.bank.example/v1",
    "https://api.bank.example:443/v1/orders",
    "https://API.bank.example/v1/orders?x=../y",
    "https://api.bank.example/v1/a.b/c%20d",
]
REFUSED = [
    "http://api.bank.example/v1/orders",
    "https://api.bank.example:8443/v1/orders",
    "https://api.bank.example/",
    "https://api.bank.example/v2/orders",
    "https://api.bank.example/v10",
    "https://api.bank.example.evil.example/v1/orders",
    "https://evil-api.bank.example/v1/orders",
    "https://bank.example/v1/orders",
    "https://127.0.0.1/v1/orders",
    "ftp://api.bank.example/v1/orders",
    "//api.bank.example/v1/orders",
    "file:///v1/orders",
    "",
]
FORBIDDEN = [
    "https://user@api.bank.example/v1/orders",
    "https://user:word@api.bank.example/v1/orders",
    "https://api.bank.example@evil.example/v1/orders",
    "https://evil.example\\@api.bank.example/v1/orders",
    "https://api.bank.example/v1/../admin",
    "https://api.bank.example/v1/%2e%2e/admin",
    "https://api.bank.example/v1/%2E./admin",
    "https://api.bank.example/v1/%252e%252e/admin",
    "https://api.bank.example/v1/%25252E%25252E/admin",
    "https://api.bank.example/v1/x%2f..%2fadmin",
    "https://api.bank.example/v1/x%2Fadmin",
    "https://api.bank.example/v1\\..\\admin",
    "https://api.bank.example/v1/%5c..%5cadmin",
    "https://api.bank.example/v1/订单",
    "https://api.bank.example/v1/a b",
    "https://api.bank.example/v1/a\r\nHost: evil.example",
    "https://api.bank.example\t/v1/orders",
    "https://api.bank.example/v1/orders#part",
    "https://api.bank.example:0/v1/orders",
    "https://api.bank.example:99999/v1/orders",
    "https://api.bank.example:x/v1/orders",
    "https://api.bank.example./v1/orders",
    "https://api.ban\u212a.example/v1/orders",
    "https://аpi.bank.example/v1/orders",
    "https://api。bank。example/v1/orders",
    "https://①②⑦.0.0.1/v1/orders",
    "https://2130706433/v1/orders",
    "https://0x7f000001/v1/orders",
    "https://0x7f.1/v1/orders",
    "https://127.1/v1/orders",
    "https://0177.0.0.1/v1/orders",
    "https://0/v1/orders",
    "https:///v1/orders",
    "https://[::1/v1/orders",
    "https://-api.bank.example/v1/orders",
    "https://api_bank.example/v1/orders",
]


@pytest.mark.parametrize("url", ADMITTED)
def test_what_lies_below_an_entry_is_admitted(url: str) -> None:
    assert Allowed.of(LIST).admits(url)


@pytest.mark.parametrize("url", REFUSED)
def test_what_is_not_listed_is_not_admitted(url: str) -> None:
    try:
        assert not Allowed.of(LIST).admits(url)
    except HostNotAllowed:
        assert not url.startswith("https://api.bank.example/")


@pytest.mark.parametrize("url", FORBIDDEN)
def test_what_looks_like_something_else_is_refused_outright(url: str) -> None:
    with pytest.raises(HostNotAllowed):
        Allowed.of(LIST).admits(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.bank.example",
        "http://10.0.0.1",
        "ftp://api.bank.example",
        "https://u@api.bank.example",
        "https://api.bank.example/v1?x=1",
        "https://127.1",
        "",
    ],
)
def test_what_may_never_be_listed(url: str) -> None:
    with pytest.raises(HostNotAllowed):
        Allowed.of(url)


async def test_a_refused_url_opens_no_socket() -> None:
    heard = Echo()
    async with listening(heard) as origin, calling(f"{origin}/v1") as http:
        for path in ("/../admin", "/%2e%2e/admin", "/..", "\\..\\admin"):
            with pytest.raises(HostNotAllowed):
                await http.send(f"{origin}/v1", Request("GET", path))
        for base in (origin, f"{origin}/v2", origin.replace("127.0.0.1", "localhost"), origin.replace("127.0.0.1", "127.0.0.2")):
            with pytest.raises(HostNotAllowed):
                await http.send(base, GET)
        with pytest.raises(HostNotAllowed):
            await http.send(f"{origin}/v1", Request("GET", "@evil.example/"))
        assert heard.heard == []
        assert (await http.send(f"{origin}/v1", GET)).body == b"pong"
        assert [path for path, _ in heard.heard] == ["/v1/ping"]


async def test_what_is_sent() -> None:
    heard = Echo()
    async with listening(heard) as origin, calling(origin) as http:
        await http.send(origin, Request("POST", "/a?b=1", query=(("c", "ä&"), ("c", "2")), headers=(("X-One", "1"),), body=b"body"))
        await http.send(origin, GET.with_headers(X_Interaction_Id="mine"))
    (path, headers), (_, second) = heard.heard
    assert path == "/a"
    assert (headers["x-one"], headers["accept-encoding"], headers["content-length"]) == ("1", "identity", "4")
    assert len(headers["x-interaction-id"]) == 36
    assert second["x-interaction-id"] == "mine"


async def test_redirects_are_answers() -> None:
    elsewhere, moved = Echo(), Echo(status=302, Location="http://127.0.0.1:1/")
    async with listening(elsewhere) as other, listening(moved) as origin, calling(origin, other) as http:
        moved.headers["Location"] = other
        answer = await http.send(origin, GET)
    assert (answer.status, answer.headers["location"], elsewhere.heard) == (302, other, [])


async def test_answers_are_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "MAXIMUM", 1000)
    whole, more = Echo(b"x" * 1000), Echo(b"x" * 1001)
    async with listening(whole) as fits, listening(more) as larger, calling(fits, larger) as http:
        assert len((await http.send(fits, GET)).body) == 1000
        with pytest.raises(ContractBroken, match="larger than 1000 bytes"):
            await http.send(larger, GET)


def test_the_limits_are_those_of_the_trust_rules() -> None:
    assert (http_module.MAXIMUM, http_module.WHOLE_CALL) == (16 * 1024 * 1024, 60.0)
    limits = http_module._LIMITS
    assert (limits.connect, limits.read, limits.write, limits.pool) == (5.0, 30.0, 30.0, 30.0)


async def test_a_packed_answer_is_refused_unopened() -> None:
    async with listening(Echo(b"\x1f\x8b\x08", Content_Encoding="gzip")) as origin, calling(origin) as http:
        with pytest.raises(ContractBroken, match="compressed"):
            await http.send(origin, GET)
    async with listening(Echo(b"plain", Content_Encoding="identity")) as origin, calling(origin) as http:
        assert (await http.send(origin, GET)).body == b"plain"


async def test_a_platforms_cookie_does_not_travel_with_the_next_customers_call() -> None:
    heard = Echo(Set_Cookie="session=of-the-first-customer; Path=/")
    async with listening(heard) as origin, calling(origin) as http:
        for _ in range(2):
            await http.send(origin, GET)
        async with browser() as person:
            for _ in range(2):
                await person.get(origin)
    assert ["cookie" in headers for _, headers in heard.heard] == [False, False, False, True], "the last one: a person's browser keeps them"


async def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with listening(Echo()) as origin, calling(origin) as http:
        assert (await http.send(origin, GET)).status == 200


async def test_who_does_not_answer_is_unreachable_and_it_is_known_whether_the_request_left(monkeypatch: pytest.MonkeyPatch) -> None:
    forever = asyncio.Event()

    async def hang(scope: Scope, receive: Receive, send: Send) -> None:
        await forever.wait()

    nobody = bind("127.0.0.1", 0)
    port = nobody.getsockname()[1]
    nobody.close()
    async with listening(hang) as origin, calling(origin, f"http://127.0.0.1:{port}") as http:
        with pytest.raises(PlatformUnreachable) as gone:
            await http.send(f"http://127.0.0.1:{port}", GET)
        assert gone.value.unsent
        monkeypatch.setattr(http_module, "WHOLE_CALL", 0.05)
        with pytest.raises(PlatformUnreachable) as silent:
            await http.send(origin, GET)
        assert not silent.value.unsent
        forever.set()


async def test_a_platform_that_hangs_does_not_block_another() -> None:
    """Every connection of its own pool is taken; the other platform has a pool of its own."""
    forever, busy = asyncio.Event(), asyncio.Semaphore(0)

    async def hang(scope: Scope, receive: Receive, send: Send) -> None:
        busy.release()
        await forever.wait()
        await Echo()(scope, receive, send)

    async with listening(hang) as stuck, listening(Echo()) as lively, calling(stuck, lively, connections=2) as http:
        waiting = [asyncio.create_task(http.send(stuck, GET)) for _ in range(3)]
        for _ in range(2):
            await busy.acquire()
        answers = await asyncio.wait_for(asyncio.gather(*(http.send(lively, GET) for _ in range(20))), 10)
        assert {answer.status for answer in answers} == {200}
        assert not any(task.done() for task in waiting)
        forever.set()
        assert {answer.status for answer in await asyncio.gather(*waiting)} == {200}


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("127.1", False), ("localhost.evil.example", False)],
)
def test_what_is_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


async def test_the_persons_browser_reaches_loopback_only() -> None:
    """It follows redirects among loopback hosts and stops, without a request, at the first one that leaves them."""
    leaving, heard = Echo(status=303, Location="https://partner.example/back?done=1"), Echo(b"page")
    async with listening(leaving) as origin, listening(heard) as other, browser() as person:
        shown = await person.get(origin)
        assert (shown.url, shown.text) == ("https://partner.example/back?done=1", "")
        leaving.headers["Location"] = other
        assert (await person.post(origin, "a=1")).text == "page"
        assert heard.heard[-1][1].get("content-type") is None, "the redirect after a form is a GET"
        assert (await person.post(origin, "a=1", follow=False)).status == 303


async def test_a_page_that_redirects_for_ever() -> None:
    circle = Echo(status=302, Location="/again")
    async with listening(circle) as origin, browser() as person:
        with pytest.raises(ContractBroken, match="for ever"):
            await person.get(origin)
    assert len(circle.heard) == 10


async def test_a_page_that_is_gone() -> None:
    nobody = bind("127.0.0.1", 0)
    port = nobody.getsockname()[1]
    nobody.close()
    async with browser() as person:
        with pytest.raises(PlatformUnreachable):
            await person.get(f"http://127.0.0.1:{port}/")
