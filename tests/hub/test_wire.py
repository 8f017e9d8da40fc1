"""Calls over a connection that is kept: answers of every form, and none that is not whole or is somebody else's."""

from __future__ import annotations

import asyncio
import datetime as dates
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub import http as http_module
from hub import wire
from hub.connect import Request
from hub.errors import ContractBroken
from hub.http import Checked, Http, PlatformUnreachable

GET = Request("GET", "/ping")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npong"


class Scripted:
    """Answers each request with the next of ``answers`` (None: not at all), a connection counts in ``connections``. An answer that ends with ``END`` ends its connection."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers, self.heard, self.connections = list(answers), list[bytes](), 0
        self.writers: list[asyncio.StreamWriter] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while True:
                self.heard.append(await reader.readuntil(b"\r\n\r\n"))
                answer = self.answers.pop(0)
                writer.write((answer or b"").removesuffix(b"END"))
                if answer is not None and answer.endswith(b"END"):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


@asynccontextmanager
async def calling(server: Scripted, *, tls: ssl.SSLContext | None = None, connections: int = 16) -> AsyncIterator[tuple[Http, str]]:
    listening = await asyncio.start_server(server, "127.0.0.1", 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    origin = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
    http = Http([origin], connections=connections, backend=Checked(resolve=_loopback))
    try:
        yield http, origin
    finally:
        await http.close()
        listening.close()
        for writer in server.writers:
            writer.close()
        await asyncio.sleep(0.01)


async def _loopback(name: str, port: int) -> list[str]:
    return ["127.0.0.1"]


WHOLE = [
    OK,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\npo\r\n2\r\nng\r\n0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\nX: 1\r\n\r\n" + OK,
    b"HTTP/1.1 103 Early Hints\r\nContent-Length: 99\r\n\r\n" + OK,
    b"HTTP/1.1 200 OK\r\n\r\npongEND",
    b"HTTP/1.0 200 OK\r\n\r\npongEND",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\npongEND",
]
NOT_WHOLE = [
    b"END",
    b"HTTP/1.1 200 OK\r\nContent-LengEND",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\npongEND",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\npo\r\nEND",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\npong\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\npong",
    b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npong\r\n0\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\npong",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
    b"HTTP/1.1 100 Continue\r\n\r\n" * 4_000,
]


@pytest.mark.parametrize("answer", WHOLE)
async def test_an_answer_is_read_to_its_end(answer: bytes) -> None:
    server = Scripted(answer, OK)
    async with calling(server) as (http, origin):
        for _ in range(2):
            found = await http.send(origin, GET)
            assert (found.status, found.body) == (200, b"pong")
    assert server.connections == (2 if answer.endswith(b"END") else 1)


@pytest.mark.parametrize("answer", NOT_WHOLE)
async def test_what_is_not_whole_or_no_answer_is_none(answer: bytes) -> None:
    server = Scripted(answer, OK)
    async with calling(server) as (http, origin):
        with pytest.raises(PlatformUnreachable, match="Broken") as found:
            await http.send(origin, GET)
        assert not found.value.unsent, "it may have been heard"
        assert (await http.send(origin, GET)).body == b"pong"
    assert server.connections == 2, "a broken connection is not used again"


async def test_headers_by_their_names() -> None:
    answer = b"HTTP/1.1 200 OK\r\nX-Two: a\r\nx-two: b\r\nX-Chinese: \xe4\xb8\xad\r\nX-Odd: \xff\r\nContent-Length: 0\r\n\r\n"
    async with calling(Scripted(answer)) as (http, origin):
        headers = (await http.send(origin, GET)).headers
    assert (headers["x-two"], headers["x-chinese"], headers["x-odd"]) == ("a, b", "中", "ÿ")


async def test_what_leaves() -> None:
    server = Scripted(OK, OK, OK)
    async with calling(server) as (http, origin):
        await http.send(origin, GET)
        await http.send(origin, Request("POST", "/a"))
        await http.send(origin, Request("GET", '/a/./b?x="中"'))
    host = origin.removeprefix("http://").encode()
    assert server.heard[0].startswith(b"GET /ping HTTP/1.1\r\nHost: " + host + b"\r\nAccept: */*\r\nAccept-Encoding: identity\r\n")
    assert b"\r\nContent-Length: 0\r\n" in server.heard[1]
    assert b"ontent-" not in server.heard[0]
    assert server.heard[2].split(b" ")[1] == b"/a/b?x=%22%E4%B8%AD%22"


@pytest.mark.parametrize(
    ("name", "value"), [("X", "1\r\nX-Admin: 1"), ("X", "1\n"), ("X\r\nY", "1"), ("X Y", "1"), ("", "1"), ("X", "中"), ("X", "\0")]
)
async def test_one_header_is_never_two(name: str, value: str) -> None:
    server = Scripted(OK)
    async with calling(server) as (http, origin):
        with pytest.raises(PlatformUnreachable):
            await http.send(origin, Request("GET", "/", headers=((name, value),)))
    assert server.heard == []


async def test_an_answer_that_nobody_asked_for_is_not_the_next_one() -> None:
    server = Scripted(OK + OK.replace(b"pong", b"evil"), OK)
    async with calling(server) as (http, origin):
        for _ in range(2):
            found = await http.send(origin, GET)
            assert (found.headers, found.body) == ({"content-length": "4"}, b"pong")
    assert server.connections == 2
    late = Scripted(OK, OK)
    async with calling(late) as (http, origin):
        await http.send(origin, GET)
        late.writers[0].write(OK.replace(b"pong", b"evil"))
        await asyncio.sleep(0.02)
        assert (await http.send(origin, GET)).body == b"pong"
    assert late.connections == 2


async def test_a_connection_that_the_platform_has_ended_is_not_used() -> None:
    """Also where this process has not heard of it yet: a call that may not be repeated must not meet it."""
    server = Scripted(OK, OK)
    async with calling(server) as (http, origin):
        await http.send(origin, GET)
        server.writers[0].close()
        await asyncio.sleep(0.02)
        assert (await http.send(origin, Request("POST", "/", idempotent=False))).body == b"pong"
    assert server.connections == 2


async def test_a_connection_is_not_kept_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "_IDLE", 0.01)
    server = Scripted(OK, OK)
    async with calling(server) as (http, origin):
        await http.send(origin, GET)
        await asyncio.sleep(0.03)
        await http.send(origin, GET)
    assert server.connections == 2


async def test_a_call_that_is_given_up_leaves_nothing_for_the_next() -> None:
    server = Scripted(None, OK)
    async with calling(server) as (http, origin):
        call = asyncio.create_task(http.send(origin, GET))
        await asyncio.sleep(0.05)
        assert server.heard
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        server.writers[0].write(OK.replace(b"pong", b"evil"))
        assert (await http.send(origin, GET)).body == b"pong"


async def test_silence_and_a_queue_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "POOL", 0.02)
    async with calling(Scripted(None), connections=1) as (http, origin):
        first = asyncio.create_task(http.send(origin, GET))
        await asyncio.sleep(0.02)
        with pytest.raises(PlatformUnreachable, match="NoLineFree") as queued:
            await http.send(origin, GET)
        assert queued.value.unsent
        first.cancel()
    monkeypatch.setattr(wire, "READ", 0.05)
    async with calling(Scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npo")) as (http, origin):
        with pytest.raises(PlatformUnreachable, match="Silent") as silent:
            await http.send(origin, GET)
        assert not silent.value.unsent


async def test_many_small_pieces_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "MAXIMUM", 100)
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    for answer in (chunked + b"1\r\nx\r\n" * 101, chunked + b"1;" + b"e" * 70_000 + b"\r\nx\r\n"):
        async with calling(Scripted(answer)) as (http, origin):
            with pytest.raises(ContractBroken, match="larger than 100 bytes"):
                await http.send(origin, GET)


def certificate(folder: Path, name: str) -> Path:
    """A certificate for a name, signed by itself, with its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dates.datetime.now(dates.UTC)
    whose = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(whose)
        .issuer_name(whose)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dates.timedelta(days=1))
        .not_valid_after(now + dates.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / f"{name}.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + plain)
    return path


@pytest.mark.parametrize(
    ("named", "trusted", "reached"), [("localhost", True, True), ("localhost", False, False), ("other.example", True, False)]
)
async def test_the_certificate_must_be_the_name_s(
    named: str, trusted: bool, reached: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = certificate(tmp_path, named)
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(path)
    known = ssl.create_default_context(cafile=str(path) if trusted else None)
    monkeypatch.setattr(http_module, "_tls", lambda: known)
    server = Scripted(OK, OK)
    async with calling(server, tls=own) as (http, origin):
        if reached:
            for _ in range(2):
                assert (await http.send(origin, GET)).body == b"pong"
            assert server.connections == 1
        else:
            with pytest.raises(PlatformUnreachable, match="NoConnection") as refused:
                await http.send(origin, GET)
            assert refused.value.unsent
            assert server.heard == []


def test_control_the_hub_asks_for_certificates() -> None:
    context = http_module._tls()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
