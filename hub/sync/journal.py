"""What went wrong on the way of a run, one row each: an attempt that failed, a wait, a park (``sync_event``).

A request that was answered is its raw page; nothing is written for it here. What is written here is an operator's to look at, never the engine's to decide
by, so that a row may be lost with the server (``synchronous_commit``) and costs one round trip.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import text

from hub.consent.retention import retention
from hub.domain.identifiers import new_id
from hub.store.database import Database
from hub.store.pages import Run
from hub.sync.quota import LONGEST_PARK

NOTED = 1.0
"""Seconds from which on a wait that no failure brought about is worth a row."""
QUEUED = 5.0
"""Seconds in the queue for a platform's quota from which on that is worth a row: where a quota is shared by many, every call waits a little."""
LONGEST = 500
"""Characters of a detail. Platforms answer with whole pages of HTML."""

_KEEP = text("""
    INSERT INTO sync_event (customer_id, event_id, connection_id, run_id, at, kind, stream, first_day, fault, detail, status, repeated, seconds, until,
        interaction)
    SELECT :customer, :event, :connection, :run, now(), :kind, :stream, CAST(:first AS date), :fault, :detail, :status, :repeated,
        CAST(:seconds AS double precision), now() + make_interval(secs => CAST(:seconds AS double precision)), :interaction
    FROM (SELECT set_config('synchronous_commit', 'off', true)) AS relaxed
""")

KEPT, AT_ONCE = retention().kept("sync_event"), 1_000
"""How long an operator can look back, and how many rows are forgotten by one statement."""
_FORGET = text("""
    DELETE FROM sync_event WHERE (customer_id, event_id) IN (
        SELECT customer_id, event_id FROM sync_event WHERE at < clock_timestamp() - CAST(:kept AS interval) ORDER BY at LIMIT :at_once FOR UPDATE SKIP LOCKED)
""")


async def forget(database: Database) -> int:
    """Deletes what nobody looks back at any more, a batch of it. Returns how many rows."""
    async with database.work() as tx:
        return (await tx.execute(_FORGET, {"kept": KEPT, "at_once": AT_ONCE})).rowcount


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request that was sent. ``status`` is None where no answer came; ``repeated``: it was not the first of its kind."""

    interaction: str
    status: int | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """The window it happened in."""

    stream: str
    first: date


class Journal:
    """One per run. Raises SQLAlchemyError where the store cannot be written: then the run's pages could not be either."""

    def __init__(self, database: Database, run: Run) -> None:
        self.run = run
        # One statement is one transaction, as for the quota ledger.
        self._engine = database.worker.execution_options(isolation_level="AUTOCOMMIT")

    async def failed(self, place: Place, attempt: Attempt, fault: Exception, seconds: float = 0.0) -> None:
        """An attempt that brought no page, and the pause that follows it."""
        await self._keep("ATTEMPT", place, fault=type(fault).__name__, detail=str(fault), seconds=seconds or None, attempt=attempt)

    async def waits(self, place: Place, seconds: float, reason: str) -> None:
        """A pause that no failure brought about. What is over in a moment is not noted."""
        if seconds >= NOTED:
            await self._keep("WAIT", place, detail=reason, seconds=seconds)

    async def queued(self, place: Place, seconds: float) -> None:
        """A call that stood in the queue for the platform's quota until now."""
        if seconds >= QUEUED:
            await self._keep("WAIT", place, fault="Quota", detail="the call waited for its turn in the platform's quota", seconds=seconds)

    async def parked(self, place: Place, seconds: float, reason: str) -> None:
        """The run gives its worker back until then."""
        await self._keep("PARK", place, fault="Park", detail=reason, seconds=seconds)

    async def _keep(
        self,
        kind: str,
        place: Place,
        *,
        detail: str,
        fault: str | None = None,
        seconds: float | None = None,
        attempt: Attempt | None = None,
    ) -> None:
        run = self.run
        values = {"customer": run.customer_id, "event": new_id(), "connection": run.connection_id, "run": run.run_id, "kind": kind}
        values |= {
            "stream": place.stream,
            "first": place.first,
            "fault": fault,
            "detail": detail.replace("\0", "")[:LONGEST],
            "seconds": None if seconds is None else min(seconds, LONGEST_PARK),
        }
        values |= {
            "status": attempt.status if attempt else None,
            "repeated": attempt is not None and attempt.repeated,
            "interaction": attempt.interaction if attempt else None,
        }
        async with self._engine.connect() as connection:
            await connection.execute(_KEEP, values)
