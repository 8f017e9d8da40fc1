"""The shape of a connector's records: which paths they have and of what type, learned from samples. What comes later is drift.

Of a page the first and the last record are looked at and those that are refused, of every :data:`EVERY`-th page once a stream is known in this run: drift shows in all
records or it does not matter. A path names members, never a
value: a member that could be one (digits, other scripts, an object with too many members to be a record) is written as ``*``. Null says nothing about a type.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import structlog
from sqlalchemy import text

from hub.connect import Record
from hub.store.database import Database

log = structlog.get_logger("hub.sync")

EVERY = 8
LEARNING = 50
"""Sampled records of a stream until its shape is known."""
DEEPEST, MOST_MEMBERS, MOST_PATHS, FIRST_ELEMENTS = 6, 64, 400, 3
ROOT = ("$", "object")
_MEMBER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}", re.ASCII)
_DIGITS = re.compile(r"\d{4}")

Place = tuple[str, str]
"""Path and type."""

_SEE = """
WITH learned AS (
    SELECT coalesce(max(sightings) FILTER (WHERE path = '$'), 0) >= %(learning)s AS is_known FROM record_shape WHERE connector = %(connector)s AND stream = %(stream)s
)
INSERT INTO record_shape (connector, stream, path, type, sightings, drifted, first_seen, last_seen)
SELECT %(connector)s, %(stream)s, u.path, u.type, u.sightings, learned.is_known, now(), now()
FROM learned, unnest(%(paths)s::text[], %(types)s::text[], %(sightings)s::bigint[]) AS u(path, type, sightings) ORDER BY u.path, u.type
ON CONFLICT (connector, stream, path, type) DO UPDATE SET sightings = record_shape.sightings + excluded.sightings, last_seen = excluded.last_seen
RETURNING path, type, drifted AND first_seen = last_seen AS is_new
"""
_KNOWN = text("SELECT path, type FROM record_shape WHERE connector = :connector AND stream = :stream")


@dataclass
class _Stream:
    """What this process has seen of a stream. ``seen`` was not written yet."""

    known: set[Place] = field(default_factory=set)
    seen: Counter[Place] = field(default_factory=Counter)
    pages: int = 0


class Shapes:
    """One per run: samples are counted in memory, written when something new comes up and when the run ends."""

    def __init__(self, database: Database, connector: str) -> None:
        self.database, self.connector = database, connector
        self._streams: dict[str, _Stream] = {}

    async def look(self, stream: str, records: Sequence[Record], refused: Sequence[Any] = ()) -> None:
        """Samples a page that has been committed."""
        state = self._streams.get(stream) or await self._load(stream)
        state.pages += 1
        whole = state.pages <= EVERY or state.pages % EVERY == 0
        sample = [*(records[:1] if whole else ()), *(records[1:][-1:] if whole else ()), *refused[:FIRST_ELEMENTS]]
        for record in sample:
            state.seen.update(set(places(record)))
        if not state.known.issuperset(state.seen):
            await self._write(stream, state)

    async def flush(self) -> None:
        """Writes what was counted since."""
        for stream, state in self._streams.items():
            if state.seen:
                await self._write(stream, state)

    async def _load(self, stream: str) -> _Stream:
        async with self.database.work() as tx:
            rows = (await tx.execute(_KNOWN, {"connector": self.connector, "stream": stream})).all()
        return self._streams.setdefault(stream, _Stream({(row.path, row.type) for row in rows}))

    async def _write(self, stream: str, state: _Stream) -> None:
        seen, state.seen = state.seen, Counter()
        state.known |= seen.keys()
        values = {"connector": self.connector, "stream": stream, "learning": LEARNING}
        columns = {"paths": [path for path, _ in seen], "types": [kind for _, kind in seen], "sightings": list(seen.values())}
        async with self.database.work() as tx:
            rows = (await tx.exec_driver_sql(_SEE, {**values, **columns})).all()
        for row in rows:
            if row.is_new:
                log.warning("record_drifted", connector=self.connector, stream=stream, path=row.path, type=row.type)


def places(record: Any) -> Iterator[Place]:
    """The paths of a record with their types. Bounded in depth, width and number."""
    for number, place in enumerate(_walk(record, ROOT[0], DEEPEST)):
        if number >= MOST_PATHS:
            return
        yield place


def _walk(value: Any, path: str, deeper: int) -> Iterator[Place]:
    kind = _type(value)
    if kind is None:
        return
    yield path, kind
    if not deeper:
        return
    if kind == "object":
        wide = len(value) > MOST_MEMBERS
        for name, member in list(value.items())[:MOST_MEMBERS]:
            yield from _walk(member, f"{path}.{'*' if wide else _member(name)}", deeper - 1)
    elif kind == "list":
        for element in value[:FIRST_ELEMENTS]:
            yield from _walk(element, f"{path}[]", deeper - 1)


def _type(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, Mapping):
        return "object"
    kinds = ((bool, "bool"), (int, "int"), (Decimal | float, "number"), (str, "text"), (list | tuple, "list"))
    return next((name for cls, name in kinds if isinstance(value, cls)), "other")


def _member(name: object) -> str:
    """A member's name, if it can be nothing but a name."""
    text = str(name)
    return text if _MEMBER.fullmatch(text) and not _DIGITS.search(text) else "*"
