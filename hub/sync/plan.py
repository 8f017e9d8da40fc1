"""Which windows a run reads: what was never finished, and, in a new cycle, states and look-back once more.

A cycle ends with a verdict of COMPLETE, INCOMPLETE or EMPTY_EXPECTED. A parked or crashed run is continued: what it finished is not asked again. A window that failed stays
visibly FAILED until the next cycle asks again, and so does one whose figures are not what the platform declared. An open window that is no longer asked for (the consent
has another range, the platform reaches less far back) is not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from hub.connect import Json, Stream, Window
from hub.domain.enums import Verdict
from hub.store.database import Write
from hub.store.pages import Run
from hub.store.tables import sync_window
from hub.sync.context import Subjected

ENDED = (Verdict.COMPLETE, Verdict.INCOMPLETE, Verdict.EMPTY_EXPECTED)

_OPEN = """
INSERT INTO sync_window (customer_id, connection_id, run_id, stream, source, kinds, first_day, last_day, state)
SELECT %s, %s, %s, %s, %s, %s, u.first_day, u.last_day, 'OPEN' FROM unnest(%s::date[], %s::date[]) AS u(first_day, last_day)
ON CONFLICT (customer_id, connection_id, stream, first_day) DO UPDATE
SET state = 'OPEN', cursor = NULL, last_day = excluded.last_day, run_id = excluded.run_id, kinds = excluded.kinds, covered = NULL, reason = NULL, completed_at = NULL,
    declared_total = NULL, pages = 0, fetched = 0, stored = 0, unchanged = 0, quarantined = 0, rejected = 0
WHERE CASE WHEN sync_window.state = 'OPEN' THEN sync_window.last_day > excluded.last_day
    ELSE sync_window.last_day <> excluded.last_day OR excluded.first_day IN (SELECT v.first_day FROM unnest(%s::date[]) AS v(first_day)) END
"""
_DROP = """
UPDATE sync_window SET state = 'NOT_SERVED', reason = 'no longer asked for'
WHERE customer_id = %s AND connection_id = %s AND stream = %s AND state = 'OPEN' AND first_day <> ALL(%s::date[])
"""
# The last run that planned or ended. One that died after planning has no verdict: its cycle goes on.
_BEFORE = text("""
    SELECT verdict FROM sync_run
    WHERE customer_id = :customer AND connection_id = :connection AND run_id <> :run AND (verdict IS NOT NULL OR windows_planned > 0)
    ORDER BY epoch DESC LIMIT 1
""")
_TO_REPEAT = text("""
    SELECT first_day FROM sync_window WHERE customer_id = :customer AND connection_id = :connection AND stream = :stream
        AND (state = 'FAILED' OR fetched <> stored + unchanged + quarantined + rejected OR declared_total <> fetched)
""")
_PLANNED = text("UPDATE sync_run SET windows_planned = :planned WHERE customer_id = :customer AND run_id = :run")


@dataclass(frozen=True, slots=True)
class Task:
    """A window to read, from the cursor where it stands."""

    stream: Stream
    window: Window
    cursor: Json | None
    consent_id: UUID


async def plan(tx: Write, run: Run, subjected: Subjected) -> list[Task]:
    """Writes the windows of this run and returns those that are open, oldest first per stream."""
    new_cycle = await _starts_a_cycle(tx, run)
    streams = {stream.name: stream for stream in subjected.connector.streams if stream.source in subjected.consents}
    for stream in streams.values():
        await _open(tx, run, subjected, stream, new_cycle)
    found = await tx.execute(
        select(sync_window.c.stream, sync_window.c.first_day, sync_window.c.last_day, sync_window.c.cursor)
        .where(
            sync_window.c.customer_id == run.customer_id, sync_window.c.connection_id == run.connection_id, sync_window.c.state == "OPEN"
        )
        .order_by(sync_window.c.first_day, sync_window.c.stream)
    )
    tasks = [
        Task(
            streams[row.stream],
            Window(row.stream, row.first_day, row.last_day),
            row.cursor,
            subjected.consents[streams[row.stream].source].consent_id,
        )
        for row in found
        if row.stream in streams
    ]
    await tx.execute(_PLANNED, {"planned": len(tasks), "customer": run.customer_id, "run": run.run_id})
    return tasks


async def _starts_a_cycle(tx: Write, run: Run) -> bool:
    values = {"customer": run.customer_id, "connection": run.connection_id, "run": run.run_id}
    return (await tx.execute(_BEFORE, values)).scalar() in ENDED


async def _open(tx: Write, run: Run, subjected: Subjected, stream: Stream, new_cycle: bool) -> None:
    context = subjected.for_source(stream.source)
    windows = stream.windows(context, context.data_from, context.data_to)
    again = [window.first for window in windows if new_cycle and _is_read_again(stream, window, context.today)]
    repeated = await _to_repeat(tx, run, stream) if new_cycle else []
    values: list[Any] = [
        run.customer_id,
        run.connection_id,
        run.run_id,
        stream.name,
        stream.source,
        [kind.__name__ for kind in stream.facts],
    ]
    values += [[window.first for window in windows], [window.last for window in windows], [*again, *repeated]]
    await tx.exec_driver_sql(_DROP, (run.customer_id, run.connection_id, stream.name, [window.first for window in windows]))
    if windows:
        await tx.exec_driver_sql(_OPEN, tuple(values))


def _is_read_again(stream: Stream, window: Window, today: date) -> bool:
    return stream.window_days == 0 or window.last >= today - timedelta(days=stream.look_back_days)


async def _to_repeat(tx: Write, run: Run, stream: Stream) -> Sequence[date]:
    values = {"customer": run.customer_id, "connection": run.connection_id, "stream": stream.name}
    return list((await tx.execute(_TO_REPEAT, values)).scalars())
