"""The rows of a chain as they are stored, page by page, each with the text that was linked.

A row is a tuple: its place (sequence, id), its hash, and its values in the order of :data:`_ACCESS` or :data:`_EVENT`. What is JSON comes as text and is read once per
distinct text: most rows of an access log name the same fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from hub.access.audit.chain import EVENTS, TIME, ChainKeys, canonical
from hub.store.database import Database
from hub.store.driver import send

PAGE = 4_000
_TIME = f"to_char(t.at AT TIME ZONE 'UTC', {TIME})"
_ACCESS = {
    "at": _TIME, "client_id": "t.client_id", "consents": "array_to_json(t.consents)::text", "customer_id": "t.customer_id::text",
    "document_sha256": "t.document_sha256", "fields": "array_to_json(t.fields)::text", "log_id": "t.log_id::text", "operation": "t.operation",
    "outcome": "t.outcome", "purpose": "t.purpose", "terms": "array_to_json(t.terms)::text", "withheld": "array_to_json(t.withheld)::text",
}  # fmt: skip
_EVENT = {
    "action": "t.action", "actor": "t.actor", "after": "t.after::text", "at": _TIME, "before": "t.before::text", "event_id": "t.event_id::text",
    "subject": "t.subject",
}  # fmt: skip
_JSON = frozenset({"consents", "fields", "terms", "withheld", "before", "after"})
_FIRST = UUID(int=0)


class Row(NamedTuple):
    """One stored row. ``values`` hold no place: under which sequence it was linked is what is in question."""

    sequence: int
    id: str
    hash: bytes
    values: Sequence[Any]


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

    @property
    def _columns(self) -> dict[str, str]:
        return _EVENT if self.shard == EVENTS else _ACCESS

    async def page(self, database: Database, sequence: int, after: str | None = None, most: int = PAGE) -> list[Row]:
        """Rows from ``sequence`` on, behind the row ``after`` of it where one is named; two rows may claim the same place."""
        values = {"shard": self.shard, "sequence": sequence, "after": after or _FIRST, "most": most}
        statement = (
            f"SELECT t.sequence, t.{self.id}::text, t.hash, {', '.join(self._columns.values())} FROM {self.table} t"  # noqa: S608
            f" WHERE t.shard = %(shard)s AND t.sequence >= %(sequence)s AND (t.sequence, t.{self.id}) > (%(sequence)s, CAST(%(after)s AS uuid))"
            f" ORDER BY t.sequence, t.{self.id} LIMIT %(most)s"
        )
        found = await fetch(database, statement, values)
        return [Row(row[0], row[1], row[2] or b"", row[3:]) for row in found]

    def time_of(self, row: Row) -> str:
        """When it was written, as it was linked."""
        return str(row.values[list(self._columns).index("at")])

    def linker(self) -> Callable[[bytes, Row, int], bytes]:
        """Computes the hash of a row behind another one, were it linked at a given place."""
        keys, shard = self.keys, self.shard
        names = [(name, name in _JSON) for name in self._columns]

        def link(before: bytes, row: Row, sequence: int) -> bytes:
            values: dict[str, Any] = {
                name: _read(value) if is_json else value for (name, is_json), value in zip(names, row.values, strict=True)
            }
            values["sequence"], values["shard"] = sequence, shard
            return keys.link(before, canonical(values))

        return link


async def fetch(database: Database, statement: str, values: Mapping[str, Any]) -> Sequence[tuple[Any, ...]]:
    """All rows of a statement, in one round trip."""
    async with database.open() as opened, opened.driver.pipeline():
        for before in opened.first:
            await send(opened.driver, *before)
        answer = await send(opened.driver, statement, values)
        for behind in opened.last:
            await send(opened.driver, *behind)
        found: Sequence[tuple[Any, ...]] = await answer.fetchall()
    return found


@lru_cache(maxsize=4_096)
def _read(text: str | None) -> Any:
    """A JSON column as it was linked."""
    return None if text is None else orjson.Fragment(orjson.dumps(orjson.loads(text), option=orjson.OPT_SORT_KEYS))
