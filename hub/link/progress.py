"""How far the first fetch of each platform is, as a customer may know it: parts done, parts in all, records, per kind of source.

Parts are the windows of the engine. The figures are those the engine commits with each page, so that a page that is loaded again shows what is really there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from hub.domain.enums import ConnectionStatus, SourceKind, Verdict
from hub.domain.identifiers import CustomerId
from hub.store.database import Read, Write

_CONNECTIONS = text("""
    SELECT connector, connection_id, status, last_verdict, last_fault,
        coalesce(lease_until > now(), false) AS running, coalesce(due_at <= now(), false) AS due
    FROM connection WHERE customer_id = :customer
""")
_PARTS = text("""
    SELECT connection_id, source, count(*) AS total, count(*) FILTER (WHERE state <> 'OPEN') AS done, sum(fetched) AS records
    FROM sync_window WHERE customer_id = :customer GROUP BY connection_id, source
""")


class Stage(StrEnum):
    """Where the fetch of a platform stands."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    PAUSED = "PAUSED"
    TROUBLE = "TROUBLE"


_ENDED = {
    Verdict.COMPLETE: Stage.COMPLETE,
    Verdict.EMPTY_EXPECTED: Stage.COMPLETE,
    Verdict.PARKED: Stage.PAUSED,
    Verdict.INCOMPLETE: Stage.TROUBLE,
    Verdict.FAILED: Stage.TROUBLE,
}


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of source of a platform."""

    source: SourceKind
    done: int
    total: int
    records: int


@dataclass(frozen=True, slots=True)
class Progress:
    """The fetch of one platform."""

    stage: Stage
    parts: tuple[Part, ...]

    @property
    def done(self) -> int:
        return sum(part.done for part in self.parts)

    @property
    def total(self) -> int:
        return sum(part.total for part in self.parts)

    @property
    def records(self) -> int:
        return sum(part.records for part in self.parts)


@dataclass(frozen=True, slots=True)
class Connected:
    """A customer's connection to a platform, and how far its fetch is."""

    status: ConnectionStatus
    fault: str | None
    progress: Progress


async def connected(tx: Read | Write, customer_id: CustomerId) -> Mapping[str, Connected]:
    """The connections of a customer, by connector."""
    parts: dict[UUID, list[Part]] = {}
    for row in await tx.execute(_PARTS, {"customer": customer_id}):
        parts.setdefault(row.connection_id, []).append(Part(SourceKind(row.source), row.done, row.total, int(row.records)))
    found = await tx.execute(_CONNECTIONS, {"customer": customer_id})
    return {row.connector: _connected(row, parts.get(row.connection_id, [])) for row in found}


def _connected(row: Row[Any], parts: list[Part]) -> Connected:
    ranks = list(SourceKind)
    ordered = tuple(sorted(parts, key=lambda part: ranks.index(part.source)))
    return Connected(ConnectionStatus(row.status), row.last_fault, Progress(_stage(row), ordered))


def _stage(row: Row[Any]) -> Stage:
    if row.running:
        return Stage.RUNNING
    if row.due or row.last_verdict is None:
        return Stage.WAITING
    return _ENDED[Verdict(row.last_verdict)]
