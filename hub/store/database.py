"""Connections to the store: who asks is part of every transaction.

The first statement of each transaction tells PostgreSQL the client, the purpose and the time limits with ``set_config(..., true)``, which ends with the
transaction, so that a pooler hands nothing to the next one (trust rules, section j). Reading and writing are different types: a function that only
reads cannot be handed a connection that writes.

Through a pooler in transaction mode (``Urls.pooled``) a session is nobody's: nothing is said when it begins, and no statement is prepared in it (ADR 34).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NewType

import msgspec
import orjson
import psycopg
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from hub.domain.caller import Caller
from hub.store.driver import Answers, Driver, Patient, Statements, send
from hub.store.embedded import Urls
from hub.store.lanes import Lanes
from hub.store.line import Row
from hub.store.lines import Lines

Read = NewType("Read", AsyncConnection)
Write = NewType("Write", AsyncConnection)

# Limits of the transaction and not of the session only: a pooler in transaction mode takes no options for a session.
_LIMITS = (
    "set_config('idle_in_transaction_session_timeout', '60s', true), set_config('timezone', 'UTC', true), set_config('jit', 'off', true)"
)
_WHO = (
    "set_config('hub.client', :client, true), set_config('hub.purpose', :purpose, true), set_config('hub.now', :now, true),"
    " set_config('hub.inside', :inside, true), set_config('hub.seen', '', true), set_config('statement_timeout', :limit, true)"
)
_SCOPE = text(f"select {_WHO}, {_LIMITS}")
_READ_SCOPE = text(f"select {_WHO}, {_LIMITS}, set_config('transaction_read_only', 'on', true)")
# Facts and their page are looked up by key, also while their tables are so small that PostgreSQL would rather read them whole, and would go on doing so when they have grown.
_BEGIN = f"""
select set_config('hub.client', %(client)s, true), set_config('hub.purpose', %(purpose)s, true), set_config('hub.seen', '', true),
    set_config('statement_timeout', %(limit)s, true), {_LIMITS}, set_config('enable_seqscan', 'off', true)
"""

_SAID = """select set_config('hub.client', %(client)s, true), set_config('hub.purpose', %(purpose)s, true), set_config('hub.now', %(now)s, true),
    set_config('hub.inside', %(inside)s, true), set_config('hub.seen', '', true), set_config('hub.operator', %(operator)s, true), set_config('statement_timeout', %(limit)s, true)"""
_READ_ONLY = "set_config('transaction_read_only', 'on', true)"


CONNECT_SECONDS = 10
LANES = 3
"""To so many connections of the pool for the hub's own work one more is opened for what every page needs."""
PARTNER_SECONDS, ANSWER_SECONDS, WORK_SECONDS = 2, 5, 60
"""Time limits of one statement: for a partner, for whoever else waits for an answer, and for the hub's own work (trust rules, section f)."""


class Scope(msgspec.Struct, frozen=True):
    """Who asks, what for, and at which instant of business time consents must be in force (None: the database's own, see :mod:`hub.store.security`);
    ``seconds`` are what one statement may take. ``inside``: the institution itself asks, and no partner app; None: let the store look at the client.
    """

    client: str
    purpose: str
    seconds: int = ANSWER_SECONDS
    now: datetime | None = None
    inside: bool | None = None

    @staticmethod
    def of(caller: Caller, now: datetime | None = None) -> Scope:
        seconds = PARTNER_SECONDS if caller.audience == "PARTNER" else ANSWER_SECONDS
        return Scope(caller.client_id, caller.purpose, seconds, now, caller.app is None)

    @property
    def values(self) -> dict[str, str]:
        """The parameters of a transaction's first statement."""
        now = self.now.isoformat() if self.now else ""
        inside = {None: "", True: "yes", False: "no"}[self.inside]
        return {"client": self.client, "purpose": self.purpose, "now": now, "inside": inside, "limit": f"{self.seconds}s"}


STORE_ERRORS = (SQLAlchemyError, psycopg.Error)
"""Whatever a statement or a connection may raise."""

HUB = Scope("hub", "CREDIT_APPROVAL", WORK_SECONDS)
"""The hub's own work (syncing, evaluating), done as role hub_worker."""


def is_away(error: Exception) -> bool:
    """Whether the database, or a connection to it, is what failed: gone, shutting down, too slow, no connection free. Else it refused the statement."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, NoConnectionFree | psycopg.OperationalError | psycopg.InterfaceError)


_PLANNED_ONCE = " -c plan_cache_mode=force_generic_plan"
"""For statements that are the same whatever their values. Left to itself PostgreSQL plans one again, each time, where it takes the plan for these values to be cheaper: it
takes it so where its statistics see too many rows for a customer, as they do in a large store, and to plan a view takes three times as long as to read it. A length of a
list that it does not know has the same effect (the heads of the chains)."""


def _session(seconds: int, pooled: bool) -> dict[str, Any]:
    """How a session begins. A pooler in transaction mode would refuse options, or hand them and what is prepared to others."""
    if pooled:
        return {"prepare_threshold": None, "async_creator_fn": Patient.connect}
    limits = f"-c statement_timeout={seconds * 1000} -c idle_in_transaction_session_timeout=60000"
    return {"options": f"{limits} -c timezone=UTC -c jit=off"}


def _connecting(seconds: int, pooled: bool) -> dict[str, Any]:
    return {"connect_timeout": CONNECT_SECONDS, **_session(seconds, pooled)}


def told(error: psycopg.Error) -> DBAPIError:
    """Whoever handles what the store raises knows SQLAlchemy's errors."""
    return DBAPIError(None, None, error, hide_parameters=True)


def _engine(url: str, size: int, seconds: int, pooled: bool) -> AsyncEngine:
    """A pool. A statement that takes longer than ``seconds`` is ended by the server."""
    engine = create_async_engine(
        url,
        # An error's text goes into logs and must not hold what was written.
        hide_parameters=True,
        pool_size=size,
        max_overflow=0,
        pool_timeout=30,
        json_serializer=lambda value: orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode(),
        json_deserializer=orjson.loads,
        connect_args=_connecting(seconds, pooled),
    )
    event.listen(engine.sync_engine, "checkout", _still_open)
    return engine


def _still_open(connection: Any, _record: Any, _proxy: Any) -> None:
    """A request that was cancelled twice leaves a closed connection behind, which the next one must not be handed. Asks nobody: it is known on this side."""
    if connection.driver_connection.closed:
        raise DisconnectionError


@dataclass(frozen=True, slots=True)
class Opened:
    """A transaction that has not begun yet. :attr:`first` are the statements to send ahead of one's own; :attr:`last` may be sent behind them, else it ends
    by itself.
    """

    tx: Write
    driver: Driver
    scope: Scope

    @property
    def first(self) -> Statements:
        return _first(self.scope)

    @property
    def last(self) -> Statements:
        return (("COMMIT", {}),)


@dataclass(frozen=True, slots=True)
class Begun:
    """A transaction that is sent whole: what is exchanged stands between its :attr:`first` and :attr:`last` statements."""

    exchange: Callable[[Statements], Awaitable[Answers]]
    scope: Scope

    @property
    def first(self) -> Statements:
        return _first(self.scope)

    @property
    def last(self) -> Statements:
        return (("COMMIT", {}),)


def _first(scope: Scope) -> Statements:
    return (("BEGIN", {}), (_BEGIN, scope.values))


async def driver_of(tx: Write) -> Driver:
    """The driver's own connection beneath a transaction: for statements sent in one go, which SQLAlchemy does not know."""
    return (await tx.get_raw_connection()).driver_connection  # type: ignore[return-value]


class Database:
    """Two pools: ``app`` answers clients under row-level security, ``worker`` does the hub's own work. Reads have lines of their own, as ``app``, and what
    is written in groups beside them (the access log) has ``writers``, as ``worker``. ``looks`` is one line for whoever asks whether the store answers: that all
    others are taken is no reason to say that it does not.
    """

    def __init__(self, urls: Urls, *, app_pool: int = 10, worker_pool: int = 12, lines: int = 8) -> None:
        self.urls = urls
        self.app = _engine(urls.app, app_pool, ANSWER_SECONDS, urls.pooled)
        self.worker = _engine(urls.worker, worker_pool, WORK_SECONDS, urls.pooled)
        self.lines = Lines(lambda: self._line(self.app, ANSWER_SECONDS), lines, shared=urls.pooled)
        self.writers = Lines(lambda: self._line(self.worker, WORK_SECONDS), 2, shared=urls.pooled)
        self.looks = Lines(lambda: self._line(self.app, ANSWER_SECONDS), 1, shared=urls.pooled)
        self._lanes = Lanes(self._lane, max(1, worker_pool // LANES))
        # A session of our own begins with the limits; one behind a pooler has none.
        self._said = f"{_SAID}, {_LIMITS}" if urls.pooled else _SAID
        self._said_to_read = f"{self._said}, {_READ_ONLY}"

    async def _line(self, engine: AsyncEngine, seconds: int) -> Driver:
        session = _session(seconds, self.urls.pooled)
        if "options" in session:
            session["options"] += _PLANNED_ONCE
        session.pop("async_creator_fn", None)
        where = engine.dialect.create_connect_args(engine.url)[1]
        return await psycopg.AsyncConnection.connect(**where, connect_timeout=CONNECT_SECONDS, autocommit=True, **session)

    async def ask(self, scope: Scope, statement: str, values: Mapping[str, Any], *, operator: bool = False) -> list[Row]:
        """The rows of one statement that only reads, in a transaction of a client, as PostgreSQL writes their values: one round trip."""
        who = {**scope.values, "operator": "yes" if operator else ""}
        return (await self.lines.ask((self._said_to_read, who), (statement, values)))[1]

    async def ask_as_hub(self, scope: Scope, statement: str, values: Mapping[str, Any]) -> Any:
        """The first value of the one row of a statement that only reads, as the hub, within the time of a client."""
        async with self.worker.connect() as connection, connection.begin():
            await connection.execute(_READ_SCOPE, scope.values)
            driver = await driver_of(Write(connection))
            try:
                row = await (await send(driver, statement, values)).fetchone()
            except psycopg.Error as error:
                raise told(error) from error
            return row and row[0]

    async def do(self, scope: Scope, statement: str, values: Mapping[str, Any]) -> list[Row]:
        """The rows of one statement that writes, committed when they are there: one round trip."""
        return (await self.lines.alone((self._said, {**scope.values, "operator": ""}), (statement, values)))[1]

    async def close(self) -> None:
        await self.lines.close()
        await self.looks.close()
        await self._lanes.close()
        await self.writers.close()
        await self.app.dispose()
        await self.worker.dispose()

    @asynccontextmanager
    async def read(self, scope: Scope) -> AsyncIterator[Read]:
        """A read-only transaction of a client."""
        async with self.app.connect() as connection, connection.begin():
            await connection.execute(_READ_SCOPE, scope.values)
            yield Read(connection)

    @asynccontextmanager
    async def write(self, scope: Scope) -> AsyncIterator[Write]:
        """A transaction of a client that commits at its end, or not at all."""
        async with self.app.connect() as connection, connection.begin():
            await connection.execute(_SCOPE, scope.values)
            yield Write(connection)

    @asynccontextmanager
    async def _at_will(self) -> AsyncIterator[tuple[AsyncConnection, Driver]]:
        """A connection whose transactions begin and end when they are told to. What is returned to the pool is at rest, and as it was."""
        async with self.worker.connect() as connection:
            driver = await driver_of(Write(connection))
            await driver.set_autocommit(True)
            try:
                yield connection, driver
            except psycopg.Error as error:
                raise told(error) from error
            finally:
                if driver.closed:
                    await connection.invalidate()
                else:
                    await driver.rollback()
                    await driver.set_autocommit(False)

    async def look(self, statement: str, values: Mapping[str, Any]) -> Any:
        """The one row of a statement that is a transaction by itself, or None: one round trip."""
        async with self._at_will() as (_, driver):
            return await (await send(driver, statement, values)).fetchone()

    async def glance(self, statement: str, values: Mapping[str, Any]) -> Any:
        """:meth:`look`, for what every page asks."""
        rows, error = await self._exchange(((statement, values),))
        if error is not None:
            raise told(error) from error
        return rows[0][0] if rows[0] else None

    async def _exchange(self, statements: Statements) -> Answers:
        """In one go over a lane (:mod:`hub.store.lanes`)."""
        try:
            return await self._lanes.exchange(statements)
        except psycopg.Error as error:
            raise told(error) from error

    def begun(self, scope: Scope = HUB) -> Begun:
        """A transaction of the hub itself that is sent whole."""
        return Begun(self._exchange, scope)

    async def _lane(self) -> Driver:
        """A connection as the pool's are."""
        arguments = _connecting(WORK_SECONDS, self.urls.pooled)
        if "options" in arguments:
            # A lane has its statements planned anew itself, before a plan is too old for what has become of the tables.
            arguments["options"] += _PLANNED_ONCE
        made = arguments.pop("async_creator_fn", psycopg.AsyncConnection.connect)
        _, named = self.worker.dialect.create_connect_args(self.worker.url)
        return await made(**named, **arguments, autocommit=True)  # type: ignore[no-any-return]

    @asynccontextmanager
    async def open(self, scope: Scope = HUB) -> AsyncIterator[Opened]:
        """A transaction of the hub itself that begins with its first statements, all sent in one go. It commits at its end, or not at all."""
        async with self._at_will() as (connection, driver):
            yield Opened(Write(connection), driver, scope)
            await driver.commit()

    @asynccontextmanager
    async def work(self, scope: Scope = HUB) -> AsyncIterator[Write]:
        """A transaction of the hub itself."""
        async with self.worker.connect() as connection, connection.begin():
            await connection.execute(_SCOPE, scope.values)
            yield Write(connection)
