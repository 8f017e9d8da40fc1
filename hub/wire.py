"""TCP and TLS beneath httpx, as asyncio has them: a backend of httpcore, by its own protocol.

The one that httpcore brings goes through anyio, for the sake of other event loops, and asks at every read which one it is; a fifth of what a call costs.
"""

from __future__ import annotations

import asyncio
import select
import ssl
from collections import deque
from collections.abc import Iterable
from typing import Any, cast

import httpcore

MOST = 256 * 1024
"""Bytes that may wait to be read before the other side is made to wait."""


class Wire(asyncio.Protocol):
    """What has come and was not read yet, and whether there is room for what is to leave."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._chunks, self._waiting, self._paused = deque[bytes](), 0, False
        self._ended = False
        self._lost: Exception | None = None
        self._arrived: asyncio.Future[None] | None = None
        self._room = asyncio.Event()
        self._room.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._chunks.append(data)
        self._waiting += len(data)
        if self._waiting > MOST and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        self._tell()

    def eof_received(self) -> None:
        self._end(None)

    def connection_lost(self, error: Exception | None) -> None:
        self._end(error)
        self._room.set()

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    @property
    def has_news(self) -> bool:
        """Whether a read would not wait."""
        return bool(self._chunks) or self._ended

    async def read(self, most: int) -> bytes:
        """Empty at the end. Raises OSError where it ended otherwise."""
        if not self.has_news:
            self._arrived = self.loop.create_future()
            await self._arrived
        if not self._chunks:
            if self._lost is not None:
                raise self._lost
            return b""
        data = self._chunks.popleft()
        if len(data) > most:
            self._chunks.appendleft(data[most:])
            data = data[:most]
        self._waiting -= len(data)
        if self._paused and self._waiting <= MOST:
            self._paused = False
            self.transport.resume_reading()
        return data

    def write(self, data: bytes) -> bool:
        """Whether there is room for more. Raises OSError."""
        if self._ended and self._lost is not None:
            raise self._lost
        if self.transport.is_closing():
            raise ConnectionResetError("the connection is closed")
        self.transport.write(data)
        return self._room.is_set()

    async def room(self) -> None:
        await self._room.wait()

    def _end(self, error: Exception | None) -> None:
        self._ended, self._lost = True, self._lost or error
        self._tell()

    def _tell(self) -> None:
        arrived, self._arrived = self._arrived, None
        if arrived is not None and not arrived.done():
            arrived.set_result(None)


class Stream(httpcore.AsyncNetworkStream):
    """One connection, as httpcore wants it."""

    def __init__(self, wire: Wire) -> None:
        self._wire, self._poll = wire, select.poll()
        self._poll.register(wire.transport.get_extra_info("socket"), select.POLLIN)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 -- httpcore's own signature
        try:
            if self._wire.has_news:
                return await self._wire.read(max_bytes)
            async with asyncio.timeout(timeout):
                return await self._wire.read(max_bytes)
        except TimeoutError:
            raise httpcore.ReadTimeout from None
        except OSError as error:
            raise httpcore.ReadError(str(error)) from None

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        try:
            if self._wire.write(buffer):
                return
            async with asyncio.timeout(timeout):
                await self._wire.room()
        except TimeoutError:
            raise httpcore.WriteTimeout from None
        except OSError as error:
            raise httpcore.WriteError(str(error)) from None

    async def aclose(self) -> None:
        """What is on its way may leave, but nobody waits for the other side's farewell."""
        self._wire.transport.close()
        await asyncio.sleep(0)
        self._wire.transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        wire = self._wire
        try:
            async with asyncio.timeout(timeout):
                made = await wire.loop.start_tls(wire.transport, wire, ssl_context, server_hostname=server_hostname)
        except TimeoutError:
            wire.transport.abort()
            raise httpcore.ConnectTimeout from None
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from None
        assert made is not None
        wire.transport = made
        return Stream(wire)

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            # Also what the loop has not heard yet: on a connection that is going no request may leave.
            return self._wire.has_news or bool(self._poll.poll(0))
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._wire.transport.get_extra_info(names.get(info, info))


class Backend(httpcore.AsyncNetworkBackend):
    """Opens connections."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        local = None if local_address is None else (local_address, 0)
        try:
            async with asyncio.timeout(timeout):
                transport, wire = await asyncio.get_running_loop().create_connection(Wire, host, port, local_addr=local)
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from None
        for option in socket_options or ():
            transport.get_extra_info("socket").setsockopt(*option)
        return Stream(wire)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
