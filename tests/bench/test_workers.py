"""Worker processes of :mod:`bench.dispatch` whose clocks are wrong, or which are killed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from bench.dispatch.settings import Post
from bench.dispatch.world import Store, log_of, platforms, start_worker, store, workers
from bench.kit.process import end
from hub.store.database import Database
from hub.store.embedded import Embedded
from hub.sync.dispatch import Dispatcher

CONNECTIONS = 3
LEASE = 1.5
CLOCKS = ({"shift": 300.0}, {"shift": -300.0}, {"shift": -3600.0, "after": 2.0})
"""Five minutes ahead, five behind, and one that is put back by an hour while it works. Only what Python asks is shifted, not the monotonic clocks."""
FEW_JOBS, LOOK = 0.3, 0.1


async def nudging(made: Store, enough: asyncio.Event) -> None:
    """Asks whoever is free to look at every connection, again and again, whether or not it is due or anybody's."""
    database = Database(made.post.urls, worker_pool=2)
    try:
        dispatcher = Dispatcher(database)
        owners = await made.rows("SELECT customer_id, connection_id FROM connection")
        async with dispatcher.app.open_async():
            while not enough.is_set():
                for customer_id, connection_id in owners:
                    await dispatcher.nudge(customer_id, connection_id)
                await asyncio.sleep(FEW_JOBS)
    finally:
        await database.close()


async def with_wrong_clocks(cluster: Embedded, home: Path, name: str, broken: str | None) -> tuple[int, int, float]:
    """Runs, calls, and the longest lease ever seen to be left by the database's clock, of connections whose platform takes 4 seconds to answer."""
    async with platforms("slow:1:4") as (slow,):
        post = Post(str(home), cluster.urls(), {"shop": slow}, lease=LEASE, heartbeat=LEASE / 4, reconcile=0.5, broken=broken)
        async with store(cluster, name, post) as made:
            await made.fill(CONNECTIONS, ("shop",))
            async with workers(*(replace(made.post, **clock) for clock in CLOCKS), log=home / "workers.log"):
                enough = asyncio.Event()
                asking = asyncio.create_task(nudging(made, enough))
                await made.make_due(made.ids["shop"])
                longest = await _until_quiet(made)
                enough.set()
                await asking
            calls = (await log_of(slow))["calls"]
            return await made.one("SELECT count(*) FROM sync_run"), sum(calls.values()), longest


async def _until_quiet(made: Store) -> float:
    """Watches until every connection has run, or for 10 seconds. The longest time that a lease had left."""
    longest = 0.0
    for _ in range(int(10 / LOOK)):
        left = await made.one("SELECT coalesce(max(extract(epoch FROM lease_until - clock_timestamp())), 0)::float8 FROM connection")
        longest = max(longest, left)
        if not await made.one("SELECT count(*) FROM connection WHERE due_at IS NOT NULL"):
            break
        await asyncio.sleep(LOOK)
    return longest


async def test_wrong_clocks_neither_claim_twice_nor_let_a_lease_end_early(cluster: Embedded, tmp_path: Path) -> None:
    runs, calls, longest = await with_wrong_clocks(cluster, tmp_path, "clocks", None)
    assert (runs, calls) == (CONNECTIONS, CONNECTIONS)
    assert 0 < longest <= LEASE, "a lease is as long as it is by the database's clock"


async def test_a_lease_in_host_time_is_found_out(cluster: Embedded, tmp_path: Path) -> None:
    runs, calls, longest = await with_wrong_clocks(cluster, tmp_path, "host_clocks", "host time")
    assert runs > CONNECTIONS or calls > CONNECTIONS or longest > LEASE


async def test_the_jobs_of_a_killed_worker_go_and_its_connections_are_taken_over(cluster: Embedded, tmp_path: Path) -> None:
    async with platforms("hangs") as (hangs,):
        post = Post(str(tmp_path), cluster.urls(), {"shop": hangs}, lease=LEASE, heartbeat=LEASE / 4, reconcile=0.3, stalled=1.0)
        async with store(cluster, "killed", post) as made:
            await made.fill(CONNECTIONS, ("shop",))
            first = await start_worker(made.post, tmp_path / "workers.log")
            await made.make_due(made.ids["shop"])
            await eventually(made, "SELECT count(*) FROM connection WHERE epoch = 1 AND lease_until > now()", CONNECTIONS)
            (mine,) = (await made.rows("SELECT array_agg(id) FROM queue.procrastinate_jobs WHERE status = 'doing'"))[0]
            assert len(mine) == CONNECTIONS
            await end(first)
            async with workers(made.post, log=tmp_path / "workers.log"):
                await eventually(made, "SELECT count(*) FROM connection WHERE epoch = 2 AND lease_until > now()", CONNECTIONS)
                await eventually(made, f"SELECT count(*) FROM queue.procrastinate_jobs WHERE id = ANY(ARRAY{mine}::bigint[])", 0)


async def eventually(made: Store, statement: str, count: int) -> None:
    async with asyncio.timeout(30):
        while await made.one(statement) != count:  # noqa: ASYNC110 -- it happens in the database
            await asyncio.sleep(0.05)
