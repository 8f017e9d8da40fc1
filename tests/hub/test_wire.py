"""The connections beneath httpx: what comes late, not at all, too fast or from somebody else."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from hub import wire
from hub.wire import Backend, Stream

Serving = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
LARGE = 8 * 1024 * 1024
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npong"


@asynccontextmanager
async def served(serve: Serving, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(once, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0.05)


@asynccontextmanager
async def connected(serve: Serving) -> AsyncIterator[Stream]:
    async with served(serve) as port:
        stream = await Backend().connect_tcp("127.0.0.1", port, timeout=5.0)
        assert isinstance(stream, Stream)
        try:
            yield stream
        finally:
            await stream.aclose()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(1.0)


async def test_what_is_said_is_heard_in_its_order_and_its_end_too() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(200_000))
        await writer.drain()

    said, heard = bytes(range(250)) * 800, bytearray()
    async with connected(echo) as stream:
        await stream.write(said, 5.0)
        while part := await stream.read(64 * 1024, 5.0):
            assert len(part) <= 64 * 1024
            heard += part
    assert bytes(heard) == said


async def test_who_says_nothing_is_not_waited_for_for_ever() -> None:
    async with connected(silent) as stream:
        with pytest.raises(httpcore.ReadTimeout):
            await stream.read(1, 0.05)


async def test_who_does_not_listen_is_not_waited_for_for_ever() -> None:
    async with connected(silent) as stream:
        with pytest.raises(httpcore.WriteTimeout):
            await stream.write(bytes(4 * LARGE), 0.05)


async def test_nobody_is_there() -> None:
    async with served(silent) as port:
        pass
    with pytest.raises(httpcore.ConnectError):
        await Backend().connect_tcp("127.0.0.1", port, timeout=5.0)


async def test_a_connection_that_was_closed_says_so_before_it_is_used() -> None:
    async def goes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)

    async with connected(goes) as stream:
        assert not stream.get_extra_info("is_readable")
        await stream.write(b"x", 5.0)
        await asyncio.sleep(0.1)
        assert stream.get_extra_info("is_readable")
        assert await stream.read(1, 5.0) == b""


async def waiting_unread(monkeypatch: pytest.MonkeyPatch, most: int) -> int:
    """Bytes that were taken of an answer that nobody reads."""

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes(LARGE))
        await writer.drain()

    monkeypatch.setattr(wire, "MOST", most)
    async with connected(flood) as stream:
        await asyncio.sleep(0.3)
        taken = stream._wire._waiting
        rest = 0
        while part := await stream.read(64 * 1024, 5.0):
            rest += len(part)
        assert rest == LARGE
        return taken


async def test_an_answer_that_nobody_reads_is_not_taken_in(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await waiting_unread(monkeypatch, 100_000) < 1_000_000
    assert await waiting_unread(monkeypatch, 2 * LARGE) == LARGE, "control: nobody is made to wait"


def certificate(folder: Path) -> tuple[Path, Path]:
    """Of localhost, by its own authority."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    own, secret = folder / "own.pem", folder / "secret.pem"
    own.write_bytes(made.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return own, secret


async def test_tls_asks_for_the_certificate_of_the_name(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await writer.drain()

    own, secret = certificate(tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(own, secret)
    trusting = ssl.create_default_context(cafile=str(own))
    async with served(answer, tls) as port:
        async with httpcore.AsyncConnectionPool(ssl_context=trusting, network_backend=Backend()) as pool:
            found = await pool.request("GET", f"https://localhost:{port}/")
            assert (found.status, found.content) == (200, b"pong")
            with pytest.raises(httpcore.ConnectError, match="certificate"):
                await pool.request("GET", f"https://127.0.0.1:{port}/")
        async with httpcore.AsyncConnectionPool(ssl_context=ssl.create_default_context(), network_backend=Backend()) as pool:
            with pytest.raises(httpcore.ConnectError, match="certificate"):
                await pool.request("GET", f"https://localhost:{port}/")
