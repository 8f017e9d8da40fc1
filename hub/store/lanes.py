"""A few connections for what every page needs: the look before its request, and its commit. No SQLAlchemy, and no more waiting than the answer takes.

Checking a connection out of SQLAlchemy's pool and sending each statement by itself took a quarter of the time that a worker spends on a page. Here all statements leave
at once, prepared, in PostgreSQL's pipeline mode, and one wait brings all answers. A lane in which anything went wrong is not used again: a new one is opened.

What must happen in order goes over a :class:`Track`: the next transaction is sent before the one before is answered, so that PostgreSQL goes from one to the other
without waiting for anybody.
"""

from __future__ import annotations

import asyncio
import select
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from hub.store.driver import Answers, Driver, Statements, positional

WAIT = 30.0
"""Seconds that a page waits for a lane."""
CANCEL = 5.0
"""Seconds that the server is asked to give a statement up in."""
LONGEST = 64
"""Uses of a plan at most. The first plan of a statement is used once, the next one twice, and so on: one that was made while the tables were empty is soon gone, and
planning costs next to nothing later on."""


@dataclass(slots=True)
class _Plan:
    """A prepared statement: its name in the session, for how many uses it is good, and how many it had."""

    name: bytes
    until: int
    uses: int = 1


@dataclass(eq=False, slots=True)
class Asked:
    """What was sent in one go: how many results each statement will have, and all of them, once they are there."""

    told: list[int]
    results: asyncio.Future[list[PGresult]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Lane:
    """One connection. What goes over it is a transaction by itself, or begins and ends one."""

    def __init__(self, driver: Driver) -> None:
        self.driver, self._plans, self._numbers = driver, dict[tuple[bytes, tuple[int, ...]], _Plan](), count()
        self._prepares, self._transformer = driver.prepare_threshold is not None, Transformer(driver)
        self._pq, self._loop = driver.pgconn, asyncio.get_running_loop()
        self._asked, self._results = deque[Asked](), list[PGresult]()
        self._under_way, self._spoilt = 0, False
        self._writable: asyncio.Future[None] | None = None
        self._socket, self._poll = self._pq.socket, select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._pq.enter_pipeline_mode()
        self._loop.add_reader(self._socket, self._hear)

    @property
    def is_at_rest(self) -> bool:
        return not self._under_way

    @property
    def is_spoilt(self) -> bool:
        """Whether something went wrong in it."""
        return self._spoilt or self.driver.closed

    def is_good(self) -> bool:
        """Whether the server still holds it: one that is going says so before it is asked."""
        return not self.is_spoilt and not self._poll.poll(0)

    async def exchange(self, statements: Statements) -> Answers:
        """All statements in one go, sent at once, behind whatever was sent before. After one that failed the server skips the others. Raises psycopg.Error where the
        connection itself failed."""
        whole = False
        self._under_way += 1
        try:
            asked = Asked([self._send(*one) for one in statements])
            self._pq.pipeline_sync()
            self._asked.append(asked)
            while self._pq.flush():
                await self._room()
            # Of what libpq took in while it made room for what it sends no event tells.
            self._go_on()
            found = self._answers(await asked.results, asked.told)
            whole = found.error is None
            return found
        finally:
            self._under_way -= 1
            self._spoilt = self._spoilt or not whole
            if not self._under_way and (self._spoilt or self._pq.transaction_status != TransactionStatus.IDLE):
                await self.close()

    async def close(self) -> None:
        """Gives up what is under way, too: it must hold no lock until the server misses the other end."""
        self._lose(psycopg.OperationalError("the lane was closed"))
        self._loop.remove_writer(self._socket)
        if self.driver.closed:
            return
        try:
            if self._pq.transaction_status == TransactionStatus.ACTIVE:
                with suppress(psycopg.Error):
                    await self.driver.cancel_safe(timeout=CANCEL)
        finally:
            await self.driver.close()

    def _send(self, statement: str, values: Any) -> int:
        """How many results it will have: one more where it is prepared first."""
        text, names = positional(statement)
        transformer, pq = self._transformer, self._pq
        parameters = transformer.dump_sequence([values[name] for name in names], [PyFormat.AUTO] * len(names))
        types, formats = transformer.types or (), transformer.formats
        if not self._prepares:
            pq.send_query_params(text, parameters, types, formats)
            return 1
        plan = self._plans.get((text, types))
        if plan is not None and plan.uses < plan.until:
            plan.uses += 1
            pq.send_query_prepared(plan.name, parameters, formats)
            return 1
        # A lane in which a statement failed, perhaps to be prepared, is not used again: the name is good for as long as the lane is.
        made = self._plans[text, types] = _Plan(b"hub_%d" % next(self._numbers), min(2 * plan.until, LONGEST) if plan else 1)
        if plan is not None:
            pq.send_query_params(b"DEALLOCATE " + plan.name, None)
        pq.send_prepare(made.name, text, types)
        pq.send_query_prepared(made.name, parameters, formats)
        return 2 if plan is None else 3

    def _hear(self) -> None:
        """Takes what has come. A long page is heard while it is sent, or both sides would wait for each other."""
        try:
            self._pq.consume_input()
        except psycopg.Error as error:
            self._lose(error)
            return
        # Whom nobody asked says that he is going.
        self._spoilt = self._spoilt or not self._asked
        self._go_on()

    def _go_on(self) -> None:
        """Hands out the answers that are whole."""
        try:
            while self._asked and not self._pq.is_busy():
                self._take(self._pq.get_result())
        except psycopg.Error as error:
            self._lose(error)

    def _take(self, result: PGresult | None) -> None:
        if result is None:
            if self._pq.status != ConnStatus.OK:
                raise psycopg.OperationalError("the connection was lost")
        elif result.status != ExecStatus.PIPELINE_SYNC:
            self._results.append(result)
        else:
            asked, found, self._results = self._asked.popleft(), self._results, []
            if not asked.results.done():
                asked.results.set_result(found)

    def _lose(self, error: psycopg.Error) -> None:
        self._spoilt = True
        self._loop.remove_reader(self._socket)
        while self._asked:
            asked = self._asked.popleft()
            if not asked.results.done():
                asked.results.set_exception(error)

    async def _room(self) -> None:
        """Until the socket takes more."""
        if self._writable is None:
            self._writable = self._loop.create_future()
            self._loop.add_writer(self._socket, self._wrote, self._writable)
        await asyncio.wait([self._writable])

    def _wrote(self, writable: asyncio.Future[None]) -> None:
        self._loop.remove_writer(self._socket)
        self._writable = None
        writable.set_result(None)

    def _answers(self, results: list[PGresult], told: list[int]) -> Answers:
        rows: list[list[tuple[Any, ...]]] = []
        at = 0
        for number in told:
            for result in results[at : at + number]:
                if result.status == ExecStatus.FATAL_ERROR:
                    return Answers(rows, error_from_result(result, encoding="utf-8"))
            at += number
            rows.append(self._rows(results[at - 1]))
        return Answers(rows, None)

    def _rows(self, result: PGresult) -> list[tuple[Any, ...]]:
        if not result.ntuples:
            return []
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple)


class Way(Protocol):
    """Over which statements are sent in one go."""

    async def exchange(self, statements: Statements) -> Answers: ...


class Lanes:
    """At most so many of them, opened when they are needed."""

    def __init__(self, connect: Callable[[], Awaitable[Driver]], most: int) -> None:
        self._connect, self._places, self._free, self._closed = connect, asyncio.Semaphore(most), list[Lane](), False

    async def exchange(self, statements: Statements) -> Answers:
        """Over the lane that was used last. Raises psycopg.Error, sqlalchemy.exc.TimeoutError."""
        lane = await self.take()
        try:
            return await lane.exchange(statements)
        finally:
            await self.give_back(lane)

    async def take(self) -> Lane:
        """A lane at rest. Raises what :meth:`exchange` does."""
        await self._place()
        try:
            return await self._kept() or Lane(await self._connect())
        except BaseException:
            self._places.release()
            raise

    async def give_back(self, lane: Lane) -> None:
        """Nobody uses it any more."""
        try:
            if self._closed or lane.is_spoilt:
                await lane.close()
            else:
                self._free.append(lane)
        finally:
            self._places.release()

    async def close(self) -> None:
        """None is kept from now on."""
        self._closed = True
        while self._free:
            await self._free.pop().close()

    async def _place(self) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        try:
            async with asyncio.timeout(WAIT):
                await self._places.acquire()
        except TimeoutError:
            raise NoConnectionFree("no lane became free in time") from None

    async def _kept(self) -> Lane | None:
        while self._free:
            lane = self._free.pop()
            if lane.is_good():
                return lane
            await lane.close()
        return None


NOT_BEGUN = ("25P02", "26000")
"""How a BEGIN fails that was sent behind a transaction that failed: that one has not ended, or what it would have prepared is not there."""


class Track:
    """One lane for as long as something is under way in it: transactions are done in the order in which they were asked for. What was sent behind one that failed is sent
    again, over another lane.
    """

    def __init__(self, lanes: Lanes) -> None:
        self._lanes, self._turn = lanes, asyncio.Lock()
        self._lane: Lane | None = None

    async def exchange(self, statements: Statements) -> Answers:
        """One transaction, from its BEGIN to its COMMIT. Raises what :meth:`Lanes.exchange` does."""
        while True:
            found = await self._once(statements)
            if found.rows or found.error is None or found.error.sqlstate not in NOT_BEGUN:
                return found

    async def _once(self, statements: Statements) -> Answers:
        async with self._turn:
            if self._lane is None or self._lane.is_spoilt:
                self._lane = await self._lanes.take()
            lane = self._lane
        try:
            # Sent before anybody else has a turn.
            return await lane.exchange(statements)
        finally:
            if lane.is_at_rest:
                # From now on it may be anybody's.
                self._lane = None if self._lane is lane else self._lane
                await self._lanes.give_back(lane)
