"""One connection that statements are asked over in PostgreSQL's pipeline mode: several askers' at a time, each of whose is a transaction by itself.

What one asker says goes out in one go and ends with a Sync. To PostgreSQL all of it until the Sync is one transaction: what was set ends with it, what failed fails alone, and the next
asker's begins anew. Answers come in the order of the questions.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer

from hub.store.driver import Driver, is_older, positional

Statement = tuple[str, Mapping[str, Any]]
Row = tuple[bytes | None, ...]
"""Values as PostgreSQL writes them."""
_PREPARED = 64
"""Statements that a session keeps ready."""
_AGAIN = 0.001
"""Seconds until the socket is asked whether it takes more. No event tells: a writer that is registered with the loop must be gone before libpq closes the socket."""
_LAST = (b"FATAL", b"PANIC")
"""How a server says that it ends the session."""
_BAD = (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE, pq.ExecStatus.PIPELINE_ABORTED)


class Elsewhere(Exception):
    """The line will not answer this asker, or not soon: ask over another one."""


class Asked:
    """What one asker waits for. ``answer``: the rows of each statement; or psycopg.Error, of the first that failed; or Elsewhere.

    ``made`` are the statements that are prepared for it, ahead of its own transaction and in one of their own.
    """

    __slots__ = ("_error", "_found", "answer", "made", "preparing", "unprepared")

    def __init__(self, answer: asyncio.Future[list[list[Row]]], made: Sequence[str]) -> None:
        self.answer, self.made, self.preparing, self.unprepared = answer, made, bool(made), False
        self._found: list[Any] = []
        self._error: psycopg.Error | None = None

    def heard(self, result: Any) -> bool:
        """One result; whether it was the last."""
        if result.status == pq.ExecStatus.PIPELINE_SYNC:
            ended, self.preparing = not self.preparing, False
            return ended
        if result.status in _BAD:
            self._error = self._error or psycopg.errors.error_from_result(result)
            self.unprepared = self.unprepared or self.preparing
        if not self.preparing:
            self._found.append(result)
        return False

    def settle(self) -> None:
        if self.answer.done():
            return
        if self._error is not None:
            self.answer.set_exception(self._error)
        else:
            self.answer.set_result([_rows(result) for result in self._found])

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Line:
    """``at_rest`` is told of it whenever nobody waits for it any more; ``since`` is when the first of those who do began to."""

    def __init__(self, driver: Driver, at_rest: Callable[[Line], None] | None = None) -> None:
        self.driver, self.libpq, self.loop, self.at_rest = driver, driver.pgconn, asyncio.get_running_loop(), at_rest
        self.waiting: deque[Asked] = deque()
        self.since = 0.0
        self._dumps, self._older = Transformer(driver), is_older(driver)
        self._names: OrderedDict[str, bytes] = OrderedDict()
        self._made = 0
        self._descriptor = self.libpq.socket
        self._flushing: asyncio.TimerHandle | None = None
        self.libpq.enter_pipeline_mode()
        self.loop.add_reader(self._descriptor, self.hear)
        self._heard = True

    @property
    def closed(self) -> bool:
        return self.driver.closed

    @property
    def is_idle(self) -> bool:
        """Nothing is under way, and no transaction is open."""
        return self.libpq.transaction_status == pq.TransactionStatus.IDLE

    async def close(self) -> None:
        """Whoever still waits for it is sent elsewhere."""
        self.forsake(Elsewhere())
        self._unhear()
        await self.driver.close()

    def ask(self, statements: Sequence[Statement], prepare: Callable[[str], bool]) -> Asked:
        """Sends them in one go. Raises psycopg.Error where the connection has failed, or a value cannot be sent; then nothing is waited for, and the line is of no use."""
        libpq, bound, made = self.libpq, [], []
        for statement, values in statements:
            text, names = positional(statement, older=self._older)
            name = None
            if prepare(statement):
                name = self._names.get(statement)
                if name is None:
                    # It stands by itself: it is there for others, too, whatever becomes of this asker's transaction.
                    name = self._prepare(statement, text)
                    made.append(statement)
                else:
                    self._names.move_to_end(statement)
            bound.append((name, text, self._dumps.dump_sequence([values[one] for one in names], [PyFormat.TEXT] * len(names))))
        if made:
            libpq.pipeline_sync()
        for name, text, dumped in bound:
            if name is None:
                libpq.send_query_params(text, dumped)
            else:
                libpq.send_query_prepared(name, dumped)
        libpq.pipeline_sync()
        if libpq.flush() and self._flushing is None:
            # More than the socket takes at once.
            self._flushing = self.loop.call_later(_AGAIN, self._flush)
        if not self.waiting:
            self.since = self.loop.time()
        asked = Asked(self.loop.create_future(), made)
        self.waiting.append(asked)
        return asked

    def send_elsewhere(self) -> None:
        """All but the first of those who wait: what they asked is still answered, to nobody."""
        for asked in list(self.waiting)[1:]:
            asked.fail(Elsewhere())

    def _prepare(self, statement: str, text: bytes) -> bytes:
        if len(self._names) >= _PREPARED:
            self.libpq.send_query_params(b"DEALLOCATE " + self._names.popitem(last=False)[1], None)
        self._made += 1
        name = self._names[statement] = b"read%d" % self._made
        self.libpq.send_prepare(name, text)
        return name

    def _flush(self) -> None:
        self._flushing = None
        try:
            if self.libpq.flush():
                self._flushing = self.loop.call_later(_AGAIN, self._flush)
        except psycopg.Error as error:
            self._lost(error)
            return
        # Of what libpq took in while it made room for what it sends no event tells.
        self.hear()

    def hear(self) -> None:
        """Whatever has come. While somebody waits it is looked for twice: after what a server said before it went away no loop is sure to tell that it has gone."""
        for _ in range(2):
            try:
                self.libpq.consume_input()
                if not self._take():
                    return
            except psycopg.Error as error:
                # The server has gone, or said goodbye while nothing was asked.
                self._lost(error)
                return

    def _take(self) -> bool:
        """Hands out the answers that are whole; whether somebody still waits. Raises psycopg.Error where the session has ended."""
        libpq, waiting, heard = self.libpq, self.waiting, False
        while waiting and not libpq.is_busy():
            result = libpq.get_result()
            if result is None:
                # The end of one statement's.
                if libpq.status != pq.ConnStatus.OK:
                    raise psycopg.OperationalError("the connection was lost")
                continue
            if result.status == pq.ExecStatus.FATAL_ERROR and result.error_field(pq.DiagnosticField.SEVERITY_NONLOCALIZED) in _LAST:
                raise psycopg.errors.error_from_result(result)
            if waiting[0].heard(result):
                self._settle(waiting.popleft())
                heard = True
        if heard:
            self.since = self.loop.time()
            if not waiting and self.at_rest is not None:
                self.at_rest(self)
        return bool(waiting)

    def _settle(self, asked: Asked) -> None:
        if asked.unprepared:
            for statement in asked.made:
                self._names.pop(statement, None)
        asked.settle()

    def _lost(self, error: psycopg.Error) -> None:
        self.forsake(error)
        self._unhear()
        self.libpq.finish()
        if self.at_rest is not None:
            self.at_rest(self)

    def _unhear(self) -> None:
        """The loop looks after it no longer; perhaps libpq has closed the socket already."""
        if self._flushing is not None:
            self._flushing.cancel()
        if self._heard:
            # Once: later its number may be another one's.
            self._heard = False
            with suppress(OSError):
                self.loop.remove_reader(self._descriptor)

    def forsake(self, error: Exception) -> None:
        """Whoever waits is told so."""
        while self.waiting:
            self.waiting.popleft().fail(error)


def _rows(result: Any) -> list[Row]:
    return [tuple(result.get_value(row, column) for column in range(result.nfields)) for row in range(result.ntuples)]
