"""Writes facts: same key and same content is nothing new, same key and other content closes the old version and adds the next.

A page's facts of one kind are one set of arrays (:class:`Batch`), and their writing is one part of one statement (:func:`parts`): what lives under their keys is
joined, what is new or changed is inserted, what it replaces is closed. (COPY would be faster still, but PostgreSQL does not let it write to a table with
row-level security.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.dialects import postgresql

from hub.domain.facts import spec_of
from hub.domain.identifiers import CustomerId
from hub.store.arrays import digests, ids, literal
from hub.store.database import Write
from hub.store.encoders import Encoders
from hub.store.fact_tables import FACT_TABLES, columns_of
from hub.store.rows import Row
from hub.vault import Blind


@dataclass(frozen=True, slots=True)
class PageScope:
    """Where facts come from."""

    customer_id: CustomerId
    connection_id: UUID
    consent_id: UUID
    page_id: UUID
    known_from: datetime


class Counts(NamedTuple):
    """How many records of a page were new or changed, and how many were known already."""

    stored: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Batch:
    """The facts of a page as rows, by kind and key; of two with one key the later counts, the earlier is ``displaced``. ``positions`` are those of the
    records that carry facts."""

    kinds: dict[type, dict[str, tuple[int, Row]]] = field(default_factory=dict)
    positions: set[int] = field(default_factory=set)
    displaced: list[tuple[type, int, Row]] = field(default_factory=list)

    def add(self, cls: type, placed: Sequence[tuple[int, Row]]) -> None:
        """``(position, row)`` pairs of one kind."""
        if not placed:
            return
        rows, added = self.kinds.setdefault(cls, {}), {one[1][0]: one for one in placed}
        if len(added) == len(placed) and rows.keys().isdisjoint(added):
            rows.update(added)
        else:
            self._displace(cls, rows, placed)
        self.positions.update([position for position, _ in placed])

    def _displace(self, cls: type, rows: dict[str, tuple[int, Row]], placed: Sequence[tuple[int, Row]]) -> None:
        for one in placed:
            key = one[1][0]
            if key in rows:
                self.displaced.append((cls, *rows[key]))
            rows[key] = one


def batch_of(facts: Iterable[tuple[int, object]], blind: Blind) -> Batch:
    """``(position in the page, fact)`` pairs as rows. Raises Unreadable for a fact that PostgreSQL would refuse."""
    encoders, batch = Encoders(blind), Batch()
    for position, fact in facts:
        (row,) = encoders.rows(type(fact), [fact])
        if isinstance(row, Exception):
            raise row
        batch.add(type(fact), [(position, row)])
    return batch


async def write_facts(tx: Write, scope: PageScope, facts: Iterable[tuple[int, object]], blind: Blind) -> Counts:
    """Writes ``(position in the page, fact)`` pairs of a page that is there. Counts records: one is stored when any fact of it was new or changed."""
    return await write_batch(tx, scope, batch_of(facts, blind))


async def write_batch(tx: Write, scope: PageScope, batch: Batch) -> Counts:
    """:func:`write_facts`, where the facts are rows already."""
    if not batch.kinds:
        return Counts(0, 0)
    values = {
        "customer": scope.customer_id,
        "connection": scope.connection_id,
        "consent": scope.consent_id,
        "page": scope.page_id,
        "business": scope.known_from,
        **parameters(batch),
    }
    stored = (await tx.exec_driver_sql(_alone(tuple(batch.kinds)), values)).scalar_one()
    return Counts(stored, len(batch.positions) - stored)


@cache
def _alone(kinds: tuple[type, ...]) -> str:
    return f"WITH page AS (SELECT 1), {parts(kinds)} SELECT count(*) FROM changed"  # noqa: S608


def parameters(batch: Batch) -> dict[str, Any]:
    """The parameters of :func:`parts` that differ from row to row."""
    found: dict[str, Any] = {}
    for number, rows in enumerate(batch.kinds.values()):
        found |= _arrays(number, rows)
    return found


def parts(kinds: tuple[type, ...]) -> str:
    """The common table expressions that write these kinds; ``changed`` holds the positions of the records that brought something new.

    ``page`` must be one before them: without a row of it nothing is written.
    """
    union = " UNION ".join(f"SELECT position FROM changed{number}" for number in range(len(kinds))) or "SELECT 0 WHERE false"  # noqa: S608
    return ", ".join([*(_part(number, kind) for number, kind in enumerate(kinds)), f"changed AS ({union})"])


_VARYING = ("position", "fact_id", "source_key", "content_hash", "occurred_on")


def _arrays(number: int, rows: Mapping[str, tuple[int, Row]]) -> dict[str, Any]:
    """The parameters of :func:`_part` of the kind ``number``: one array per column."""
    positions = [position for position, _ in rows.values()]
    keys, contents, *rest = zip(*(row for _, row in rows.values()), strict=True)
    columns = [literal(positions), ids(len(rows)), literal(keys), digests(contents), *map(literal, rest)]
    return {f"a{number}_{index}": column for index, column in enumerate(columns)}


@cache
def _part(number: int, cls: type) -> str:
    """One kind. Names come from the declaration, never from data.

    The insert waits until the versions it replaces are closed, because there may be only one live version of a key. Key by key and row by row: a plan
    that was made while the tables were small must stay good when they are large. The arrays, all of one length, go side by side in a list of what is selected:
    in ``FROM`` each column would be written to a store of its own first.
    """
    spec, n = spec_of(cls), number
    own = [name for field in spec.fields for name in columns_of(field)]
    types = {column.name: column.type.compile(dialect=postgresql.dialect()) for column in FACT_TABLES[spec.name].columns}  # type: ignore[no-untyped-call]
    names = [*_VARYING, *own]
    unnested = ", ".join(f"unnest(%(a{n}_{index})s::{_array_type(types[name])}) AS {name}" for index, name in enumerate(names))
    added = ", ".join(("fact_id", "source_key", "occurred_on", "position", *own))
    ended = _ended_version(n, spec.table)
    return f"""changed{n} AS MATERIALIZED (
    SELECT u.*, f.fact_id AS old_id, f.version AS old_version, f.ctid AS old_row FROM page CROSS JOIN (SELECT {unnested}) AS u
    LEFT JOIN LATERAL (
        SELECT live.fact_id, live.version, live.content_hash, live.ctid FROM {spec.table} live WHERE live.customer_id = %(customer)s AND live.connection_id = %(connection)s
            AND live.source_key = u.source_key AND live.known_to IS NULL LIMIT 1
    ) f ON true WHERE f.content_hash IS DISTINCT FROM u.content_hash
), closed{n} AS (
    UPDATE {spec.table} f SET known_to = %(business)s
    WHERE f.ctid = ANY (ARRAY(SELECT old_row FROM changed{n} WHERE old_id IS NOT NULL)) AND (f.customer_id = %(customer)s) IS TRUE
    RETURNING 1
), added{n} AS (
    INSERT INTO {spec.table} (customer_id, known_from, connection_id, consent_id, page_id, version, supersedes, content_hash, {added})
    SELECT %(customer)s, %(business)s, %(connection)s, %(consent)s, %(page)s, coalesce(old_version, {ended}, 0) + 1, old_id, content_hash, {added}
    FROM changed{n} WHERE (SELECT count(*) FROM closed{n}) >= 0
)"""  # noqa: S608


def _ended_version(number: int, table: str) -> str:
    """A key whose fact was closed (gone, retracted) and that comes back goes on from its last version. Looked for only where a customer has any such mark."""
    latest = f"SELECT max(e.version) FROM {table} e WHERE e.customer_id = %(customer)s AND e.connection_id = %(connection)s AND e.source_key = changed{number}.source_key"  # noqa: S608
    return f"CASE WHEN (SELECT EXISTS (SELECT 1 FROM fact_mark m WHERE m.customer_id = %(customer)s)) THEN ({latest}) END"  # noqa: S608


def _array_type(name: str) -> str:
    return f"{name.split('(')[0] if name.startswith(('NUMERIC', 'VARCHAR')) else name}[]"
