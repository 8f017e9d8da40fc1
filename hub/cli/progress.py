"""What a person sees while connections sync: one bar per platform on a terminal, one line per finished platform elsewhere."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from uuid import UUID

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from sqlalchemy import text

from hub.cli.options import console
from hub.domain.identifiers import CustomerId
from hub.store.database import Database

_RUNS = text("""
    SELECT DISTINCT ON (c.connector) c.connector, c.status, c.last_verdict, c.last_fault, c.last_fault_detail, c.due_at <= now() OR c.lease_until > now() OR c.last_verdict = 'PARKED' AS busy,
           r.windows_planned, r.windows_done, r.fetched, r.stored, r.quarantined, r.requests
    FROM connection c LEFT JOIN sync_run r ON r.customer_id = c.customer_id AND r.connection_id = c.connection_id AND r.kind = 'SYNC'
    WHERE c.customer_id = :customer AND c.connector <> 'partner_app'
    ORDER BY c.connector, r.started_at DESC NULLS LAST
""")


@dataclass(frozen=True, slots=True)
class State:
    """How far one connection is. ``total`` and ``done`` count windows."""

    connector: str
    verdict: str | None
    fault: str | None
    settled: bool
    total: int
    done: int
    fetched: int
    stored: int
    quarantined: int
    requests: int


async def states(database: Database, customer_id: CustomerId | UUID) -> list[State]:
    """The connections of a customer, by connector."""
    async with database.work() as tx:
        rows = (await tx.execute(_RUNS, {"customer": customer_id})).mappings().all()
    return [
        State(
            row["connector"],
            row["last_verdict"],
            row["last_fault_detail"] or row["last_fault"],
            row["status"] == "LINKING" or (row["last_verdict"] is not None and not row["busy"]),
            *(int(row[name] or 0) for name in ("windows_planned", "windows_done", "fetched", "stored", "quarantined", "requests")),
        )
        for row in rows
    ]


async def watch(database: Database, customer_id: CustomerId, *, quiet: bool = False, patience: float = 300) -> list[State]:
    """Follows the sync until every connection has a verdict. Raises TimeoutError."""
    async with asyncio.timeout(patience):
        with Progress(
            TextColumn("{task.description:<18}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TextColumn("{task.fields[facts]}"),
            TimeElapsedColumn(),
            console=console,
            disable=quiet or not console.is_terminal,
        ) as bars:
            return await _follow(database, customer_id, bars, quiet)


async def _follow(database: Database, customer_id: CustomerId, bars: Progress, quiet: bool) -> list[State]:
    tasks: dict[str, TaskID] = {}
    told: set[str] = set()
    while True:
        now = await states(database, customer_id)
        for state in now:
            task = tasks.setdefault(
                state.connector,
                bars.add_task(state.connector, total=None, facts="") if state.connector not in tasks else tasks[state.connector],
            )
            label = f"{state.fetched:,} records  {state.verdict if state.settled and state.verdict else ''}"
            bars.update(task, total=state.total or None, completed=state.done, facts=label)
            if state.settled and state.connector not in told:
                told.add(state.connector)
                if bars.disable and not quiet:
                    console.print(f"  {state.connector:<18} {label.strip()}, {state.requests:,} requests")
        if now and all(state.settled for state in now):
            return now
        await asyncio.sleep(0.1)
