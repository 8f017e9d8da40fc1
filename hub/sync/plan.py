"""Which windows a run reads: what was never finished, and, in a new cycle, states and look-back once more.

A cycle ends with a verdict of COMPLETE, INCOMPLETE or EMPTY_EXPECTED. A parked or crashed run is continued: what it finished is not asked again. A window that failed stays
visibly FAILED until the next cycle asks again, and so does one whose figures are not what the platform declared. An open window that is no longer asked for (the consent
has another range, the platform reaches less far back) is not read. One that was asked for something else (:mod:`hub.sync.scope`) is read anew, from its beginning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from hub.connect import Json, Stream, Window
from hub.domain.enums import Verdict
from hub.store.database import Write
from hub.store.pages import Run
from hub.store.tables import sync_window
from hub.sync.context import Subjected
from hub.sync.frequency import begin_fetch
from hub.sync.hints import reopen
from hub.sync.scope import UNEQUAL, scope_hash

ENDED = (Verdict.COMPLETE, Verdict.INCOMPLETE, Verdict.EMPTY_EXPECTED)

_SET_ANEW = """state = 'OPEN', cursor = NULL, last_day = excluded.last_day, run_id = excluded.run_id, kinds = excluded.kinds, scope_hash = excluded.scope_hash,
    covered = NULL, reason = NULL, completed_at = NULL, declared_total = NULL, pages = 0, fetched = 0, stored = 0, unchanged = 0, quarantined = 0, rejected = 0,
    repeated = 0, moved = false, passes = 1"""

# The keys of a pass that is not continued go with it.
OPEN_WINDOWS = f"""
WITH opened AS (
    INSERT INTO sync_window (customer_id, connection_id, run_id, stream, source, kinds, first_day, last_day, state, scope_hash)
    SELECT %s, %s, %s, %s, %s, %s, u.first_day, u.last_day, 'OPEN', u.scope_hash FROM unnest(%s::date[], %s::date[], %s::text[]) AS u(first_day, last_day, scope_hash)
    ON CONFLICT (customer_id, connection_id, stream, first_day) DO UPDATE SET {_SET_ANEW}
    WHERE sync_window.scope_hash <> excluded.scope_hash OR CASE WHEN sync_window.state = 'OPEN' THEN sync_window.last_day > excluded.last_day
        ELSE sync_window.last_day <> excluded.last_day OR excluded.first_day IN (SELECT v.first_day FROM unnest(%s::date[]) AS v(first_day)) END
    RETURNING first_day
)
DELETE FROM window_keys k USING opened o
WHERE k.customer_id = %s AND k.connection_id = %s AND k.windows = 'sync_window' AND k.stream = %s AND k.first_day = o.first_day
"""  # noqa: S608 -- our own text
# A window of a version before this one did not say what it was asked for; it is taken for what is asked now, else an upgrade would read everything again.
_ADOPT = """
UPDATE sync_window w SET scope_hash = u.scope_hash FROM unnest(%s::date[], %s::text[]) AS u(first_day, scope_hash)
WHERE w.customer_id = %s AND w.connection_id = %s AND w.stream = %s AND w.first_day = u.first_day AND w.scope_hash IS NULL
"""
_DROP = f"""
UPDATE sync_window SET state = 'NOT_SERVED', reason = 'no longer asked for'
WHERE customer_id = %s AND connection_id = %s AND stream = %s AND first_day <> ALL(%s::date[])
    AND (state IN ('OPEN', 'FAILED') OR (state = 'DONE' AND {UNEQUAL}))
"""  # noqa: S608 -- our own text
# The last run that planned or ended. One that died after planning has no verdict: its cycle goes on. One that ended before it planned says nothing of a cycle.
_BEFORE = text("""
    SELECT verdict FROM sync_run
    WHERE customer_id = :customer AND connection_id = :connection AND run_id <> :run AND kind = 'SYNC'
        AND (verdict IN ('COMPLETE', 'INCOMPLETE', 'EMPTY_EXPECTED') OR windows_planned > 0)
    ORDER BY epoch DESC LIMIT 1
""")
_TO_REPEAT = text(f"""
    SELECT first_day FROM sync_window WHERE customer_id = :customer AND connection_id = :connection AND stream = :stream AND (state = 'FAILED' OR {UNEQUAL})
""")  # noqa: S608 -- our own text
_PLANNED = text("UPDATE sync_run SET windows_planned = :planned WHERE customer_id = :customer AND run_id = :run")


@dataclass(frozen=True, slots=True)
class Task:
    """A window to read, from the cursor where it stands."""

    stream: Stream
    window: Window
    cursor: Json | None
    consent_id: UUID


async def plan(tx: Write, run: Run, subjected: Subjected, business: datetime) -> list[Task]:
    """Writes the windows of this run and returns those that are open, oldest first per stream. Raises Park, ConsentMissing: no consent allows another fetch now."""
    await reopen(tx, run)
    new_cycle = await _starts_a_cycle(tx, run)
    subjected = await begin_fetch(tx, run.customer_id, subjected, business, anew=new_cycle)
    streams = {stream.name: stream for stream in subjected.streams()}
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
    context, mine = subjected.for_source(stream.source), (run.customer_id, run.connection_id)
    windows = stream.windows(context, context.data_from, context.data_to)
    firsts = [window.first for window in windows]
    await tx.exec_driver_sql(_DROP, (*mine, stream.name, firsts))
    if not windows:
        return
    scopes = [scope_hash(subjected.connector, stream, context, window) for window in windows]
    await tx.exec_driver_sql(_ADOPT, (firsts, scopes, *mine, stream.name))
    again = [window.first for window in windows if new_cycle and _is_read_again(stream, window, context.today)]
    repeated = await _to_repeat(tx, run, stream) if new_cycle else []
    kinds = [kind.__name__ for kind in stream.facts]
    values: tuple[Any, ...] = (*mine, run.run_id, stream.name, stream.source, kinds, firsts, [window.last for window in windows], scopes)
    await tx.exec_driver_sql(OPEN_WINDOWS, (*values, [*again, *repeated], *mine, stream.name))


def _is_read_again(stream: Stream, window: Window, today: date) -> bool:
    return stream.window_days == 0 or window.last >= today - timedelta(days=stream.look_back_days)


async def _to_repeat(tx: Write, run: Run, stream: Stream) -> Sequence[date]:
    values = {"customer": run.customer_id, "connection": run.connection_id, "stream": stream.name}
    return list((await tx.execute(_TO_REPEAT, values)).scalars())
