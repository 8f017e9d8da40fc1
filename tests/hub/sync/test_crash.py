"""A worker that dies before or after any statement of a page (trust rules, test T33): whatever it had sent, the page is there whole or not at all, and the next run ends well.

The hook sits at the driver, below SQLAlchemy: from the moment of its death no connection of the process says another word, as after kill -9.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bench.chaos.sabotage import sabotage
from hub.domain.enums import Verdict
from hub.domain.identifiers import new_id
from hub.store.database import Database
from hub.store.driver import Answers, Statements
from hub.store.lanes import Lane
from hub.sync.calls import Calls
from hub.sync.desk import Unmetered
from hub.sync.engine import Engine
from hub.sync.reader import Reader
from tests.hub.sync.platform import connector, refund
from tests.hub.sync.world import QUICK, World, build

ROWS = [refund(f"r-{number}") for number in range(5)]
PAGE = 2
"""The page whose commit is cut, of three."""
BRIEF = replace(QUICK, lease=0.5)
"""A run that is dead does not wait for its lease to say so."""
_in_hand: ContextVar[bool] = ContextVar("in_hand", default=False)


class Died(Exception):
    """The process is gone."""


@dataclass
class Death:
    """Before (``after``: behind) the statement number ``at`` of the page. None: never, ``said`` is what it said."""

    at: int | None = None
    after: bool = False
    dead: bool = False
    said: list[str] = field(default_factory=list)
    pages: int = 0

    async def says(self, connection: psycopg.AsyncConnection[Any], what: str, call: Callable[[], Awaitable[Any]]) -> Any:
        """Every word to the database passes here."""
        number = len(self.said)
        if _in_hand.get():
            self.said.append(what)
        here = _in_hand.get() and number == self.at
        if self.dead or (here and not self.after):
            self._die(connection)
        answer = await call()
        if here:
            self._die(connection)
        return answer

    def _die(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self.dead = True
        connection.pgconn.finish()
        raise Died


def install(death: Death, patch: pytest.MonkeyPatch) -> None:
    """Puts the hook into the driver, and marks the page in hand."""
    cursor, connection, page = psycopg.AsyncCursor, psycopg.AsyncConnection, Reader._commit

    def hooked(name: str, of: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(self: Any, *values: Any, **options: Any) -> Any:
            return await death.says(getattr(self, "connection", self), f"{name} {_words(values)}", lambda: of(self, *values, **options))

        return call

    async def marked(self: Reader, *page_: Any) -> bool:
        death.pages += 1
        token = _in_hand.set(death.pages == PAGE)
        try:
            return await page(self, *page_)
        finally:
            _in_hand.reset(token)

    exchange = Lane.exchange

    async def exchanged(self: Lane, statements: Statements) -> Answers:
        """Several in one go: those before the death have reached the server, and were executed."""
        for index, (statement, _) in enumerate(statements):
            number = len(death.said)
            if _in_hand.get():
                death.said.append(f"send {_words((statement,))}")
            here = _in_hand.get() and number == death.at
            if here and index + death.after:
                await exchange(self, statements[: index + death.after])
            if here or death.dead:
                death._die(self.driver)
        return await exchange(self, statements)

    patch.setattr(Lane, "exchange", exchanged)
    for kind, name in ((cursor, "execute"), (cursor, "executemany"), (connection, "commit")):
        patch.setattr(kind, name, hooked(name, getattr(kind, name)))
    patch.setattr(Reader, "_commit", marked)


def _words(values: tuple[Any, ...]) -> str:
    said = values[0] if values else ""
    return " ".join((said.decode() if isinstance(said, bytes) else str(said)).split())[:40]


async def die(world: World, death: Death, broken: bool) -> Verdict | None:
    """One run in a process of its own that meets its death; None where it died."""
    database = Database(world.database.urls)
    engine = Engine(replace(world.equipment, database=database), Calls(world.calls.http, Unmetered()), BRIEF)
    await world.make_due()
    try:
        with pytest.MonkeyPatch.context() as patch:
            if broken:
                patch.setattr(Reader, "_commit", Reader._commit)
                sabotage("checkpoint", database)
            install(death, patch)
            return await engine.run(world.customer_id, world.connection_id)
    except Died:
        return None
    finally:
        await database.close()


async def is_whole(world: World) -> bool:
    """The rows and the place where the window stands tell the same, now and after another run has read on from there."""
    facts, raw, (window,) = len(await world.facts()), await world.count("raw_page"), await world.windows()
    stands = (window["cursor"] or {"page": 4})["page"] - 1
    if (facts, raw) != (min(2 * stands, len(ROWS)), stands):
        return False
    await world.do("UPDATE connection SET lease_until = NULL WHERE connection_id = :connection")
    assert await world.sync() is Verdict.COMPLETE
    found = await world.facts()
    counted = await world.rows("SELECT sum(stored)::int AS stored FROM sync_run WHERE connection_id = :connection")
    return [fact["refund_number"] for fact in found] == [row["no"] for row in ROWS] and counted == [{"stored": len(ROWS)}]


async def another(world: World, home: Path) -> World:
    """A customer of their own, under keys of their own."""
    keys = home / str(new_id())
    keys.mkdir()
    made = await build(world.database, keys, world.platform, world.server, connector())
    await made.calls.http.close()
    return replace(made, calls=world.calls)


async def statements(world: World, home: Path, *, broken: bool = False) -> list[str]:
    """What is said of the page when nobody dies."""
    world.platform.rows["2026-01-15"] = list(ROWS)
    quiet, alone = Death(), await another(world, home)
    assert await die(alone, quiet, broken) is Verdict.COMPLETE
    return quiet.said


async def deaths(world: World, home: Path, *, broken: bool = False) -> tuple[list[str], list[str]]:
    """Dies before and after each statement, each time with a customer of its own. What was said, and where a page was left in pieces: everywhere,
    or, of a broken engine, the first place."""
    said, torn = await statements(world, home, broken=broken), []
    for at, what in enumerate(said):
        for after in (False, True):
            one, death = await another(world, home), Death(at, after)
            assert await die(one, death, broken) is None
            assert death.dead
            if not await is_whole(one):
                torn.append(f"{'after' if after else 'before'} {what}")
                if broken:
                    return said, torn
    return said, torn


async def test_a_death_at_any_statement_leaves_a_page_whole_or_not_at_all(world: World, tmp_path: Path) -> None:
    said, torn = await deaths(world, tmp_path)
    print(f"crash: {2 * len(said)} of {2 * len(said)} restarts looked at, {len(torn)} torn; {said}")
    assert len(said) >= 4
    assert "send COMMIT" in said
    assert torn == []


async def test_control_in_two_transactions_a_page_is_torn(world: World, tmp_path: Path) -> None:
    _, torn = await deaths(world, tmp_path, broken=True)
    assert torn != []
