"""A replay over many connections, one after the other: which ones, what became of each, and where one that died goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
import structlog
from sqlalchemy import text

from hub.domain.enums import Verdict
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import ConsentMissing, InvalidInput, LeaseLost, PlatformBusy, SecretMissing
from hub.sync.context import Equipment
from hub.sync.replay import Filter, Replay, Report
from hub.sync.settings import Patience

log = structlog.get_logger("hub.sync")

_CONNECTIONS = text("""
    SELECT c.customer_id, c.connection_id, count(p.page_id) AS pages FROM connection c
    JOIN raw_page p ON p.customer_id = c.customer_id AND p.connection_id = c.connection_id
    WHERE c.connector = ANY(:connectors) AND (CAST(:customer AS uuid) IS NULL OR c.customer_id = :customer)
        AND (NOT :quarantined OR EXISTS (SELECT 1 FROM quarantine q JOIN raw_page r ON r.customer_id = q.customer_id AND r.page_id = q.page_id
            WHERE q.customer_id = c.customer_id AND r.connection_id = c.connection_id AND q.resolved_at IS NULL))
        AND NOT EXISTS (SELECT 1 FROM sync_run d WHERE d.customer_id = c.customer_id AND d.connection_id = c.connection_id AND d.batch_id = :batch AND d.verdict = :done)
    GROUP BY c.customer_id, c.connection_id ORDER BY c.customer_id, c.connection_id
""")
_UNFINISHED = text("SELECT replay_id FROM replay WHERE scope = CAST(:scope AS jsonb) AND ended_at IS NULL ORDER BY started_at DESC LIMIT 1")
_BEGIN = text("INSERT INTO replay (replay_id, scope, started_at) VALUES (:replay, CAST(:scope AS jsonb), now()) RETURNING replay_id")
_ENDED = text("UPDATE replay SET ended_at = now() WHERE replay_id = :replay")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is replayed. ``dry``: only looked at. ``resume``: goes on with the last replay of the same that did not come to its end."""

    part: Filter
    connector: str | None = None
    customer_id: CustomerId | None = None
    dry: bool = False
    resume: bool = False

    @property
    def scope(self) -> dict[str, Any]:
        part = self.part
        days = {"from": part.first and part.first.isoformat(), "to": part.last and part.last.isoformat()}
        who = {"connector": self.connector, "customer": self.customer_id and str(self.customer_id)}
        return {**who, "stream": part.stream, **days, "quarantined": part.quarantined}


@dataclass
class Summary:
    """Figures over all connections; ``left`` counts connections that were not replayed, by why."""

    report: Report = field(default_factory=Report)
    connections: int = 0
    left: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Found:
    customer_id: CustomerId
    connection_id: UUID
    pages: int


class Replays:
    """See the module. ``told`` hears of every page that was read, ``begins`` of how many there are."""

    def __init__(self, equipment: Equipment, wanted: Wanted, patience: Patience | None = None) -> None:
        self.equipment, self.wanted, self.patience = equipment, wanted, patience or Patience()
        self.summary = Summary()

    async def run(self, begins: Callable[[int], None] = lambda pages: None, told: Callable[[], None] = lambda: None) -> Summary:
        """Raises InvalidInput for a connector or stream that is not there."""
        batch_id = await self._batch()
        found = await self._connections(batch_id)
        begins(sum(one.pages for one in found))
        for one in found:
            await self._replay(one, batch_id, told)
        if not self.wanted.dry and not self.summary.left:
            async with self.equipment.database.work() as tx:
                await tx.execute(_ENDED, {"replay": batch_id})
        return self.summary

    async def _replay(self, one: Found, batch_id: UUID, told: Callable[[], None]) -> None:
        replay = Replay(self.equipment, self.wanted.part, one.customer_id, one.connection_id, told)
        try:
            report = await (replay.look() if self.wanted.dry else replay.run(self.patience, batch_id))
        except SecretMissing:
            self.summary.left["its key is gone"] += 1
        except (PlatformBusy, LeaseLost):
            self.summary.left["a sync has it"] += 1
        except ConsentMissing:
            self.summary.left["its consent ended meanwhile"] += 1
        else:
            log.info("replayed", connection=str(one.connection_id), count=report.versions)
            self.summary.connections += 1
            self.summary.report.add(report)

    async def _batch(self) -> UUID:
        """The id of this replay: a new one, or that of the unfinished one which is resumed."""
        if self.wanted.dry:
            return new_id()
        scope = orjson.dumps(self.wanted.scope).decode()
        async with self.equipment.database.work() as tx:
            before = (await tx.execute(_UNFINISHED, {"scope": scope})).scalar() if self.wanted.resume else None
            if before is not None:
                return UUID(str(before))
            return UUID(str((await tx.execute(_BEGIN, {"replay": new_id(), "scope": scope})).scalar_one()))

    async def _connections(self, batch_id: UUID) -> list[Found]:
        wanted = self.wanted
        names = self._connectors()
        values = {
            "connectors": names,
            "customer": wanted.customer_id,
            "quarantined": wanted.part.quarantined,
            "batch": batch_id,
            "done": Verdict.COMPLETE,
        }
        async with self.equipment.database.work() as tx:
            return [Found(row.customer_id, row.connection_id, row.pages) for row in await tx.execute(_CONNECTIONS, values)]

    def _connectors(self) -> Sequence[str]:
        wanted, here = self.wanted, self.equipment.connectors
        if wanted.connector is not None and wanted.connector not in here:
            raise InvalidInput(f"There is no connector {wanted.connector!r} here.", remedy=f"One of {', '.join(sorted(here))}.")
        names = [name for name in sorted(here) if wanted.connector in (None, name)]
        stream = wanted.part.stream
        having = [name for name in names if stream is None or stream in {one.name for one in here[name].streams}]
        if not having and stream is not None:
            raise InvalidInput(f"No connector here has a stream {stream!r}.")
        return having
