"""Wakes workers and spreads work: procrastinate carries nudges, a reconciler makes them level-triggered (trust rules, section k).

A nudge says "look at connection X" and is never believed: a finished job proves nothing, a lost or doubled one costs nothing. What is due stands in the
connection rows. No queueing lock, no lock: mutual exclusion is the lease.
"""

from __future__ import annotations

import asyncio
from uuid import UUID

import procrastinate
import structlog
from procrastinate.exceptions import ProcrastinateException
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from hub.domain.identifiers import ConnectionId, CustomerId
from hub.store.database import Database
from hub.store.migrate import QUEUE_SCHEMA
from hub.sync.engine import Engine

log = structlog.get_logger("hub.dispatch")

QUEUE = "sync"
TASK = "hub.sync.look"
AGAIN = 1.0
"""Seconds until a worker that the database left tries again."""

# A nudge that nobody has taken yet is not doubled: else a backlog would grow with every period, and always by the same rows.
_DUE = text(f"""
    SELECT customer_id, connection_id FROM connection c
    WHERE status = 'ACTIVE' AND due_at <= now() AND coalesce(lease_until, '-infinity') < now()
        AND NOT EXISTS (SELECT 1 FROM {QUEUE_SCHEMA}.procrastinate_jobs j
                        WHERE j.status = 'todo' AND j.task_name = :task AND j.args ->> 'connection' = c.connection_id::text)
    ORDER BY due_at LIMIT 500
""")  # noqa: S608 -- the schema is ours
_ONE_AT_A_TIME = text("SELECT pg_try_advisory_xact_lock(4611686018427387905)")


def make_app(worker_url: str) -> procrastinate.App:
    """Procrastinate on the worker's role, in its own schema of the same database."""
    url = make_url(worker_url).set(drivername="postgresql")
    conninfo = url.render_as_string(hide_password=False)
    return procrastinate.App(
        connector=procrastinate.PsycopgConnector(
            conninfo=conninfo, kwargs={"options": f"-c search_path={QUEUE_SCHEMA}"}, min_size=1, max_size=4
        )
    )


class Dispatcher:
    """Sends nudges; in a worker process also receives them and reconciles."""

    def __init__(self, database: Database, *, period: float = 10.0) -> None:
        self.database, self.period = database, period
        self.app = make_app(database.urls.worker)

    async def nudge(self, customer_id: CustomerId | UUID, connection_id: ConnectionId | UUID) -> None:
        """Asks some worker to look at a connection."""
        await self.app.configure_task(TASK, queue=QUEUE).defer_async(customer=str(customer_id), connection=str(connection_id))

    async def work(self, engine: Engine, *, concurrency: int) -> None:
        """Receives nudges until cancelled; finishes the page at hand first."""

        @self.app.task(name=TASK, queue=QUEUE)
        async def look(customer: str, connection: str) -> None:
            await engine.run(CustomerId(UUID(customer)), UUID(connection))

        reconciling = asyncio.create_task(self._reconcile())
        try:
            while True:
                await self._receive(concurrency)
                await asyncio.sleep(AGAIN)
        finally:
            reconciling.cancel()

    async def _receive(self, concurrency: int) -> None:
        """Procrastinate's worker. It ends, with or without an error, when the database goes away; the process must not end with it."""
        try:
            await self.app.run_worker_async(
                queues=[QUEUE],
                concurrency=concurrency,
                install_signal_handlers=False,
                delete_jobs="always",
                fetch_job_polling_interval=1.0,
                shutdown_graceful_timeout=20,
            )
        except ProcrastinateException as error:
            log.warning("worker_waits", kind=type(error).__name__)

    async def _reconcile(self) -> None:
        """Nudges what is due and nobody's, whoever forgot it; a database that is away for a moment does not end it."""
        while True:
            try:
                await self.reconcile()
            except (SQLAlchemyError, ProcrastinateException) as error:
                log.warning("reconciler_waits", kind=type(error).__name__)
            await asyncio.sleep(self.period)

    async def reconcile(self) -> int:
        """One look at the rows, by one process at a time. Returns how many connections were nudged."""
        async with self.database.work() as tx:
            if not (await tx.execute(_ONE_AT_A_TIME)).scalar():
                return 0
            due = (await tx.execute(_DUE, {"task": TASK})).all()
            for row in due:
                await self.nudge(row.customer_id, row.connection_id)
            return len(due)
