"""A connection held for work that is no sync: a backfill, a replay.

The fence is the same as a sync's (:mod:`hub.sync.claim`): the epoch is raised, so that nothing of a run that was overtaken is written meanwhile, and a sync that
falls due waits until the lease ends. What a sync goes by stays as it is: windows, cursors, verdict, due time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import text

from hub.domain.enums import Verdict
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import LeaseLost, PlatformBusy
from hub.store.database import Database, Write
from hub.store.pages import Run
from hub.sync.claim import release, renew
from hub.sync.settings import Patience

Kind = Literal["BACKFILL", "REPLAY"]
GLANCE = 0.5
"""Seconds between two looks whether a connection that is being synced is free."""

_CLAIM = text("""
    UPDATE connection SET epoch = epoch + 1, lease_until = now() + make_interval(secs => :lease)
    WHERE customer_id = :customer AND connection_id = :connection AND coalesce(lease_until, '-infinity') < now() RETURNING epoch
""")
_BEGIN = text("""
    INSERT INTO sync_run (customer_id, run_id, connection_id, epoch, kind, batch_id, started_at, windows_planned)
    VALUES (:customer, :run, :connection, :epoch, :kind, :batch, now(), :planned)
""")
_END = text("""
    UPDATE sync_run SET ended_at = now(), verdict = :verdict, fault = :fault, fault_detail = :detail WHERE customer_id = :customer AND run_id = :run
""")


@dataclass(frozen=True, slots=True)
class Errand:
    """Whose connection is held, and what for. ``wait`` is for how many seconds a sync that has it is waited for."""

    customer_id: CustomerId
    connection_id: UUID
    kind: Kind
    batch_id: UUID
    planned: int = 0
    wait: float = 120.0


@asynccontextmanager
async def holding(database: Database, patience: Patience, errand: Errand) -> AsyncIterator[Run]:
    """Holds the connection, and lets go of it whatever happens. Raises PlatformBusy when a sync has it for too long."""
    run = await _taken(database, patience, errand)
    beating = asyncio.create_task(_beat(database, run, patience.heartbeat))
    try:
        yield run
    finally:
        beating.cancel()
        await asyncio.wait([beating])
        if not beating.cancelled():
            beating.exception()
        async with database.work() as tx:
            await release(tx, run)


async def end(tx: Write, run: Run, verdict: Verdict, *, fault: str | None = None, detail: str | None = None) -> None:
    """Says how it went, fenced like a page. Raises LeaseLost."""
    await renew(tx, run)
    values = {"customer": run.customer_id, "run": run.run_id, "verdict": verdict, "fault": fault, "detail": detail}
    await tx.execute(_END, values)


async def _taken(database: Database, patience: Patience, errand: Errand) -> Run:
    until = asyncio.get_running_loop().time() + errand.wait
    while True:
        async with database.work() as tx:
            run = await _claim(tx, patience, errand)
        if run is not None:
            return run
        if asyncio.get_running_loop().time() >= until:
            raise PlatformBusy("The connection is being synced.", remedy="Try again when its run has ended.")
        await asyncio.sleep(GLANCE)


async def _claim(tx: Write, patience: Patience, errand: Errand) -> Run | None:
    who = {"customer": errand.customer_id, "connection": errand.connection_id}
    epoch = (await tx.execute(_CLAIM, {**who, "lease": patience.lease})).scalar()
    if epoch is None:
        return None
    windows: Literal["sync_window", "backfill_window"] = "backfill_window" if errand.kind == "BACKFILL" else "sync_window"
    run = Run(errand.customer_id, errand.connection_id, new_id(), epoch, patience.lease, windows)
    said = {"run": run.run_id, "epoch": epoch, "kind": errand.kind, "batch": errand.batch_id, "planned": errand.planned}
    await tx.execute(_BEGIN, {**who, **said})
    return run


async def _beat(database: Database, run: Run, every: float) -> None:
    """That the lease was lost is noticed by the next write."""
    while True:
        await asyncio.sleep(every)
        try:
            async with database.work() as tx:
                await renew(tx, run)
        except LeaseLost:
            return
