"""The rows of a chain as they are stored, page by page, each with the text that was linked.

PostgreSQL writes the canonical text of an access-log row itself: what it makes of texts and lists of texts is byte for byte what was linked. What it makes of the JSON
of an event is not, so that is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from hub.access.audit.chain import EVENTS, TIME, ChainKeys, canonical
from hub.store.database import Database
from hub.store.driver import send

PAGE = 4_000
_TIME = f"to_char(t.at AT TIME ZONE 'UTC', {TIME})"


def _bytes(members: Mapping[str, str], opened: str, closed: str) -> str:
    """Members as canonical text, in SQL. Each value is an expression for JSON text."""
    text = " || ',".join(f'"{name}":\' || {value}' for name, value in members.items())
    return f"convert_to('{opened}{text} || '{closed}', 'UTF8')"


def _text(column: str) -> str:
    return f"to_json(t.{column})::text"


def _uuid(column: str) -> str:
    return f"'\"' || t.{column}::text || '\"'"


def _list(column: str) -> str:
    return f"array_to_json(t.{column})::text"


_ACCESS_LEFT = {
    "at": f"'\"' || {_TIME} || '\"'",
    "client_id": _text("client_id"),
    "consents": _list("consents"),
    "customer_id": _uuid("customer_id"),
    "document_sha256": _text("document_sha256"),
    "fields": _list("fields"),
    "log_id": _uuid("log_id"),
    "operation": _text("operation"),
    "outcome": _text("outcome"),
    "purpose": _text("purpose"),
}
_ACCESS_RIGHT = {"terms": _list("terms"), "withheld": _list("withheld")}
_ACCESS = f"{_bytes(_ACCESS_LEFT, '{', ',')}, {_bytes(_ACCESS_RIGHT, '', '}')}"
_EVENT = f"t.action, t.actor, t.after::text, {_TIME}, t.before::text, t.event_id::text, t.subject"
_FIRST = UUID(int=0)


class Row(NamedTuple):
    """One stored row. ``left`` and ``right`` are its canonical text around its place: under which sequence it was linked is what is in question."""

    sequence: int
    id: str
    hash: bytes
    left: bytes
    right: bytes


@dataclass(frozen=True, slots=True)
class Chain:
    """How a chain is read and its rows are linked."""

    shard: int
    keys: ChainKeys

    @property
    def table(self) -> str:
        return "audit_event" if self.shard == EVENTS else "access_log"

    @property
    def id(self) -> str:
        return "event_id" if self.shard == EVENTS else "log_id"

    async def page(self, database: Database, sequence: int, after: str | None = None, most: int = PAGE) -> list[Row]:
        """Rows from ``sequence`` on, behind the row ``after`` of it where one is named; two rows may claim the same place."""
        values = {"shard": self.shard, "sequence": sequence, "after": after or _FIRST, "most": most}
        statement = (
            f"SELECT t.sequence, t.{self.id}::text, coalesce(t.hash, ''), {_EVENT if self.shard == EVENTS else _ACCESS} FROM {self.table} t"  # noqa: S608
            f" WHERE t.shard = %(shard)s AND t.sequence >= %(sequence)s AND (t.sequence, t.{self.id}) > (%(sequence)s, CAST(%(after)s AS uuid))"
            f" ORDER BY t.sequence, t.{self.id} LIMIT %(most)s"
        )
        found = await fetch(database, statement, values)
        return [_event(*row) for row in found] if self.shard == EVENTS else [Row._make(row) for row in found]

    @staticmethod
    def time_of(row: Row) -> str:
        """When it was written, as it was linked."""
        return str(orjson.loads(row.left[:-1] + b"}")["at"])

    def linker(self) -> Callable[[bytes, Row, int], bytes]:
        """Computes the hash of a row behind another one, were it linked at a given place."""
        link, end = self.keys.link, b',"shard":%d,' % self.shard
        return lambda before, row, sequence: link(before, b'%b"sequence":%d%b%b' % (row.left, sequence, end, row.right))


def _event(sequence: int, row: str, found: bytes, *values: Any) -> Row:
    action, actor, after, at, before, event_id, subject = values
    left = {"action": action, "actor": actor, "after": _read(after), "at": at, "before": _read(before), "event_id": event_id}
    return Row(sequence, row, found, canonical(left)[:-1] + b",", canonical({"subject": subject})[1:])


def _read(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)


async def fetch(database: Database, statement: str, values: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
    """All rows of a statement, in one round trip."""
    async with database.open() as opened, opened.driver.pipeline():
        for before in opened.first:
            await send(opened.driver, *before)
        answer = await send(opened.driver, statement, values, binary=True)
        for behind in opened.last:
            await send(opened.driver, *behind)
        found: Sequence[tuple[Any, ...]] = await answer.fetchall()
    return found
