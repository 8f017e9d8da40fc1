"""Connections that reads are answered over: who asks and what is asked go out in one go, and the answer is one round trip away.

SQLAlchemy would wait for BEGIN, for ``set_config``, for the statement and for COMMIT, and turn what comes back into Python and then into text again. Here libpq, in pipeline
mode, sends the first statement, which says who asks (``set_config(..., true)``), the read, and one Sync. To PostgreSQL all of it until the Sync is one transaction: what was
set ends with it, and nothing is left open whatever becomes of whoever asked.

A line whose asker has gone is closed: what it was doing is cancelled first, but for a pooler's (ADR 34).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, OrderedDict, deque
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from hub.store.driver import Driver, is_older, positional

Statement = tuple[str, Mapping[str, Any]]
Row = tuple[bytes | None, ...]
"""Values as PostgreSQL writes them."""
_PREPARED = 64
"""Statements that a session keeps ready. One is prepared when it is asked for the second time."""
_COUNTED = 4_096
_PATIENCE, _CANCELLING = 30.0, 5.0
_BAD = (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE, pq.ExecStatus.PIPELINE_ABORTED)


class Line:
    """One connection in pipeline mode. One transaction at a time."""

    def __init__(self, driver: Driver) -> None:
        self.driver, self.libpq, self.loop = driver, driver.pgconn, asyncio.get_running_loop()
        self._dumps, self._older = Transformer(driver), is_older(driver)
        self._names: OrderedDict[str, bytes] = OrderedDict()
        self._made = 0
        self._heard: asyncio.Future[None] | None = None
        # By statement that was sent: whether its rows are wanted.
        self._sent: list[bool] = []
        self._descriptor = self.libpq.socket
        self.libpq.enter_pipeline_mode()
        self.loop.add_reader(self._descriptor, self._hear)

    @property
    def closed(self) -> bool:
        return self.driver.closed

    @property
    def is_at_rest(self) -> bool:
        return self.libpq.transaction_status == pq.TransactionStatus.IDLE

    async def close(self) -> None:
        if not self.closed:
            self.loop.remove_reader(self._descriptor)
        await self.driver.close()

    def send(self, statement: str, values: Mapping[str, Any], *, prepare: bool) -> None:
        """Queues a statement, whose answer comes with the others'."""
        text, names = positional(statement, older=self._older)
        bound = self._dumps.dump_sequence([values[name] for name in names], [PyFormat.TEXT] * len(names))
        if prepare:
            self.libpq.send_query_prepared(self._prepared(statement, text), bound)
        else:
            self.libpq.send_query_params(text, bound)
        self._sent.append(True)

    def _prepared(self, statement: str, text: bytes) -> bytes:
        name = self._names.get(statement)
        if name is not None:
            self._names.move_to_end(statement)
            return name
        if len(self._names) >= _PREPARED:
            self.libpq.send_query_params(b"DEALLOCATE " + self._names.popitem(last=False)[1], None)
            self._sent.append(False)
        self._made += 1
        name = self._names[statement] = b"read%d" % self._made
        self.libpq.send_prepare(name, text)
        self._sent.append(False)
        return name

    async def answers(self) -> list[list[Row]]:
        """The rows of each statement that was sent. Raises psycopg.Error for the first that failed."""
        libpq, sent, self._sent = self.libpq, self._sent, []
        libpq.pipeline_sync()
        while libpq.flush():  # noqa: ASYNC110 -- no event tells of it
            # More was sent than the socket takes at once.
            await asyncio.sleep(0.001)
        found: list[list[Row]] = []
        error: psycopg.Error | None = None
        for wanted in sent:
            if libpq.is_busy():
                await self._arrived()
            result = libpq.get_result()
            assert result is not None
            if result.status in _BAD:
                error = error or psycopg.errors.error_from_result(result)
            elif wanted:
                found.append(_rows(result))
            # Nothing follows a statement's only result.
            if libpq.is_busy():
                await self._arrived()
            libpq.get_result()
        if libpq.is_busy():
            await self._arrived()
        libpq.get_result()
        if error is not None:
            raise error
        return found

    async def _arrived(self) -> None:
        """Until there is a result."""
        while self.libpq.is_busy():
            self._heard = self.loop.create_future()
            await self._heard

    def _hear(self) -> None:
        heard = self._heard
        try:
            self.libpq.consume_input()
        except psycopg.Error as error:
            # The server has gone, or said goodbye while nothing was asked.
            self.loop.remove_reader(self._descriptor)
            self.libpq.finish()
            if heard is not None and not heard.done():
                heard.set_exception(error)
            return
        if heard is not None and not heard.done() and not self.libpq.is_busy():
            heard.set_result(None)


def _rows(result: Any) -> list[Row]:
    return [tuple(result.get_value(row, column) for column in range(result.nfields)) for row in range(result.ntuples)]


class Lines:
    """At most ``size`` of them, made by ``connect`` when they are needed. Raises what the store raises: SQLAlchemy's errors.

    ``shared``: through a pooler, where nothing is prepared and nothing cancelled.
    """

    def __init__(self, connect: Callable[[], Awaitable[Driver]], size: int, *, shared: bool) -> None:
        self.connect, self.size, self.shared = connect, size, shared
        self._free: list[Line] = []
        self._waiting: deque[asyncio.Future[Line | None]] = deque()
        self._open = 0
        self._asked: Counter[str] = Counter()
        self._ending: set[asyncio.Task[None]] = set()

    async def ask(self, *statements: Statement) -> list[list[Row]]:
        """The rows of each statement. They are one transaction."""
        async with Held(self) as say:
            return await say(*statements)

    def held(self) -> Held:
        """One line for several goes: of a transaction that its own statements begin and commit. Whatever is not committed then never is."""
        return Held(self)

    async def take(self) -> Line:
        """A line that is nobody else's until it is given back."""
        while self._free:
            found = self._free.pop()
            if not found.closed:
                return found
            self._open -= 1
        if self._open < self.size:
            self._open += 1
            return await self._made()
        return await self._awaited() or await self._made()

    def leave(self, line: Line) -> None:
        """Nobody waits for its answer any more."""
        ending = asyncio.create_task(self._end(line))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    def often(self, statement: str) -> bool:
        if self.shared:
            return False
        if len(self._asked) > _COUNTED:
            self._asked.clear()
        self._asked[statement] += 1
        return self._asked[statement] > 1

    async def close(self) -> None:
        if self._ending:
            await asyncio.wait(self._ending)
        while self._free:
            await self._free.pop().close()
            self._open -= 1

    async def _awaited(self) -> Line | None:
        """The next one that is free; None: there is room for one more, and it is kept for whoever waited."""
        waiting: asyncio.Future[Line | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        taken = False
        try:
            async with asyncio.timeout(_PATIENCE):
                line = await waiting
            taken = True
        except TimeoutError:
            raise NoConnectionFree(f"No connection was free for {_PATIENCE:.0f} seconds.") from None
        finally:
            if not taken and waiting.done() and not waiting.cancelled():
                self.give(waiting.result())
        return line

    async def _made(self) -> Line:
        line: Line | None = None
        try:
            line = Line(await self.connect())
        except psycopg.Error as error:
            raise DBAPIError(None, None, error, hide_parameters=True) from error
        finally:
            if line is None:
                self.give(None)
        return line

    def give(self, line: Line | None) -> None:
        """To whoever waits longest: a line, or the room for one."""
        if line is not None and line.closed:
            line = None
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(line)
                return
        if line is None:
            self._open -= 1
        else:
            self._free.append(line)

    async def _end(self, line: Line) -> None:
        try:
            with contextlib.suppress(psycopg.Error, OSError):
                if not self.shared:
                    await line.driver.cancel_safe(timeout=_CANCELLING)
            await line.close()
        finally:
            # Its place is free, whatever became of it.
            self.give(None)


class Held:
    """A line as long as somebody holds it: called, it says statements in one go. Raises what the store raises, when it is left."""

    __slots__ = ("_line", "_lines")

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._line: Line

    async def __aenter__(self) -> Self:
        self._line = await self._lines.take()
        return self

    async def __call__(self, *statements: Statement) -> list[list[Row]]:
        """The rows of each."""
        line, often = self._line, self._lines.often
        for statement, values in statements:
            line.send(statement, values, prepare=often(statement))
        return await line.answers()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        lines, line = self._lines, self._line
        # One that was left within a transaction would bring it along to whoever asks next.
        whole = error is None and line.is_at_rest
        try:
            if isinstance(error, psycopg.Error):
                # After an error nobody knows what the session has prepared.
                await line.close()
                raise DBAPIError(None, None, error, hide_parameters=True) from error
        finally:
            if whole or line.closed:
                lines.give(line)
            else:
                lines.leave(line)
