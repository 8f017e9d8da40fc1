"""T40: a rolling restart under load. One worker has everything, another one stands by; the first is told to stop, a new one is started, and so on."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from bench.dispatch.settings import Asked, Post
from bench.dispatch.world import Store, log_of, platforms, start_worker, store
from bench.kit.figures import Figure
from bench.kit.process import end
from bench.kit.show import Show
from hub.store.embedded import Embedded

CONNECTIONS = 8
ENDLESS = "slow:1000000:0.1"
LONGEST, HANDOVER, HURRIED = 25.0, 2.0, 5.0
LIMIT, PATIENCE = 40.0, 10.0
"""Seconds after which this bench gives up on the end of a process, and on whatever else it waits for."""

_HELD = "SELECT count(*) FROM connection WHERE lease_until > now() AND epoch = %s"
_TAKEN = "SELECT count(*) FROM connection WHERE epoch > %s"


class Seen:
    """Seconds and counts of every stop."""

    def __init__(self) -> None:
        self.ends: list[float] = []
        self.handovers: list[float] = []
        self.codes: Counter[int] = Counter()
        self.left = 0


async def stopped_under_load(asked: Asked, embedded: Embedded, home: Path, show: Show) -> list[Figure]:
    """The figures of this part."""
    async with platforms(ENDLESS, "hangs") as (endless, hangs):
        post = Post(str(home), embedded.urls(), {"shop": endless}, at_once=2 * CONNECTIONS, page_ceiling=1_000_000, broken=asked.broken)
        async with store(embedded, "stopping", post) as made:
            await made.fill(CONNECTIONS, ("shop",))
            seen = await _rolling(asked, made, home, show)
            log = await log_of(endless)
        async with store(embedded, "hurried", replace(post, origins={"shop": hangs})) as made:
            await made.fill(CONNECTIONS, ("shop",))
            hurried, left = await _told_twice(made, hangs, home)
    twice = sum(count - 1 for count in Counter((token, page) for token, page in log["answered"]).values())
    return [
        Figure("workers told to stop under load", str(asked.stops), str(sum(seen.codes.values())), sum(seen.codes.values()) == asked.stops),
        Figure("that did not end in order", "0", str(asked.stops - seen.codes[0]), seen.codes[0] == asked.stops),
        _at_most("slowest end after SIGTERM", LONGEST, max(seen.ends)),
        Figure("leases left behind", "0", str(seen.left + left), seen.left + left == 0),
        _at_most("slowest handover of all connections, from SIGTERM", HANDOVER, max(seen.handovers)),
        Figure(f"pages (of {len(log['answered']):,}) answered but not committed", "0", str(twice), twice == 0),
        _at_most("end after a second SIGTERM, the platform hanging", HURRIED, hurried),
    ]


def _at_most(name: str, limit: float, seen: float) -> Figure:
    return Figure(name, f"<= {limit:.0f} s", f"{seen:.1f} s" if seen < LIMIT else "never", seen <= limit)


async def _rolling(asked: Asked, made: Store, home: Path, show: Show) -> Seen:
    seen, log = Seen(), home / "stopping.log"
    working = await start_worker(made.post, log)
    await made.make_due(made.ids["shop"])
    try:
        for epoch in range(1, asked.stops + 1):
            await _until(made, _HELD, epoch)
            standing_by = await start_worker(made.post, log)
            await _stop(made, working, epoch, seen)
            working = standing_by
            show.at("told to stop", epoch, asked.stops)
            if asked.broken:
                break
    finally:
        await end(working)
    return seen


async def _stop(made: Store, working: asyncio.subprocess.Process, epoch: int, seen: Seen) -> None:
    """SIGTERM; when everything is somebody else's, and when the process is gone."""
    await asyncio.sleep(0.5)
    began = time.monotonic()
    working.send_signal(signal.SIGTERM)
    handover = asyncio.create_task(_until(made, _TAKEN, epoch, PATIENCE if made.post.broken is None else HANDOVER))
    async with asyncio.timeout(LIMIT):
        seen.codes[await working.wait()] += 1
    seen.ends.append(time.monotonic() - began)
    await asyncio.sleep(0.5)
    seen.left += await made.one(_HELD, (epoch,))
    await handover
    seen.handovers.append(handover.result() - began if await made.one(_TAKEN, (epoch,)) == CONNECTIONS else LIMIT)


async def _until(made: Store, statement: str, epoch: int, patience: float = PATIENCE) -> float:
    """Until the statement counts all connections, or the limit. When that was."""
    began = time.monotonic()
    while await made.one(statement, (epoch,)) < CONNECTIONS and time.monotonic() - began < patience:  # noqa: ASYNC110 -- in the database
        await asyncio.sleep(0.02)
    return time.monotonic()


async def _told_twice(made: Store, origin: str, home: Path) -> tuple[float, int]:
    """Seconds from the second SIGTERM to the end of a worker whose calls all hang, and the leases it left behind."""
    working = await start_worker(made.post, home / "stopping.log")
    try:
        await made.make_due(made.ids["shop"])
        await _until(made, _HELD, 1)
        while not (await log_of(origin))["in_flight"]:  # noqa: ASYNC110 -- it happens in another process
            await asyncio.sleep(0.02)
        working.send_signal(signal.SIGTERM)
        await asyncio.sleep(1.0)
        began = time.monotonic()
        if working.returncode is None:
            working.send_signal(signal.SIGTERM)
        async with asyncio.timeout(LIMIT):
            await working.wait()
        return time.monotonic() - began, await made.one(_HELD, (1,))
    finally:
        await end(working)
