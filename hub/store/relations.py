"""The relationship graph in the store: loaded whole or not at all, known from an instant on like facts, never overwritten.

``relation`` is the lender's graph, whoever is a customer. What touches a customer stands in ``customer_relation`` as well, with the customer: row-level security, consent to
nobody else's data and erasure are those of whatever belongs to it. A new version of an edge closes the one before in both.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, text

from hub.credit.dossier import Related
from hub.credit.reference import Edge
from hub.domain.enums import RelationType
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import InvalidInput
from hub.store.database import Read, Write

RELATED = frozenset(
    {
        RelationType.SHAREHOLDING,
        RelationType.LEGAL_REP,
        RelationType.SPOUSE,
        RelationType.SAME_PHONE,
        RelationType.SAME_ADDRESS,
        RelationType.CONTROL,
    }
)
"""What makes a related party (关联方). Guarantees and trade are edges, and no sign of one hand; a device speaks of fraud only."""
CONTROLLING = Decimal("0.25")
TOLD = 50
"""Edges that the audit tells one by one; of all of them it tells how many."""

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('relation'))")
_STANDING = text("SELECT * FROM relation WHERE known_to IS NULL AND from_uscc = ANY(:businesses)")
_CLOSE = [
    text(f"UPDATE {table} SET known_to = :now WHERE edge_id = ANY(:ids)")  # noqa: S608 -- our own names
    for table in ("relation", "customer_relation")
]
_INSERT = text("""
    INSERT INTO relation (edge_id, from_uscc, to_uscc, type, weight, valid_from, valid_to, evidence, source, known_from, loaded_by)
    SELECT r.edge_id, r.from_uscc, r.to_uscc, r.type, r.weight, r.valid_from, r.valid_to, r.evidence, :source, :now, :actor
    FROM json_to_recordset(CAST(:rows AS json)) AS r(edge_id uuid, from_uscc text, to_uscc text, type text, weight numeric, valid_from date, valid_to date, evidence text)
""")
_OWNED = """
    INSERT INTO customer_relation SELECT c.customer_id, r.* FROM relation r
    JOIN LATERAL (SELECT r.from_uscc AS uscc UNION SELECT r.to_uscc) e ON e.uscc IS NOT NULL
    JOIN customer c ON c.uscc = e.uscc WHERE {which} ON CONFLICT DO NOTHING"""
_OWN_NEW = text(_OWNED.format(which="r.edge_id = ANY(:ids)"))
_OWN_ALL = text(_OWNED.format(which="true"))
_ADOPT = text("""
    INSERT INTO customer_relation SELECT CAST(:customer AS uuid), r.* FROM relation r WHERE r.from_uscc = :uscc OR r.to_uscc = :uscc ON CONFLICT DO NOTHING
""")
_FORGET = text("""
    DELETE FROM relation r WHERE (r.from_uscc = :uscc OR r.to_uscc = :uscc)
        AND NOT EXISTS (SELECT 1 FROM customer c WHERE c.uscc IN (r.from_uscc, r.to_uscc) AND c.customer_id <> :customer)
""")
_EDGES = "SELECT customer_id, edge_id, from_uscc, to_uscc, type, weight, valid_from, valid_to FROM customer_relation WHERE customer_id = ANY (:customers)"
_KNOWN_THEN = text(f"{_EDGES} AND known_from <= :known_at AND (known_to IS NULL OR known_to > :known_at) ORDER BY edge_id")
_NAMED = text(f"{_EDGES} AND edge_id = ANY (:named) ORDER BY edge_id")


@dataclass(frozen=True, slots=True)
class EdgesLoaded:
    """``added`` are new, ``changed`` replace a version before, ``retracted`` were taken back. ``before`` and ``after`` tell the first of them for the audit."""

    added: int
    changed: int
    unchanged: int
    retracted: int
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        return {"added": self.added, "changed": self.changed, "unchanged": self.unchanged, "retracted": self.retracted}


@dataclass(frozen=True, slots=True)
class Known:
    """The related parties of a business, None while nothing is known of it; how many ``edges`` said so, and the digest over them. ``ids``: of those of other days as well."""

    related: tuple[Related, ...] | None
    edges: int
    sha256: str
    ids: tuple[str, ...] = ()


async def load_edges(tx: Write, edges: Sequence[Edge], source: str, actor: str, now: datetime) -> EdgesLoaded:
    """Loads sound edges, all in this transaction. To repeat it does no harm. Raises InvalidInput for an edge to take back that is not there."""
    await tx.execute(_LOCK)
    standing = {_key(row): row for row in await tx.execute(_STANDING, {"businesses": sorted({one.from_uscc for one in edges})})}
    missing = [one for one in edges if one.retract and one.key not in standing]
    if missing:
        raise InvalidInput(f"{len(missing):,} edges to take back are not known.", remedy="Take back what was loaded, as it was loaded.")
    retracted = [standing[one.key] for one in edges if one.retract]
    new = [one for one in edges if not one.retract and not _same(standing.get(one.key), one)]
    replaced = [standing[one.key] for one in new if one.key in standing]
    await _close(tx, [row.edge_id for row in (*retracted, *replaced)], now)
    await _insert(tx, new, {"source": source, "actor": actor, "now": now})
    before, after = tuple(map(_told, (*retracted, *replaced)[:TOLD])), tuple(_told_of(one) for one in new[:TOLD])
    return EdgesLoaded(len(new) - len(replaced), len(replaced), len(edges) - len(new) - len(retracted), len(retracted), before, after)


async def _close(tx: Write, ids: list[UUID], now: datetime) -> None:
    for statement in _CLOSE if ids else ():
        await tx.execute(statement, {"ids": ids, "now": now})


async def _insert(tx: Write, edges: list[Edge], more: dict[str, Any]) -> None:
    if not edges:
        return
    rows = [{"edge_id": str(new_id()), **_row(one)} for one in edges]
    await tx.execute(_INSERT, {"rows": orjson.dumps(rows).decode(), **more})
    await tx.execute(_OWN_NEW, {"ids": [UUID(row["edge_id"]) for row in rows]})


def _row(one: Edge) -> dict[str, Any]:
    weight = None if one.weight is None else str(one.weight)
    told = {"from_uscc": one.from_uscc, "to_uscc": one.to_uscc, "type": one.type.value, "weight": weight}
    return {**told, "valid_from": one.since, "valid_to": one.until, "evidence": one.evidence}


def _told(row: Row[Any]) -> str:
    return f"{row.from_uscc} {row.type} {row.to_uscc} {row.weight} {row.valid_from} {row.valid_to} {row.source}"


def _told_of(one: Edge) -> str:
    return f"{one.from_uscc} {one.type} {one.to_uscc} {one.weight} {one.since} {one.until}"


def _key(row: Row[Any]) -> tuple[str, str | None, str]:
    return row.from_uscc, row.to_uscc, row.type


def _same(row: Row[Any] | None, one: Edge) -> bool:
    said = (one.weight, one.since, one.until, one.evidence)
    return row is not None and (row.weight, row.valid_from, row.valid_to, row.evidence) == said


async def keep_graph(tx: Write, graph: dict[str, list[Edge]], source: str, actor: str, now: datetime) -> EdgesLoaded:
    """The whole truth about some businesses, by their codes: what was known of them and is not said any more is taken back."""
    said = {own: edges or [Edge(own, None, RelationType.NONE)] for own, edges in graph.items()}
    keys = {one.key for edges in said.values() for one in edges}
    standing = await tx.execute(_STANDING, {"businesses": sorted(said)})
    gone = [Edge(row.from_uscc, row.to_uscc, RelationType(row.type), retract=True) for row in standing if _key(row) not in keys]
    return await load_edges(tx, [*(one for edges in said.values() for one in edges), *gone], source, actor, now)


async def adopt(tx: Write, customer_id: CustomerId, uscc: str | None) -> None:
    """A new customer owns what the graph knows of it."""
    if uscc is not None:
        await tx.execute(_ADOPT, {"customer": customer_id, "uscc": uscc})


async def adopt_all(tx: Write) -> None:
    """Every customer does: after a migration."""
    await tx.execute(_OWN_ALL)


async def forget(tx: Write, customer_id: CustomerId, uscc: str | None) -> int:
    """Of an erased subject the graph keeps the edges of other customers alone. Returns how many went."""
    if uscc is None:
        return 0
    return int((await tx.execute(_FORGET, {"customer": customer_id, "uscc": uscc})).rowcount)


async def related_to(tx: Read | Write, customer_id: CustomerId, uscc: str | None, as_of: date, known_at: datetime) -> Known:
    """Who is a related party of a business on a day, as known at an instant."""
    return (await relations_of(tx, {customer_id: uscc}, as_of, known_at))[customer_id]


async def relations_of(
    tx: Read | Write, codes: Mapping[CustomerId, str | None], as_of: date, known_at: datetime, named: Sequence[str] | None = None
) -> dict[CustomerId, Known]:
    """:func:`related_to` of many, by the codes of businesses; None of a person. By the edges that are ``named``, where they are."""
    found = defaultdict[CustomerId, list[Row[Any]]](list)
    customers = {"customers": [one for one, uscc in codes.items() if uscc]}
    which = (_KNOWN_THEN, {"known_at": known_at}) if named is None else (_NAMED, {"named": [UUID(one) for one in named]})
    for row in await tx.execute(which[0], {**customers, **which[1]}):
        found[CustomerId(row.customer_id)].append(row)
    return {one: _known(uscc, found[one], as_of) for one, uscc in codes.items()}


def _known(uscc: str | None, rows: Sequence[Row[Any]], as_of: date) -> Known:
    told = [row for row in rows if (row.valid_from is None or row.valid_from <= as_of) and (row.valid_to is None or row.valid_to >= as_of)]
    lines = sorted(f"{row.from_uscc}|{row.to_uscc}|{row.type}|{row.weight}" for row in told)
    sha256 = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    found = {Related(row.to_uscc if row.from_uscc == uscc else row.from_uscc, row.type) for row in told if _relates(row)}
    related = tuple(sorted(found, key=lambda one: (one.uscc, one.type))) if rows else None
    return Known(related, len(told), sha256, tuple(str(row.edge_id) for row in rows))


def _relates(row: Row[Any]) -> bool:
    if row.type not in RELATED:
        return False
    return row.type != RelationType.SHAREHOLDING or row.weight is None or row.weight >= CONTROLLING
