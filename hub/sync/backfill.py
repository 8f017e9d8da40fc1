"""Reads a past range of one stream again, apart from the timetable.

A backfill has windows of its own (``backfill_window``), so that the live ones, their cursors, the connection's verdict and its due time know nothing of it. It
goes through the engine like a sync: consent at every page, quota (never as somebody who is waited for), the fence, quarantine, verdict by arithmetic. The
connection is held for one window at a time; a sync that falls due comes in between. What it brings is the newest knowledge there is, so it makes versions like
any page. It infers no deletion.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import RowMapping, text

from hub.connect import Fault, Stream, Window
from hub.domain.enums import ConnectionStatus, Verdict
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import ConsentMissing, GrantRevoked, HubError, InvalidInput, LeaseLost, PlatformBusy
from hub.http import PlatformUnreachable
from hub.store.database import Write
from hub.store.pages import Run
from hub.sync import grants
from hub.sync.aside import Errand, end, holding
from hub.sync.calls import Calls
from hub.sync.context import Equipment, Subjected, load
from hub.sync.frequency import begin_fetch
from hub.sync.plan import OPEN_WINDOWS, Task
from hub.sync.quota import Park
from hub.sync.reader import Reader
from hub.sync.scope import UNEQUAL, scope_hash
from hub.sync.settings import Patience

log = structlog.get_logger("hub.sync")

TRIES = 20
"""How often one window is taken up again after a pause."""

_OPEN = OPEN_WINDOWS.replace("sync_window", "backfill_window")
_OF_RANGE = "customer_id = :customer AND connection_id = :connection AND stream = :stream AND first_day = ANY(:firsts)"
_UNFINISHED = text(f"SELECT EXISTS (SELECT 1 FROM backfill_window WHERE {_OF_RANGE} AND state = 'OPEN')")  # noqa: S608
_FAILED = text(f"SELECT first_day FROM backfill_window WHERE {_OF_RANGE} AND (state = 'FAILED' OR {UNEQUAL})")  # noqa: S608
_STATES = text(f"""
    SELECT first_day, last_day, state, cursor, pages, fetched, stored, unchanged, quarantined, rejected, repeated, declared_total, reason, {UNEQUAL} AS unequal
    FROM backfill_window WHERE {_OF_RANGE} ORDER BY first_day
""")  # noqa: S608
_STATUS = text("SELECT status FROM connection WHERE customer_id = :customer AND connection_id = :connection")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be read again. ``wait`` is how many seconds a pause that the platform asks for is sat out, in one piece."""

    customer_id: CustomerId
    connection_id: UUID
    stream: str
    first: date
    last: date
    wait: float = 300.0


@dataclass(frozen=True, slots=True)
class Past:
    """A window of a backfill and how it stands."""

    window: Window
    state: str
    fetched: int
    stored: int
    unchanged: int
    quarantined: int
    rejected: int
    reason: str | None
    unequal: bool


@dataclass(frozen=True, slots=True)
class Backfilled:
    """How a backfill ended. ``first`` and ``last`` are the days asked for as far as they are consented to."""

    verdict: Verdict
    first: date
    last: date
    windows: tuple[Past, ...]
    detail: str | None = None


Told = Callable[[Sequence[Past]], None]


class Backfill:
    """One backfill. ``told`` hears how the windows stand whenever one has ended."""

    def __init__(
        self, equipment: Equipment, calls: Calls, wanted: Wanted, patience: Patience | None = None, told: Told | None = None
    ) -> None:
        self.equipment, self.calls, self.wanted = equipment, calls, wanted
        self.patience, self.told = patience or Patience(), told or (lambda windows: None)
        self.batch_id = new_id()

    async def run(self) -> Backfilled:
        """Reads everything that is not read yet. Raises NotFound, InvalidInput, ConsentMissing, UnknownConnector."""
        windows = await self._plan()
        firsts = [window.first for window in windows]
        stopped: tuple[Verdict, str] | None = None
        for window in windows:
            stopped = await self._until_read(window)
            self.told(await self._states(firsts))
            if stopped is not None:
                break
        found = await self._states(firsts)
        verdict, detail = stopped or _verdict(found)
        return Backfilled(verdict, windows[0].first, windows[-1].last, tuple(found), detail)

    async def _plan(self) -> list[Window]:
        """The windows, opened unless an unfinished backfill of the same windows is to be continued."""
        wanted = self.wanted
        async with self.equipment.database.work() as tx:
            subjected = await self._subjected(tx)
            stream = stream_of(subjected, wanted.stream)
            context = subjected.for_source(stream.source)
            first, last = max(wanted.first, context.data_from), min(wanted.last, context.data_to)
            windows = list(stream.windows(replace(context, data_from=first, data_to=last), first, last)) if first <= last else []
            if not windows:
                raise ConsentMissing("None of these days may be asked for.", remedy="Name days inside the consented range.")
            if windows[0].first < context.data_from or windows[-1].last > context.data_to:
                raise InvalidInput("The stream would ask for more than the consented range.")
            await self._open(tx, subjected, stream, windows)
        return windows

    async def _open(self, tx: Write, subjected: Subjected, stream: Stream, windows: Sequence[Window]) -> None:
        context, mine = subjected.for_source(stream.source), (self.wanted.customer_id, self.wanted.connection_id)
        firsts, values = [window.first for window in windows], self._values([window.first for window in windows])
        begun = bool((await tx.execute(_UNFINISHED, values)).scalar())
        again = list((await tx.execute(_FAILED, values)).scalars()) if begun else firsts
        only = replace(subjected, consents={stream.source: subjected.consents[stream.source]})
        await begin_fetch(tx, self.wanted.customer_id, only, self.equipment.clock.now(), anew=not begun)
        scopes = [scope_hash(subjected.connector, stream, context, window) for window in windows]
        kinds = [kind.__name__ for kind in stream.facts]
        row: tuple[Any, ...] = (
            *mine,
            self.batch_id,
            stream.name,
            stream.source,
            kinds,
            firsts,
            [window.last for window in windows],
            scopes,
        )
        await tx.exec_driver_sql(_OPEN, (*row, again, *mine, stream.name))

    async def _until_read(self, window: Window) -> tuple[Verdict, str] | None:
        """Reads one window; what stops the backfill, if anything does."""
        for _ in range(TRIES):
            try:
                await self._read(window)
                return None
            except Park as park:
                if park.seconds > self.wanted.wait:
                    return Verdict.PARKED, park.reason
                await asyncio.sleep(park.seconds)
            except LeaseLost:
                # A sync took the connection over while this process slept: what is written is kept, the window goes on.
                continue
            except (Fault, HubError) as fault:
                parked = isinstance(fault, PlatformBusy | PlatformUnreachable)
                return (Verdict.PARKED if parked else Verdict.FAILED), f"{type(fault).__name__}: {fault}"
        return Verdict.PARKED, "the platform asked to wait too often"

    async def _read(self, window: Window) -> None:
        wanted, equipment = self.wanted, self.equipment
        if (await self._states([window.first]))[0].state != "OPEN":
            return
        errand = Errand(wanted.customer_id, wanted.connection_id, "BACKFILL", self.batch_id, planned=1)
        async with holding(equipment.database, self.patience, errand) as run:
            try:
                await self._read_held(run, window)
            except Park as park:
                await self._end(run, Verdict.PARKED, park.reason)
                raise
            (past,) = await self._states([window.first])
            log.info("window_backfilled", connection=str(run.connection_id), stream=window.stream, outcome=past.state, count=past.fetched)
            await self._end(run, *_verdict([past]))

    async def _read_held(self, run: Run, window: Window) -> None:
        equipment = self.equipment
        async with equipment.database.work() as tx:
            subjected = replace(await self._subjected(tx), awaited=False)
            held = await grants.read(equipment, tx, run.customer_id, run.connection_id)
            sealer = await equipment.vault.sealer(tx, run.customer_id)
            (row,) = (await tx.execute(_STATES, self._values([window.first]))).mappings()
        stream = stream_of(subjected, window.stream)
        task = Task(
            stream, Window(window.stream, row["first_day"], row["last_day"]), row["cursor"], subjected.consents[stream.source].consent_id
        )
        reader = Reader(equipment, self.calls, self.patience, run, subjected, sealer, held)
        await reader.read(task)
        await reader.shapes.flush()

    async def _end(self, run: Run, verdict: Verdict, detail: str | None) -> None:
        async with self.equipment.database.work() as tx:
            await end(tx, run, verdict, detail=detail)

    async def _subjected(self, tx: Write) -> Subjected:
        wanted = self.wanted
        subjected = await load(self.equipment, tx, wanted.customer_id, wanted.connection_id)
        values = {"customer": wanted.customer_id, "connection": wanted.connection_id}
        if (await tx.execute(_STATUS, values)).scalar() != ConnectionStatus.ACTIVE:
            raise GrantRevoked("The connection is not active.", remedy="The customer must authorise again.")
        return subjected

    async def _states(self, firsts: Sequence[date]) -> list[Past]:
        async with self.equipment.database.work() as tx:
            return [_past(self.wanted.stream, row) for row in (await tx.execute(_STATES, self._values(firsts))).mappings()]

    def _values(self, firsts: Sequence[date]) -> dict[str, Any]:
        wanted = self.wanted
        return {"customer": wanted.customer_id, "connection": wanted.connection_id, "stream": wanted.stream, "firsts": list(firsts)}


def stream_of(subjected: Subjected, name: str) -> Stream:
    """A consented stream of the connection. Raises InvalidInput, ConsentMissing."""
    streams = {stream.name: stream for stream in subjected.connector.streams}
    if name not in streams:
        raise InvalidInput(f"There is no stream {name!r}.", remedy=f"One of {', '.join(sorted(streams))}.")
    if streams[name] not in subjected.streams():
        raise ConsentMissing(f"The customer does not consent to {streams[name].source}, or not to all that this stream brings.")
    return streams[name]


def _past(stream: str, row: RowMapping) -> Past:
    figures = {name: row[name] for name in ("state", "fetched", "stored", "unchanged", "quarantined", "rejected", "reason", "unequal")}
    return Past(Window(stream, row["first_day"], row["last_day"]), **figures)


def _verdict(windows: Sequence[Past]) -> tuple[Verdict, str | None]:
    """As a run's: anything that does not add up is INCOMPLETE."""
    failed = [one for one in windows if one.state in ("OPEN", "FAILED")]
    if failed:
        return Verdict.INCOMPLETE, next((one.reason for one in failed if one.reason), "a window was not read to its end")
    if any(one.state == "DONE" and one.unequal for one in windows):
        return Verdict.INCOMPLETE, "the figures of a window do not add up"
    return (Verdict.COMPLETE if any(one.fetched for one in windows) else Verdict.EMPTY_EXPECTED), None
