"""One run of one connection: claim, plan, read, verdict.

The verdict is arithmetic: per window fetched = stored + unchanged + quarantined + rejected, and fetched = what the platform declared; anything else is INCOMPLETE, never
success (trust rules, section k).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import text
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from hub.connect import Fault, Misconfigured, Reauthorise
from hub.domain.enums import ConnectionStatus, Verdict
from hub.domain.identifiers import CustomerId
from hub.errors import ConsentMissing, FixConfiguration, GrantRevoked, HubError, LeaseLost, PlatformBusy
from hub.http import PlatformUnreachable
from hub.store.database import STORE_ERRORS, is_away
from hub.store.pages import Run
from hub.sync import grants
from hub.sync.calls import Calls
from hub.sync.claim import Again, claim, finish, release, renew
from hub.sync.context import Equipment, load
from hub.sync.halting import Halt, Hand, HandedBack
from hub.sync.plan import Task, plan
from hub.sync.quota import CircuitOpen, Park
from hub.sync.reader import Reader
from hub.sync.scope import UNEQUAL
from hub.sync.settings import Patience

log = structlog.get_logger("hub.sync")

BUSY = 60.0
"""Seconds until a connection whose authorisation could not be refreshed now is tried again."""
STORE_BACK = 5.0
"""Seconds until a connection is tried again whose run the database broke off."""
HANDING_BACK, LETTING_GO = 3.0, 5.0
"""Seconds that giving a lease back may take, and that a run which is cut short may take to end."""

_TALLY = text(f"""
    SELECT count(*) FILTER (WHERE state IN ('OPEN', 'FAILED')) AS unfinished,
        count(*) FILTER (WHERE state = 'DONE' AND {UNEQUAL}) AS unequal,
        coalesce(sum(fetched), 0) AS fetched, string_agg(DISTINCT reason, '; ') FILTER (WHERE state = 'FAILED') AS reasons
    FROM sync_window WHERE customer_id = :customer AND connection_id = :connection AND source = ANY(:sources)
""")  # noqa: S608 -- our own text


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ends, and what follows for its connection."""

    verdict: Verdict
    fault: str | None = None
    detail: str | None = None
    again: Again | None = None
    status: ConnectionStatus | None = None


Ended = Callable[[CustomerId], Awaitable[None]]


class Engine:
    """Runs connections. ``ended`` is told of a customer whose run has ended, whatever came of it."""

    def __init__(self, equipment: Equipment, calls: Calls, patience: Patience | None = None, ended: Ended | None = None) -> None:
        self.equipment, self.calls = equipment, calls
        self.patience, self.ended, self.halt = patience or Patience(), ended, Halt()

    async def run(self, customer_id: CustomerId, connection_id: UUID) -> Verdict | None:
        """One run; None when the connection is not due, not active or another worker's, or the database does not answer: then the lease ends by itself.

        Raises HandedBack when the process is told to stop.
        """
        if self.halt.told:
            raise HandedBack
        try:
            async with self.equipment.database.work() as tx:
                run = await claim(tx, customer_id, connection_id, self.patience.lease)
            return None if run is None else await self._claimed(run)
        except STORE_ERRORS as error:
            log.warning("run_left_to_its_lease", connection=str(connection_id), kind=type(error).__name__)
            return None

    async def _claimed(self, run: Run) -> Verdict | None:
        try:
            async with self._alive(run):
                ending = await self._until_told(run)
            await self._finish(run, ending)
        except LeaseLost as lost:
            log.warning("run_overtaken", connection=str(run.connection_id), epoch=run.epoch, kind=lost.facts.get("kind"))
            return None
        except (HandedBack, asyncio.CancelledError):
            # The process is told to stop: what is committed stays, the rest is due at once, for whoever is there.
            await self._hand_back(run)
            raise
        log.info("run_ended", connection=str(run.connection_id), verdict=ending.verdict, fault=ending.fault)
        await self._tell(run)
        return ending.verdict

    async def _until_told(self, run: Run) -> Ending:
        """The run to its end. Raises HandedBack once the process is told to stop and the page in hand is committed."""
        hand = Hand()
        reading, told = asyncio.create_task(self._ending(run, hand)), asyncio.create_task(self.halt.may_end(hand))
        try:
            await asyncio.wait({reading, told}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                return reading.result()
            raise HandedBack
        finally:
            await self._let_go(reading, told)

    async def _let_go(self, *tasks: asyncio.Task[Any]) -> None:
        """Ends tasks. One that sees something through, an exchange of tokens say, is not waited for longer than the process may take to stop."""
        for task in tasks:
            task.cancel()
        done, _ = await asyncio.wait(tasks, timeout=1.0 if self.halt.hurried else LETTING_GO)
        for task in done:
            if not task.cancelled():
                task.exception()

    async def _finish(self, run: Run, ending: Ending) -> None:
        """Says how the run ended as soon as the database answers, as long as its lease is good. Raises LeaseLost."""
        policy = AsyncRetrying(
            retry=retry_if_exception_type(STORE_ERRORS),
            stop=stop_after_delay(run.lease / 2),
            wait=wait_random_exponential(multiplier=0.2, max=2),
            reraise=True,
        )
        said = {"fault": ending.fault, "detail": ending.detail, "status": ending.status}
        async for attempt in policy:
            with attempt:
                async with self.equipment.database.work() as tx:
                    await finish(tx, run, ending.verdict, again=ending.again, **said)

    async def _hand_back(self, run: Run) -> None:
        try:
            async with asyncio.timeout(HANDING_BACK), self.equipment.database.work() as tx:
                await release(tx, run)
        except (*STORE_ERRORS, TimeoutError) as error:
            log.warning("run_left_to_its_lease", connection=str(run.connection_id), kind=type(error).__name__)

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
            try:
                async with self.equipment.database.work() as tx:
                    await renew(tx, run)
            except STORE_ERRORS as error:
                log.warning("heartbeat_missed", connection=str(run.connection_id), kind=type(error).__name__)

    async def _ending(self, run: Run, hand: Hand) -> Ending:
        """Reads everything and says how it went; a fault that ends the run is an ending, too."""
        try:
            return await self._read_everything(run, hand)
        except LeaseLost:
            raise
        except (Fault, HubError) as fault:
            return self._after(fault, run)
        except STORE_ERRORS as error:
            if is_away(error):
                return Ending(
                    Verdict.PARKED, "StoreUnavailable", f"the database broke off ({type(error).__name__})", again=Again(STORE_BACK)
                )
            return Ending(Verdict.FAILED, "StoreRefused", f"the database refuses it ({type(error).__name__})", again=self._soon())

    def _after(self, fault: Fault | HubError, run: Run) -> Ending:
        """What a fault that ends the run means for its connection. Only an explicit grant error ends that, too."""
        if isinstance(fault, CircuitOpen):
            # What it means for this run is what it means where the circuit is closed: the platform is silent.
            return Ending(Verdict.FAILED, "PlatformUnreachable", fault.reason, again=self._soon())
        if isinstance(fault, Park):
            return Ending(Verdict.PARKED, "Park", fault.reason, again=Again(fault.seconds))
        if isinstance(fault, Reauthorise | GrantRevoked):
            return Ending(Verdict.FAILED, "Reauthorise", str(fault), status=ConnectionStatus.REAUTHORISE)
        if isinstance(fault, ConsentMissing):
            return Ending(Verdict.FAILED, "ConsentMissing", str(fault))
        if isinstance(fault, PlatformUnreachable):
            return Ending(Verdict.FAILED, "PlatformUnreachable", str(fault), again=self._soon())
        if isinstance(fault, PlatformBusy):
            return Ending(Verdict.PARKED, "PlatformBusy", str(fault), again=Again(BUSY))
        if isinstance(fault, Misconfigured | FixConfiguration):
            return Ending(Verdict.FAILED, "Misconfigured", str(fault), again=self._next(run))
        return Ending(Verdict.FAILED, type(fault).__name__, str(fault), again=self._soon())

    async def _read_everything(self, run: Run, hand: Hand) -> Ending:
        equipment = self.equipment
        async with equipment.database.work() as tx:
            subjected = await load(equipment, tx, run.customer_id, run.connection_id)
            if not subjected.consents:
                raise ConsentMissing("No source of this connection is consented to.")
            held = await grants.read(equipment, tx, run.customer_id, run.connection_id)
            sealer = await equipment.vault.sealer(tx, run.customer_id)
            tasks = await plan(tx, run, subjected, equipment.clock.now())
        reader = Reader(equipment, self.calls, self.patience, run, subjected, sealer, held, hand)
        await _drain(tasks, reader, self.patience.windows_at_once)
        await reader.shapes.flush()
        return await self._tally(run, sorted(subjected.consents))

    async def _tally(self, run: Run, sources: Sequence[str]) -> Ending:
        """Over all windows of the sources that were consented when the run began."""
        async with self.equipment.database.work() as tx:
            values = {"customer": run.customer_id, "connection": run.connection_id, "sources": list(sources)}
            row = (await tx.execute(_TALLY, values)).one()
        if row.unfinished or row.unequal:
            detail = row.reasons or ("the figures of a window do not add up" if row.unequal else "a window was not read to its end")
            return Ending(Verdict.INCOMPLETE, "Incomplete", detail, again=self._soon())
        return Ending(Verdict.COMPLETE if row.fetched else Verdict.EMPTY_EXPECTED, again=self._next(run))

    def _soon(self) -> Again | None:
        """After a failure: soon, and less soon after each further one, but never later than the timetable has it."""
        again, longest, period = self.patience.again, self.patience.longest_again, self.patience.period
        return None if again is None else Again(again, longest=max(again, longest if period is None else min(longest, period)))

    def _next(self, run: Run) -> Again | None:
        """The connection's own point of the period."""
        period, digest = self.patience.period, hashlib.blake2b(run.connection_id.bytes, digest_size=4).digest()
        return None if period is None else Again(period, phase=int.from_bytes(digest, "big") / 2**32)

    async def _tell(self, run: Run) -> None:
        """Whoever follows decides by the rows whether there is anything to do: the last run to end may be one that stored nothing."""
        if self.ended is None:
            return
        try:
            await self.ended(run.customer_id)
        except (HubError, *STORE_ERRORS) as error:
            log.warning("nobody_told", customer=str(run.customer_id), kind=type(error).__name__)


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
