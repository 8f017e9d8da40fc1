"""Wakes workers and spreads work: procrastinate carries nudges, a reconciler makes them level-triggered (trust rules, section k).

A nudge says "look at connection X" and is never believed: a finished job proves nothing, a lost or doubled one costs nothing. What is due stands in the
connection rows. No queueing lock, no lock: mutual exclusion is the lease. A run does not belong to the job that brought it: procrastinate's worker ends
whenever the database goes away, the runs go on.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import procrastinate
import structlog
from procrastinate.exceptions import ProcrastinateException
from sqlalchemy import Row, select, text
from sqlalchemy.engine import make_url

from hub.domain.identifiers import ConnectionId, CustomerId
from hub.store.database import CONNECT_SECONDS, STORE_ERRORS, Database
from hub.store.migrate import QUEUE_SCHEMA
from hub.store.tables import connection as connections
from hub.sync.compartments import QUEUE, Compartments, queue_of
from hub.sync.engine import Engine
from hub.sync.halting import HandedBack

log = structlog.get_logger("hub.dispatch")

TASK = "hub.sync.look"
AGAIN = 1.0
"""Seconds until a worker that the database left tries again."""
BACKLOG, BATCH = 5_000, 500
"""Nudges of one platform that may wait at once, and how many are written by one statement."""
AWAITED = 10
"""The priority of a nudge that somebody waits for, over the reconciler's 0."""
POOL = 4
CONNECTIONS = POOL + 1
"""Connections to the database beside those of the hub's own pools: procrastinate's pool, and the one that listens."""
NUDGING = 2.0
"""Seconds that a nudge may take."""
STOPPING = 20.0
"""Seconds after which a process that was told to stop no longer waits for its runs."""

# A nudge that nobody has taken yet is not doubled: else a backlog would grow with every period, and always by the same rows. A queue that nobody here
# serves is not looked at: a nudge in it may lie there for ever. Each platform has a backlog of its own, so that none waits behind another's.
_DUE = text(f"""
    WITH waiting AS (
        SELECT j.queue_name, j.args ->> 'connection' AS connection FROM {QUEUE_SCHEMA}.procrastinate_jobs j
        WHERE j.status = 'todo' AND j.task_name = :task AND (CAST(:served AS text[]) IS NULL OR j.queue_name = ANY(:served))),
    due AS (
        SELECT c.customer_id, c.connection_id, c.connector, c.due_at, row_number() OVER (PARTITION BY c.connector ORDER BY c.due_at) AS place FROM connection c
        WHERE c.status = 'ACTIVE' AND c.due_at <= now() AND coalesce(c.lease_until, '-infinity') < now()
            AND NOT EXISTS (SELECT 1 FROM waiting w WHERE w.connection = c.connection_id::text))
    SELECT customer_id, connection_id, connector FROM due d
    WHERE place <= :most - (SELECT count(*) FROM waiting w WHERE w.queue_name = :queue || '.' || d.connector) ORDER BY due_at
""")  # noqa: S608 -- the schema is ours
_ONE_AT_A_TIME = text("SELECT pg_try_advisory_xact_lock(4611686018427387905)")
# A job whose worker is silent is deleted, not retried: the row of its connection says whether there is anything to do. So is one whose end could not be
# written: no run of its connection is under way, and none ended a moment ago. Ended jobs prove nothing.
_OVER = text(f"""
    SELECT j.id FROM {QUEUE_SCHEMA}.procrastinate_jobs j WHERE j.task_name = :task AND (j.status IN ('succeeded', 'failed', 'cancelled', 'aborted') OR (
        j.status = 'doing' AND (NOT EXISTS (
            SELECT 1 FROM {QUEUE_SCHEMA}.procrastinate_workers w WHERE w.id = j.worker_id AND w.last_heartbeat > now() - make_interval(secs => :stalled))
        OR NOT EXISTS (SELECT 1 FROM connection c
            WHERE c.customer_id = (j.args ->> 'customer')::uuid AND c.connection_id = (j.args ->> 'connection')::uuid AND c.lease_until > now())
        AND NOT EXISTS (SELECT 1 FROM sync_run r WHERE r.customer_id = (j.args ->> 'customer')::uuid
            AND r.connection_id = (j.args ->> 'connection')::uuid AND r.ended_at > now() - make_interval(secs => :stalled))
        AND NOT EXISTS (SELECT 1 FROM {QUEUE_SCHEMA}.procrastinate_events e
            WHERE e.job_id = j.id AND e.type = 'started' AND e.at > now() - make_interval(secs => :stalled)))))
""")  # noqa: S608 -- the schema is ours
_SWEEP = "DELETE FROM procrastinate_jobs WHERE id = ANY(%(over)s) AND status <> 'todo'"
_WAKE = '{"type": "job_inserted", "job_id": 0}'


class Line(procrastinate.PsycopgConnector):
    """Procrastinate's connector; remembers whom to tell of jobs, so that a worker can also be woken by a compartment that has room again."""

    _heard: Any = None

    async def listen_notify(self, on_notification: Any, channels: Iterable[str]) -> None:
        self._heard = on_notification
        await super().listen_notify(on_notification, channels)

    async def wake(self) -> None:
        if self._heard is not None:
            await self._heard(channel="", payload=_WAKE)


def line_to(worker_url: str) -> Line:
    """On the worker's role, in the queue's own schema of the same database."""
    conninfo = make_url(worker_url).set(drivername="postgresql").render_as_string(hide_password=False)
    options = f"-c search_path={QUEUE_SCHEMA} -c statement_timeout=30000 -c idle_in_transaction_session_timeout=60000"
    return Line(conninfo=conninfo, kwargs={"options": options, "connect_timeout": CONNECT_SECONDS}, min_size=1, max_size=POOL)


@dataclass(slots=True)
class _AtWork:
    engine: Engine
    compartments: Compartments


class Dispatcher:
    """Sends nudges; in a worker process also receives them and reconciles. ``stalled`` is after how many seconds of silence a worker's jobs are deleted."""

    def __init__(self, database: Database, *, period: float = 10.0, stalled: float = 30.0) -> None:
        self.database, self.period, self.stalled = database, period, stalled
        self.line = line_to(database.urls.queue or database.urls.worker)
        self.app = procrastinate.App(connector=self.line)
        self.app.task(name=TASK, queue=QUEUE, pass_context=True)(self._look)
        self._at_work: _AtWork | None = None
        self._runs: set[asyncio.Task[None]] = set()
        self._wakes: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def nudge(self, customer_id: CustomerId | UUID, connection_id: ConnectionId | UUID) -> None:
        """Asks some worker to look at a connection, ahead of what only the timetable asks for.

        Raises nothing: what is due stands in the rows, so a nudge that is lost costs one period of the reconciler, and must not cost its sender what it has
        committed.
        """
        try:
            async with asyncio.timeout(NUDGING):
                await self._nudge(customer_id, connection_id)
        except (ProcrastinateException, *STORE_ERRORS, TimeoutError) as error:
            log.warning("nudge_lost", connection=str(connection_id), kind=type(error).__name__)

    async def _nudge(self, customer_id: UUID, connection_id: UUID) -> None:
        mine = (connections.c.customer_id == customer_id, connections.c.connection_id == connection_id)
        async with self.database.work() as tx:
            connector = (await tx.execute(select(connections.c.connector).where(*mine))).scalar()
        if connector is not None:
            job = self.app.configure_task(TASK, queue=self._queue(connector), priority=AWAITED)
            await job.defer_async(customer=str(customer_id), connection=str(connection_id))

    async def work(self, engine: Engine, *, concurrency: int) -> None:
        """Receives nudges until cancelled, at most ``concurrency`` runs at a time for each platform. Then the pages in hand are finished and the rest is
        handed back; cancelled again, at once.
        """
        spoken = [name for name in engine.equipment.connectors if name in engine.equipment.configs]
        compartments = Compartments([*(queue_of(name) for name in spoken), QUEUE], concurrency)
        self._at_work, self._stopping = _AtWork(engine, compartments), False
        tasks = {asyncio.create_task(self._receive_on(compartments)), asyncio.create_task(self._reconcile_on())}
        try:
            await asyncio.gather(*tasks)
        finally:
            await self._stop(engine, tasks)

    async def _stop(self, engine: Engine, tasks: Iterable[asyncio.Task[None]]) -> None:
        self._stopping = True
        engine.halt.tell()
        for task in tasks:
            task.cancel()
        until = asyncio.get_running_loop().time() + STOPPING
        while left := [task for task in (*tasks, *self._runs) if not task.done()]:
            try:
                await asyncio.wait(left, timeout=max(0.0, until - asyncio.get_running_loop().time()))
                break
            except asyncio.CancelledError:
                engine.halt.tell()

    async def _receive_on(self, compartments: Compartments) -> None:
        while not self._stopping:
            await self._receive(compartments)
            await asyncio.sleep(AGAIN)

    async def _receive(self, compartments: Compartments) -> None:
        """Procrastinate's worker. It ends, with or without an error, when the database goes away; the process must not end with it, nor do its runs."""
        try:
            await self.app.run_worker_async(
                queues=compartments.open,
                concurrency=compartments.places,
                install_signal_handlers=False,
                delete_jobs="always",
                fetch_job_polling_interval=1.0,
                update_heartbeat_interval=self.stalled / 3,
                stalled_worker_timeout=self.stalled,
                shutdown_graceful_timeout=1,
            )
        except ProcrastinateException as error:
            log.warning("worker_waits", kind=type(error).__name__)

    async def _look(self, context: procrastinate.JobContext, customer: str, connection: str) -> None:
        """One nudge: starts a run in the compartment it came for, and sees it end, unless procrastinate's worker ends before."""
        assert self._at_work is not None
        queue, compartments = context.job.queue, self._at_work.compartments
        compartments.enter(queue)
        run = asyncio.create_task(self._run(self._at_work.engine, CustomerId(UUID(customer)), UUID(connection)))
        self._runs.add(run)

        def ended(run: asyncio.Task[None]) -> None:
            self._runs.discard(run)
            if compartments.leave(queue):
                self._wake()

        run.add_done_callback(ended)
        await asyncio.shield(run)

    async def _run(self, engine: Engine, customer_id: CustomerId, connection_id: UUID) -> None:
        try:
            await engine.run(customer_id, connection_id)
        except HandedBack:
            # What this process no longer does is another one's at once, not only after a period.
            await self.nudge(customer_id, connection_id)

    def _wake(self) -> None:
        task = asyncio.create_task(self.line.wake())
        self._wakes.add(task)
        task.add_done_callback(self._wakes.discard)

    async def _reconcile_on(self) -> None:
        """Nudges what is due and nobody's, whoever forgot it; a database that is away for a moment does not end it."""
        while True:
            try:
                await self.reconcile()
            except (ProcrastinateException, *STORE_ERRORS) as error:
                log.warning("reconciler_waits", kind=type(error).__name__)
            await asyncio.sleep(self.period)

    async def reconcile(self) -> int:
        """One look at the rows, by one process at a time. Returns how many connections were nudged."""
        served = None if self._at_work is None else list(self._at_work.compartments.all)
        async with self.database.work() as tx:
            if not (await tx.execute(_ONE_AT_A_TIME)).scalar():
                return 0
            over = (await tx.execute(_OVER, {"task": TASK, "stalled": self.stalled})).scalars().all()
            await self.line.execute_query_async(_SWEEP, over=list(over))
            due = (await tx.execute(_DUE, {"task": TASK, "served": served, "most": BACKLOG, "queue": QUEUE})).all()
            await self._nudge_all(due)
            return len(due)

    async def _nudge_all(self, due: Iterable[Row[Any]]) -> None:
        """In batches, each platform's in its queue, oldest first."""
        by_queue: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in due:
            by_queue[self._queue(row.connector)].append({"customer": str(row.customer_id), "connection": str(row.connection_id)})
        for queue, jobs in by_queue.items():
            for first in range(0, len(jobs), BATCH):
                await self.app.configure_task(TASK, queue=queue).batch_defer_async(*jobs[first : first + BATCH])

    def _queue(self, connector: str) -> str:
        """A worker that does not speak to a platform has its connections looked at all the same: the run says what is missing."""
        queue = queue_of(connector)
        return queue if self._at_work is None or queue in self._at_work.compartments.all else QUEUE
