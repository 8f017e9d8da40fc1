"""One call after the other over a connection that is kept: what :mod:`hub.http` sends its requests through, and nothing else does.

:class:`Line` is a connection, :class:`Lines` are those to one platform. The parser is the one that the hub's own server uses. What reads a page for a machine
needs no more: a general client takes a fifth of the time of a page for redirects, cookies, authentication and codings that are never wanted here.

``Unusable``: ``NoConnection`` and ``NoLineFree`` (nothing has left), ``Broken``, ``Silent`` (it may have been heard), ``TooLarge``.
"""

from __future__ import annotations

import asyncio
import re
import select
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, cast

import httptools

READ, POOL = 30.0, 30.0
"""Seconds a platform may say nothing, and that a call waits for a connection to be free."""
HEAD = 65_536
"""Bytes that all of an answer's headers may have."""
_NAME, _VALUE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"), re.compile(r"[\t\x20-\x7e]*")


class Unusable(Exception):
    """A call that brought no answer."""

    unsent = False


class NoConnection(Unusable):
    """Nobody could be connected to."""

    unsent = True


class NoLineFree(Unusable):
    """All connections to the platform were taken for too long."""

    unsent = True


class Broken(Unusable):
    """The connection ended, or what came over it is no HTTP."""


class Silent(Unusable):
    """Nothing was heard for too long."""


class TooLarge(Exception):
    """The answer is larger than was allowed."""


class Heard(NamedTuple):
    """An answer: header names are lower case, what came several times is joined by commas."""

    status: int
    headers: dict[str, str]
    body: bytes


class Line(asyncio.Protocol):
    """A connection. One exchange at a time; one that was not heard to its end leaves it unusable."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._waiting: asyncio.Future[Heard] | None = None
        self._transport: asyncio.Transport | None = None
        self._watching: asyncio.TimerHandle | None = None
        self._ended, self.keeps, self.since = False, False, 0.0
        self._begin(0)

    async def exchange(self, message: bytes, most: int) -> Heard:
        """Sends a request and hears its answer, whose body has ``most`` bytes at most. Raises Broken, Silent, TooLarge."""
        if self._ended or self._transport is None:
            raise Broken
        self._begin(most)
        waiting: asyncio.Future[Heard] = self._loop.create_future()
        self._waiting = waiting
        self._watch()
        self._transport.write(message)
        try:
            return await waiting
        finally:
            self._watching.cancel() if self._watching else None
            self._waiting, self.since = None, self._loop.time()
            if waiting.cancelled() or waiting.exception() is not None:
                self.close()

    def is_good(self, idle: float) -> bool:
        """Whether the next request may be sent over it: neither side has ended it, nor said anything since, and it has not been idle for too long."""
        if self._ended or not self.keeps or self._transport is None or self._loop.time() - self.since > idle:
            return False
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        self._ended, self.keeps = True, False
        if self._transport is not None:
            self._transport.abort()

    def _begin(self, most: int) -> None:
        self._most, self._size, self._came, self._complete = most, 0, 0, False
        self._parts: list[bytes] = []
        self._headers: dict[str, str] = {}
        self._status = 0
        self._heard_at = self._loop.time()

    def _watch(self) -> None:
        """Silence counts from the last byte on."""
        left = self._heard_at + READ - self._loop.time()
        if left > 0:
            self._watching = self._loop.call_later(left, self._watch)
        else:
            self._fail(Silent())

    def _fail(self, error: Exception) -> None:
        self._ended, self.keeps = True, False
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._heard_at, self._came = self._loop.time(), self._came + len(data)
        if self._waiting is None or self._waiting.done():
            # Nobody asked: whatever it is, it must not be taken for the next answer.
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(TooLarge() if self._size > self._most else Broken())
            return
        if not self._complete and self._came > (2 * self._most + HEAD if self._status else HEAD):
            self._fail(TooLarge() if self._status else Broken())

    def eof_received(self) -> None:
        """Ends an answer that says no length; cuts off any other."""
        self._ended, self.keeps = True, False
        if self._status and not self._complete and not self._headers.keys() & {"content-length", "transfer-encoding"}:
            self._over()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(Broken())

    # What the parser tells.

    def on_message_begin(self) -> None:
        if self._complete:
            # More than was asked for: it is nobody's, and this connection is not used again.
            self._ended, self.keeps, self._headers, self._parts = True, False, {}, []

    def on_header(self, name: bytes, value: bytes) -> None:
        key, text = name.decode("latin-1").lower(), _text(value)
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            # An interim answer. The one that counts follows.
            self._headers = {}
            return
        self._status, self.keeps = status, not self._ended and self._parser.should_keep_alive()

    def on_body(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._most:
            raise TooLarge
        self._parts.append(part)

    def on_message_complete(self) -> None:
        if self._status:
            self._over()

    def _over(self) -> None:
        self._complete = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(Heard(self._status, self._headers, self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)))


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


class Lines:
    """The connections to one platform, ``most`` of them, each kept for ``idle`` seconds."""

    def __init__(self, connect: Callable[[], Awaitable[Line]], most: int, idle: float) -> None:
        self._connect, self._idle = connect, idle
        self._places, self._free = asyncio.Semaphore(most), list[Line]()
        self._taken: set[Line] = set()

    async def exchange(self, message: bytes, most: int) -> Heard:
        """Over whatever connection is free, or a new one. Raises Unusable, TooLarge, and what connecting raises."""
        await self._place()
        try:
            line = self._kept() or await self._connect()
            self._taken.add(line)
            try:
                return await line.exchange(message, most)
            finally:
                self._taken.discard(line)
                self._keep(line)
        finally:
            self._places.release()

    async def _place(self) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        try:
            async with asyncio.timeout(POOL):
                await self._places.acquire()
        except TimeoutError:
            raise NoLineFree from None

    def _kept(self) -> Line | None:
        while self._free:
            line = self._free.pop()
            if line.is_good(self._idle):
                return line
            line.close()
        return None

    def _keep(self, line: Line) -> None:
        if line.keeps:
            self._free.append(line)
        else:
            line.close()

    def close(self) -> None:
        for line in (*self._free, *self._taken):
            line.close()
        self._free.clear()


def message(method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes) -> bytes:
    """A request as bytes. Raises Broken for a header that would be two."""
    for name, value in headers:
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise Broken(f"the header {name!a} cannot be sent")
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("ascii") + body
