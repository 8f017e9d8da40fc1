"""The connections that reads are answered over: who asks and what is asked go out in one go, and the answer is one round trip away.

SQLAlchemy would wait for BEGIN, for ``set_config``, for the statement and for COMMIT, and turn what comes back into Python and then into text again. Here the first statement of a
transaction says who asks (``set_config(..., true)``), the read follows it, and both go over a :class:`~hub.store.line.Line`.

A few lines are kept busy rather than many in turns (ADR 71): a short read goes behind others of which the first has only just begun, and PostgreSQL goes on to it without being
woken. Whoever waits behind one that turns out to take long is sent elsewhere. A line whose asker has gone is closed: what it was doing is cancelled first, but for a pooler's (ADR 34).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from hub.store.driver import Driver
from hub.store.line import Asked, Elsewhere, Line, Row, Statement

_COUNTED = 4_096
_PATIENCE, _CANCELLING = 30.0, 5.0
DEPTH = 4
"""Askers of one line at most."""
YOUNG = 0.002
"""Seconds for which the first of a line's askers must not yet have waited when another one goes behind it."""
LONG = 0.02
"""Seconds after which those behind it are sent elsewhere."""


class Lines:
    """At most ``size`` of them, made by ``connect`` when they are needed. Raises what the store raises: SQLAlchemy's errors.

    ``shared``: through a pooler, where nothing is prepared and nothing cancelled, and nobody goes behind somebody else.
    """

    def __init__(self, connect: Callable[[], Awaitable[Driver]], size: int, *, shared: bool) -> None:
        self.connect, self.size, self.shared = connect, size, shared
        self._depth = 1 if shared else DEPTH
        self._free: list[Line] = []
        # Those that reads are asked over, in the order in which they began.
        self._reading: list[Line] = []
        self._waiting: deque[asyncio.Future[Line | None]] = deque()
        self._open = 0
        self._asked: Counter[str] = Counter()
        self._ending: set[asyncio.Task[None]] = set()
        self._look: asyncio.TimerHandle | None = None
        self._closed = False

    async def ask(self, *statements: Statement) -> list[list[Row]]:
        """The rows of each statement that only reads. They are one transaction; where another one's takes long ahead of it, it is asked again."""
        while True:
            line = self._quick()
            if line is None:
                line = await self.take()
                self._reading.append(line)
            try:
                return await self._answered(line, statements)
            except Elsewhere:
                continue
            except psycopg.Error as error:
                raise DBAPIError(None, None, error, hide_parameters=True) from error

    async def alone(self, *statements: Statement) -> list[list[Row]]:
        """The rows of each statement, over a line that nobody else asks over meanwhile: of those that write, and wait for the disk."""
        async with Held(self) as say:
            return await say(*statements)

    async def _answered(self, line: Line, statements: Sequence[Statement]) -> list[list[Row]]:
        asked: Asked | None = None
        try:
            asked = line.ask(statements, self.often)
            return await asked.answer
        finally:
            if asked is None or (asked in line.waiting and asked.answer.cancelled()):
                # It could not be asked, or the asker has gone.
                self._give_up(line)

    def _give_up(self, line: Line) -> None:
        """Whoever else waits for it asks over another one."""
        if line in self._reading:
            self._reading.remove(line)
            line.forsake(Elsewhere())
            self.leave(line)

    def _quick(self) -> Line | None:
        """A line to go behind others on, unless somebody waits for a free one."""
        for line in () if self._waiting else self._reading:
            if len(line.waiting) < self._depth and line.loop.time() - line.since < YOUNG and not line.closed:
                if self._look is None:
                    self._look = line.loop.call_later(LONG, self._look_after)
                return line
        return None

    def _look_after(self) -> None:
        """Nobody waits behind one that takes long."""
        self._look = None
        for line in [line for line in self._reading if len(line.waiting) > 1]:
            # Perhaps it was this process that took so long.
            line.hear()
            if len(line.waiting) > 1:
                if line.loop.time() - line.since >= LONG:
                    line.send_elsewhere()
                elif self._look is None:
                    self._look = line.loop.call_later(LONG, self._look_after)

    def _rests(self, line: Line) -> None:
        """Nobody waits for it any more."""
        if line in self._reading:
            self._reading.remove(line)
            self.give(line)

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
        """Whoever is still answered, or waits to be, is told that the store is away."""
        self._closed = True
        if self._ending:
            await asyncio.wait(self._ending)
        if self._look is not None:
            self._look.cancel()
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(None)
        while self._reading:
            line = self._reading.pop()
            line.forsake(psycopg.OperationalError("the lines were closed"))
            await line.close()
            self._open -= 1
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
            if self._closed:
                raise psycopg.OperationalError("the lines were closed")
            line = Line(await self.connect(), self._rests)
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
        return await self._line.ask(statements, self._lines.often).answer

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        lines, line = self._lines, self._line
        # One that was left within a transaction would bring it along to whoever asks next.
        whole = error is None and line.is_idle
        try:
            if isinstance(error, psycopg.Error):
                # It may stand within a transaction that failed.
                await line.close()
                raise DBAPIError(None, None, error, hide_parameters=True) from error
        finally:
            if whole or line.closed:
                lines.give(line)
            else:
                lines.leave(line)
