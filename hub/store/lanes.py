"""A few connections for what every page needs: the look before its request, and its commit. No SQLAlchemy, and no more waiting than the answer takes.

Checking a connection out of SQLAlchemy's pool and sending each statement by itself took a quarter of the time that a worker spends on a page. Here all statements leave
at once, prepared, in PostgreSQL's pipeline mode, and one wait brings all answers. A lane in which anything went wrong is not used again: a new one is opened.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

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


class Lane:
    """One connection. What goes over it is a transaction by itself, or begins and ends one."""

    def __init__(self, driver: Driver) -> None:
        self.driver, self._plans, self._numbers = driver, dict[tuple[bytes, tuple[int, ...]], _Plan](), count()
        self._prepares, self._transformer = driver.prepare_threshold is not None, Transformer(driver)

    async def exchange(self, statements: Statements) -> Answers:
        """All statements in one go. After one that failed the server skips the others. Raises psycopg.Error where the connection itself failed."""
        whole = False
        try:
            pq = self.driver.pgconn
            pq.enter_pipeline_mode()
            told = [self._send(*one) for one in statements]
            pq.pipeline_sync()
            results = await self._results()
            pq.exit_pipeline_mode()
            found = self._answers(results, told)
            whole = found.error is None and pq.transaction_status == TransactionStatus.IDLE
            return found
        finally:
            if not whole:
                await self.close()

    def is_good(self) -> bool:
        """Whether the server still holds it: one that is going says so before it is asked."""
        if self.driver.closed:
            return False
        poll = select.poll()
        poll.register(self.driver.pgconn.socket, select.POLLIN)
        return not poll.poll(0)

    async def close(self) -> None:
        """Gives up what is under way, too: it must hold no lock until the server misses the other end."""
        try:
            if not self.driver.closed and self.driver.pgconn.transaction_status == TransactionStatus.ACTIVE:
                with suppress(psycopg.Error):
                    await self.driver.cancel_safe(timeout=CANCEL)
        finally:
            await self.driver.close()

    def _send(self, statement: str, values: Any) -> int:
        """How many results it will have: one more where it is prepared first."""
        text, names = positional(statement)
        transformer, pq = self._transformer, self.driver.pgconn
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

    async def _results(self) -> list[PGresult]:
        """Until the server is through. A long page is heard while it is sent, or both sides would wait for each other."""
        pq, found = self.driver.pgconn, list[PGresult]()
        while pq.flush():
            await self._ready(write=True)
            pq.consume_input()
        while True:
            while pq.is_busy():
                await self._ready()
                pq.consume_input()
            result = pq.get_result()
            if result is None:
                if pq.status != ConnStatus.OK:
                    raise psycopg.OperationalError("the connection was lost")
                continue
            if result.status == ExecStatus.PIPELINE_SYNC:
                return found
            found.append(result)

    async def _ready(self, *, write: bool = False) -> None:
        loop, socket = asyncio.get_running_loop(), self.driver.pgconn.socket
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_reader(socket, _wake, ready)
        if write:
            loop.add_writer(socket, _wake, ready)
        try:
            await ready
        finally:
            loop.remove_reader(socket)
            if write:
                loop.remove_writer(socket)

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


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


class Lanes:
    """At most so many of them, opened when they are needed."""

    def __init__(self, connect: Callable[[], Awaitable[Driver]], most: int) -> None:
        self._connect, self._places, self._free, self._closed = connect, asyncio.Semaphore(most), list[Lane](), False

    async def exchange(self, statements: Statements) -> Answers:
        """Over the lane that was used last. Raises psycopg.Error, sqlalchemy.exc.TimeoutError."""
        await self._place()
        try:
            lane = await self._kept() or Lane(await self._connect())
            found = await lane.exchange(statements)
            if self._closed:
                await lane.close()
            elif not lane.driver.closed:
                self._free.append(lane)
            return found
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
