"""One run of one connection: claim, plan, read, verdict.

The verdict is arithmetic: per window fetched = stored + unchanged + quarantined + rejected, and fetched = what the platform declared; anything else is INCOMPLETE, never
success (trust rules, section k).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import text

from hub.connect import Fault, Misconfigured, Reauthorise
from hub.domain.enums import ConnectionStatus, Verdict
from hub.domain.identifiers import CustomerId
from hub.errors import ConsentMissing, FixConfiguration, GrantRevoked, HubError, LeaseLost, PlatformBusy
from hub.http import PlatformUnreachable
from hub.store.pages import Run
from hub.sync import grants
from hub.sync.calls import Calls
from hub.sync.claim import claim, finish, release, renew
from hub.sync.context import Equipment, load
from hub.sync.plan import Task, plan
from hub.sync.quota import Park
from hub.sync.reader import Reader
from hub.sync.settings import Patience

log = structlog.get_logger("hub.sync")

BUSY = 60.0
"""Seconds until a connection whose authorisation could not be refreshed now is tried again."""

_TALLY = text("""
    SELECT count(*) FILTER (WHERE state IN ('OPEN', 'FAILED')) AS unfinished,
        count(*) FILTER (WHERE state = 'DONE' AND (fetched <> stored + unchanged + quarantined + rejected OR declared_total <> fetched)) AS unequal,
        coalesce(sum(fetched), 0) AS fetched, string_agg(DISTINCT reason, '; ') FILTER (WHERE state = 'FAILED') AS reasons
    FROM sync_window WHERE customer_id = :customer AND connection_id = :connection AND source = ANY(:sources)
""")


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ends, and what follows for its connection."""

    verdict: Verdict
    fault: str | None = None
    detail: str | None = None
    again: float | None = None
    status: ConnectionStatus | None = None


Ended = Callable[[CustomerId], Awaitable[None]]


class Engine:
    """Runs connections. ``ended`` is told of a customer whose run has ended, whatever came of it."""

    def __init__(self, equipment: Equipment, calls: Calls, patience: Patience | None = None, ended: Ended | None = None) -> None:
        self.equipment, self.calls = equipment, calls
        self.patience, self.ended = patience or Patience(), ended

    async def run(self, customer_id: CustomerId, connection_id: UUID) -> Verdict | None:
        """One run; None when the connection is not due, not active or another worker's."""
        async with self.equipment.database.work() as tx:
            run = await claim(tx, customer_id, connection_id, self.patience.lease)
        if run is None:
            return None
        try:
            async with self._alive(run):
                ending = await self._ending(run)
            async with self.equipment.database.work() as tx:
                await finish(tx, run, ending.verdict, fault=ending.fault, detail=ending.detail, again=ending.again, status=ending.status)
        except LeaseLost as lost:
            log.warning("run_overtaken", connection=str(connection_id), epoch=run.epoch, kind=lost.facts.get("kind"))
            return None
        except asyncio.CancelledError:
            # The process is told to stop: what is committed stays, the rest is due at once, for whoever is there.
            async with self.equipment.database.work() as tx:
                await release(tx, run)
            raise
        log.info("run_ended", connection=str(connection_id), verdict=ending.verdict, fault=ending.fault)
        await self._tell(run)
        return ending.verdict

    @asynccontextmanager
    async def _alive(self, run: Run) -> AsyncIterator[None]:
        """Renews the lease while the platform is slow; that it was lost is noticed by the next request or commit."""
        beating = asyncio.create_task(self._beat(run))
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.wait([beating])
            if not beating.cancelled():
                beating.exception()

    async def _beat(self, run: Run) -> None:
        while True:
            await asyncio.sleep(self.patience.heartbeat)
            async with self.equipment.database.work() as tx:
                await renew(tx, run)

    async def _ending(self, run: Run) -> Ending:
        """Reads everything and says how it went; a fault that ends the run is an ending, too."""
        try:
            return await self._read_everything(run)
        except LeaseLost:
            raise
        except (Fault, HubError) as fault:
            return self._after(fault, run)

    def _after(self, fault: Fault | HubError, run: Run) -> Ending:
        """What a fault that ends the run means for its connection. Only an explicit grant error ends that, too."""
        if isinstance(fault, Park):
            return Ending(Verdict.PARKED, "Park", fault.reason, again=fault.seconds)
        if isinstance(fault, Reauthorise | GrantRevoked):
            return Ending(Verdict.FAILED, "Reauthorise", str(fault), status=ConnectionStatus.REAUTHORISE)
        if isinstance(fault, ConsentMissing):
            return Ending(Verdict.FAILED, "ConsentMissing", str(fault))
        if isinstance(fault, PlatformUnreachable):
            return Ending(Verdict.FAILED, "PlatformUnreachable", str(fault), again=self.patience.again)
        if isinstance(fault, PlatformBusy):
            return Ending(Verdict.PARKED, "PlatformBusy", str(fault), again=BUSY)
        if isinstance(fault, Misconfigured | FixConfiguration):
            return Ending(Verdict.FAILED, "Misconfigured", str(fault), again=self._spread(run))
        return Ending(Verdict.FAILED, type(fault).__name__, str(fault), again=self.patience.again)

    async def _read_everything(self, run: Run) -> Ending:
        equipment = self.equipment
        async with equipment.database.work() as tx:
            subjected = await load(equipment, tx, run.customer_id, run.connection_id)
            if not subjected.consents:
                raise ConsentMissing("No source of this connection is consented to.")
            held = await grants.read(equipment, tx, run.customer_id, run.connection_id)
            sealer = await equipment.vault.sealer(tx, run.customer_id)
            tasks = await plan(tx, run, subjected)
        reader = Reader(equipment, self.calls, self.patience, run, subjected, sealer, held)
        await _drain(tasks, reader, self.patience.windows_at_once)
        return await self._tally(run, sorted(subjected.consents))

    async def _tally(self, run: Run, sources: Sequence[str]) -> Ending:
        """Over all windows of the sources that were consented when the run began."""
        async with self.equipment.database.work() as tx:
            values = {"customer": run.customer_id, "connection": run.connection_id, "sources": list(sources)}
            row = (await tx.execute(_TALLY, values)).one()
        if row.unfinished or row.unequal:
            detail = row.reasons or ("the figures of a window do not add up" if row.unequal else "a window was not read to its end")
            return Ending(Verdict.INCOMPLETE, "Incomplete", detail, again=self._spread(run))
        return Ending(Verdict.COMPLETE if row.fetched else Verdict.EMPTY_EXPECTED, again=self._spread(run))

    def _spread(self, run: Run) -> float | None:
        """The period, longer by up to a tenth by the connection's id, so that what was connected together is not due together for ever."""
        period = self.patience.period
        return None if period is None else period * (1 + run.connection_id.int % 1000 / 10_000)

    async def _tell(self, run: Run) -> None:
        """Whoever follows decides by the rows whether there is anything to do: the last run to end may be one that stored nothing."""
        if self.ended is not None:
            await self.ended(run.customer_id)


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
