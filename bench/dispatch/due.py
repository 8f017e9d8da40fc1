"""T36: thousands of connections due in the same second, the queue emptied by hand at once and again near the end."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.errors import LockNotAvailable

from bench.dispatch.settings import WORKERS, Asked, Post
from bench.dispatch.world import Store, log_of, platforms, store, workers
from bench.kit.figures import Figure
from bench.kit.show import Show
from hub.domain.enums import SourceKind
from hub.store.embedded import Embedded
from hub.sync.dispatch import CONNECTIONS

PLATFORMS = 10
POOL = 12 + CONNECTIONS
"""Connections one worker process may hold: the worker's pool and the queue's."""
ANSWER, IN_FLIGHT = 0.2, 2
"""Seconds a platform takes to answer, and the calls in flight it allows: fewer than the workers have runs for it."""
LAST = 250
"""So many connections are left when the queue is emptied for the second time."""
PER_RUN = 0.15
"""Seconds a run may take before this bench gives up on it."""
DAY = 86_400.0
GLANCE = 0.1

_LEFT = "SELECT count(*) FROM connection WHERE last_verdict IS DISTINCT FROM 'COMPLETE'"
_MOST_LEFT = "SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM connection WHERE last_verdict IS DISTINCT FROM 'COMPLETE' GROUP BY connector) AS x"
_FORGOTTEN = """
SELECT count(*) FROM connection c WHERE due_at <= now() AND coalesce(lease_until, '-infinity') < now() AND NOT EXISTS (
    SELECT 1 FROM queue.procrastinate_jobs j WHERE j.status IN ('todo', 'doing') AND j.args ->> 'connection' = c.connection_id::text)
"""
_SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename LIKE 'hub%'"
_HOURS = "SELECT floor(extract(epoch FROM due_at - now()) / 3600)::int AS hour, count(*) FROM connection GROUP BY 1 ORDER BY 1"
_RUNS = "SELECT count(*), count(*) FILTER (WHERE verdict = 'COMPLETE'), extract(epoch FROM max(ended_at) - min(started_at))::float8 FROM sync_run"


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds from the queue's emptying until all that is due stood in it again; and, for the last ones, until all had run. None: never. ``work`` is how long
    the platform with most of those needs to answer for them.
    """

    nudged: float | None
    done: float | None
    work: float = 0.0


class Sampled:
    """The most sessions of the hub that PostgreSQL ever showed."""

    most = 0

    @asynccontextmanager
    async def sampling(self, dsn: str) -> AsyncIterator[None]:
        task = asyncio.create_task(self._sample(dsn))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _sample(self, dsn: str) -> None:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as own:
            while True:
                row = await (await own.execute(_SESSIONS)).fetchone()
                self.most = max(self.most, row[0] if row else 0)
                await asyncio.sleep(0.05)


async def due_at_once(asked: Asked, embedded: Embedded, home: Path, show: Show) -> list[Figure]:
    """The figures of this part."""
    names = [source.lower() for source in list(SourceKind)[:PLATFORMS]]
    async with platforms(*[f"slow:1:{ANSWER}:{IN_FLIGHT}"] * PLATFORMS) as origins:
        given = dict(zip(names, origins, strict=True))
        first = Post(str(home), embedded.urls(), given, period=DAY, reconcile=asked.period, broken=asked.broken, in_flight=IN_FLIGHT)
        async with store(embedded, "due", first) as made:
            await made.fill(asked.connections // PLATFORMS, names)
            count, sampled = sum(len(ids) for ids in made.ids.values()), Sampled()
            show.say(f"{count:,} connections, {PLATFORMS} platforms, {WORKERS} worker processes")
            async with workers(*[made.post] * WORKERS, log=home / "due.log"), sampled.sampling(made.dsn):
                timing = await _through(asked, made, count, show)
            logs = [await log_of(origin) for origin in origins]
            return [
                *await _work(asked, made, count, timing),
                Figure("most sessions of the hub in PostgreSQL", f"<= {WORKERS * POOL}", str(sampled.most), sampled.most <= WORKERS * POOL),
                _in_flight(logs),
                Figure("calls per connection", "1", f"{sum(sum(log['calls'].values()) for log in logs) / count:.3f}", None),
                *await _spread(made, count),
            ]


async def _through(asked: Asked, made: Store, count: int, show: Show) -> Timing:
    """Due in one second; emptied at once; emptied again when few are left."""
    await made.make_due([one for ids in made.ids.values() for one in ids])
    nudged = await _emptied(asked, made, show, count)
    last, began = min(LAST, count // 4), time.monotonic()
    while await _left(made, show, count) > last:
        if time.monotonic() - began > 2 * asked.period + PER_RUN * count:
            return Timing(nudged, None)
        await asyncio.sleep(GLANCE)
    work = int(await made.one(_MOST_LEFT)) * ANSWER / IN_FLIGHT
    return Timing(nudged, await _finished(asked, made, show, count), work)


async def _left(made: Store, show: Show, count: int) -> int:
    left = int(await made.one(_LEFT))
    show.at("due", count - left, count)
    return left


async def _empty(made: Store) -> None:
    """As an operator would, who does not wait long for the lock; the hub's own statements go on between."""
    while True:
        try:
            await made.do("SET lock_timeout = '1s'")
            return await made.do("TRUNCATE queue.procrastinate_jobs CASCADE")
        except (LockNotAvailable, psycopg.errors.DeadlockDetected):
            await asyncio.sleep(GLANCE)


async def _emptied(asked: Asked, made: Store, show: Show, count: int) -> float | None:
    """Waits until the reconciler has filled the queue, empties it, and waits until nothing due is missing from it."""
    until = time.monotonic() + 2 * asked.period
    while not await made.one("SELECT count(*) FROM queue.procrastinate_jobs") and time.monotonic() < until:  # noqa: ASYNC110 -- it happens in the database
        await asyncio.sleep(0.02)
    await _empty(made)
    began = time.monotonic()
    while await made.one(_FORGOTTEN) > count // 100:
        await _left(made, show, count)
        if time.monotonic() - began > 3 * asked.period:
            return None
        await asyncio.sleep(GLANCE)
    return time.monotonic() - began


async def _finished(asked: Asked, made: Store, show: Show, count: int) -> float | None:
    await _empty(made)
    began = time.monotonic()
    while await _left(made, show, count):
        if time.monotonic() - began > 6 * asked.period:
            return None
        await asyncio.sleep(GLANCE)
    return time.monotonic() - began


async def _work(asked: Asked, made: Store, count: int, timing: Timing) -> list[Figure]:
    left, (runs, complete, seconds) = await made.one(_LEFT), (await made.rows(_RUNS))[0]
    return [
        Figure("connections run to their end", f"{count:,}", f"{count - left:,}", left == 0),
        Figure("complete runs (one each)", f"{count:,}", f"{complete:,}", complete == count),
        Figure("runs that were parked or broken off before", "told", str(runs - complete), None),
        _within(asked, "queue emptied at once: all nudged again", timing.nudged),
        _within(asked, f"queue emptied with {min(LAST, count // 4)} left: all run", timing.done, timing.work),
        Figure("runs per second, of all workers", "told", f"{runs / seconds:.0f}" if seconds else "none", None),
    ]


def _within(asked: Asked, name: str, seconds: float | None, work: float = 0.0) -> Figure:
    """Nobody is forgotten for longer than two periods; then there is the work itself."""
    limit = 2 * asked.period + work
    wanted = f"<= {limit:.0f} s (2 periods{f' and {work:.0f} s of answers' if work else ''})"
    return Figure(name, wanted, "never" if seconds is None else f"{seconds:.1f} s", seconds is not None and seconds <= limit)


def _in_flight(logs: list[dict[str, int]]) -> Figure:
    most, overruns = max(log["most"] for log in logs), sum(log["overruns"] for log in logs)
    return Figure("most calls in flight at a platform, by its count", f"<= {IN_FLIGHT}", str(most), most <= IN_FLIGHT and not overruns)


async def _spread(made: Store, count: int) -> list[Figure]:
    """When the next runs are due: everybody at their own point of the day."""
    hours: Counter[int] = Counter({row[0]: row[1] for row in await made.rows(_HOURS) if row[0] is not None})
    fullest, even = max(hours.values(), default=0), count / 24
    bars = "".join("▁▂▃▄▅▆▇█"[min(7, int(hours[hour] / max(1, fullest) * 8))] for hour in range(2, 27))
    allowed = even + 5 * even**0.5
    return [
        Figure("next runs in the fullest hour of the day", f"<= {allowed:.0f} (even: {even:.0f})", str(fullest), 0 < fullest <= allowed),
        Figure("next runs by hour from now, 2 to 26", "told", bars, None),
    ]
