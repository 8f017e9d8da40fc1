"""Positive controls: a worker whose guard is taken out. What follows must be found by the auditor, else the auditor finds nothing.

The third guard, durability, is the database's: :meth:`bench.chaos.world.World.forget` takes it out.
"""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import text

from bench.chaos.traps import PLACES
from hub.connect import Json
from hub.errors import LeaseLost
from hub.store import pages
from hub.store.database import Database
from hub.sync import claim, reader
from hub.sync.plan import Task


def sabotage(broken: str, database: Database) -> None:
    """Breaks this process's engine."""
    {"epoch": _without_epoch, "checkpoint": _checkpoint_first}[broken](database)


def _without_epoch(_database: Database) -> None:
    """The fence holds for every epoch: who was overtaken does not hear of it, and writes all the same."""
    pages._COMMIT = _without(pages._COMMIT, " AND epoch = %(epoch)s", "")
    reader._MAY_FETCH = _without(reader._MAY_FETCH, "epoch = %(epoch)s", "epoch >= %(epoch)s")
    claim._RENEW = text(_without(claim._RENEW.text, "epoch = :epoch", "epoch >= :epoch"))


def _without(statement: str, guard: str, instead: str) -> Any:
    assert guard in statement
    return statement.replace(guard, instead)


_AHEAD = text("""
    UPDATE sync_window SET cursor = CAST(:next AS jsonb), state = coalesce(:end, state), pages = pages + 1, fetched = fetched + :fetched, stored = stored + :fetched,
        covered = CASE WHEN CAST(:end AS text) IS NULL THEN covered ELSE datemultirange(daterange(first_day, last_day, '[]')) END, declared_total = coalesce(:total, declared_total)
    WHERE connection_id = :connection AND stream = :stream AND first_day = :first AND state = 'OPEN' AND cursor IS NOT DISTINCT FROM CAST(:cursor AS jsonb)
""")
_BACK = text("""
    UPDATE sync_window SET cursor = CAST(:cursor AS jsonb), state = 'OPEN', pages = pages - 1, fetched = fetched - :fetched, stored = stored - :fetched
    WHERE connection_id = :connection AND stream = :stream AND first_day = :first AND cursor IS NOT DISTINCT FROM CAST(:next AS jsonb)
""")


def _checkpoint_first(database: Database) -> None:
    """The window moves in a transaction before that of the rows. Between the two is a place for a trap; then, so that the page can be written as ever, it is moved back."""
    commit = reader.Reader._commit

    async def early(self: reader.Reader, task: Task, answer: Any, made: Any) -> bool:
        window = {"connection": self.run.connection_id, "stream": task.stream.name, "first": task.window.first}
        said = made.page.step
        step = {"cursor": _json(said.cursor), "next": _json(said.next), "fetched": said.fetched}
        async with database.work() as tx:
            moved = await tx.execute(_AHEAD, {**window, **step, "end": said.end, "total": said.total})
        if moved.rowcount != 1:
            raise LeaseLost("The window moved under this page.", kind="cursor")
        async with database.work() as tx:
            await tx.execute(text("SELECT pg_advisory_xact_lock_shared(4711, :place)"), {"place": PLACES["gap"]})
        async with database.work() as tx:
            await tx.execute(_BACK, {**window, **step})
        return await commit(self, task, answer, made)

    reader.Reader._commit = early  # type: ignore[method-assign]


def _json(value: Json | None) -> str | None:
    return None if value is None else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
