"""One run of one connection: claim, plan, read, verdict.

The verdict is arithmetic: per window fetched = stored + unchanged + quarantined + rejected, and fetched = what the platform declared; anything else is INCOMPLETE, never
success (trust rules, section k).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import text

from hub.connect import Fault, Misconfigured, Reauthorise
from hub.domain.enums import ConnectionStatus, Verdict
from hub.domain.identifiers import CustomerId
from hub.errors import FixConfiguration, GrantRevoked, HubError, LeaseLost
from hub.http import PlatformUnreachable
from hub.store.pages import Run
from hub.sync import grants
from hub.sync.calls import Calls
from hub.sync.claim import claim, finish
from hub.sync.context import Equipment, load
from hub.sync.plan import Task, plan
from hub.sync.reader import Park, Reader
from hub.sync.settings import Patience

log = structlog.get_logger("hub.sync")

_TALLY = text("""
    SELECT count(*) FILTER (WHERE state IN ('OPEN', 'FAILED')) AS unfinished,
        count(*) FILTER (WHERE fetched <> stored + unchanged + quarantined + rejected OR (declared_total IS NOT NULL AND declared_total <> fetched)) AS unequal,
        coalesce(sum(fetched), 0) AS fetched, string_agg(DISTINCT reason, '; ') FILTER (WHERE state = 'FAILED') AS reasons
    FROM sync_window WHERE customer_id = :customer AND connection_id = :connection
""")
_CHANGED = text("SELECT stored FROM sync_run WHERE customer_id = :customer AND run_id = :run")


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ends, and what follows for its connection."""

    verdict: Verdict
    fault: str | None = None
    detail: str | None = None
    again: float | None = None
    status: ConnectionStatus | None = None


Changed = Callable[[CustomerId], Awaitable[None]]


class Engine:
    """Runs connections. ``changed`` is told of a customer whose facts changed."""

    def __init__(self, equipment: Equipment, calls: Calls, patience: Patience | None = None, changed: Changed | None = None) -> None:
        self.equipment, self.calls = equipment, calls
        self.patience, self.changed = patience or Patience(), changed

    async def run(self, customer_id: CustomerId, connection_id: UUID) -> Verdict | None:
        """One run; None when the connection is not due, not active or another worker's."""
        async with self.equipment.database.work() as tx:
            run = await claim(tx, customer_id, connection_id)
        if run is None:
            return None
        try:
            ending = await self._ending(run)
            async with self.equipment.database.work() as tx:
                await finish(tx, run, ending.verdict, fault=ending.fault, detail=ending.detail, again=ending.again, status=ending.status)
        except LeaseLost:
            log.warning("run_overtaken", connection=str(connection_id), epoch=run.epoch)
            return None
        log.info("run_ended", connection=str(connection_id), verdict=ending.verdict, fault=ending.fault)
        await self._tell(run)
        return ending.verdict

    async def _ending(self, run: Run) -> Ending:
        """Reads everything and says how it went; a fault that ends the run is an ending, too."""
        try:
            await self._read_everything(run)
        except Park as park:
            return Ending(Verdict.PARKED, "Park", park.reason, again=park.seconds)
        except (Reauthorise, GrantRevoked) as fault:
            return Ending(Verdict.FAILED, "Reauthorise", str(fault), status=ConnectionStatus.REAUTHORISE)
        except PlatformUnreachable as fault:
            return Ending(Verdict.FAILED, "PlatformUnreachable", str(fault))
        except (Misconfigured, FixConfiguration) as fault:
            return Ending(Verdict.FAILED, "Misconfigured", str(fault))
        except LeaseLost:
            raise
        except (Fault, HubError) as fault:
            return Ending(Verdict.FAILED, type(fault).__name__, str(fault))
        return await self._tally(run)

    async def _read_everything(self, run: Run) -> None:
        equipment = self.equipment
        async with equipment.database.work() as tx:
            subjected = await load(equipment, tx, run.customer_id, run.connection_id)
            held = await grants.read(equipment, tx, run.customer_id, run.connection_id)
            sealer = await equipment.vault.sealer(tx, run.customer_id)
            tasks = await plan(tx, run, subjected)
        reader = Reader(equipment, self.calls, self.patience, run, subjected, sealer, held)
        await _drain(tasks, reader, self.patience.windows_at_once)

    async def _tally(self, run: Run) -> Ending:
        async with self.equipment.database.work() as tx:
            row = (await tx.execute(_TALLY, {"customer": run.customer_id, "connection": run.connection_id})).one()
        if row.unfinished or row.unequal:
            return Ending(Verdict.INCOMPLETE, "Incomplete", row.reasons or "the figures of a window do not add up")
        return Ending(Verdict.COMPLETE if row.fetched else Verdict.EMPTY_EXPECTED)

    async def _tell(self, run: Run) -> None:
        if self.changed is None:
            return
        async with self.equipment.database.work() as tx:
            stored = (await tx.execute(_CHANGED, {"customer": run.customer_id, "run": run.run_id})).scalar()
        if stored:
            await self.changed(run.customer_id)


async def _drain(tasks: Sequence[Task], reader: Reader, at_once: int) -> None:
    """Reads the windows, ``at_once`` side by side; the first fault that ends the run stops them all."""
    waiting = iter(tasks)

    async def work() -> None:
        for task in waiting:
            await reader.read(task)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(at_once, len(tasks))):
                group.create_task(work())
    except ExceptionGroup as faults:
        raise _first(faults) from None


def _first(group: ExceptionGroup[Exception]) -> Exception:
    """The first leaf of an exception group."""
    found = group.exceptions[0]
    return _first(found) if isinstance(found, ExceptionGroup) else found
