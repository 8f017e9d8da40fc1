"""T35: a platform that takes requests and never answers, beside one that works. Two stores with a worker process each: in one of them connections of the
hanging platform are under way. Rounds take turns, so that whatever else the machine does meets both alike.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from bench.dispatch.settings import AT_ONCE, Asked, Post
from bench.dispatch.world import Store, log_of, platforms, store, workers
from bench.kit.figures import Figure
from bench.kit.show import Show
from hub.store.embedded import Embedded

STEADY, HUNG = "shop", "settlement"
CONNECTIONS = 24
"""Of the platform that works; each has :data:`PAGES` pages."""
PAGES = 12
HANGING = 30
"""Of the platform that hangs: many more than a worker has places."""
LONGEST = 20.0
"""Seconds after which a round is over, whatever was done."""

_OPEN = "SELECT count(*) FROM connection WHERE connector = 'shop' AND (due_at IS NOT NULL OR lease_until IS NOT NULL)"


async def beside_one_that_hangs(asked: Asked, embedded: Embedded, home: Path, show: Show, customers: int = CONNECTIONS) -> list[Figure]:
    """The figures of this part."""
    async with platforms(f"slow:{PAGES}:0.002", "hangs") as (steady, hung):
        post = Post(str(home), embedded.urls(), {STEADY: steady, HUNG: hung}, reconcile=0.2)
        async with store(embedded, "alone", post) as alone, store(embedded, "beside", replace(post, broken=asked.broken)) as beside:
            await asyncio.gather(alone.fill(customers, (STEADY,)), beside.fill(max(customers, HANGING), (STEADY, HUNG)))
            async with workers(alone.post, beside.post, log=home / "hanging.log"):
                return await _rounds(asked, show, alone, beside, hung)


async def _rounds(asked: Asked, show: Show, alone: Store, beside: Store, hung: str) -> list[Figure]:
    """The first round of each warms up and is not counted. Without its guard a round would only be over by its limit, which is short then."""
    limit = 4.0 if asked.broken else LONGEST
    ratios, rates, least = [], [], AT_ONCE
    for number in range(asked.rounds + 1):
        await _hang(beside, hung)
        order = (alone, beside) if number % 2 else (beside, alone)
        seen = {id(one): await _round(one, limit) for one in order}
        if number:
            ratios.append(seen[id(beside)] / seen[id(alone)])
            rates.append((seen[id(alone)], seen[id(beside)]))
            least = min(least, (await log_of(hung))["in_flight"])
        show.at("beside one that hangs", number, asked.rounds)
    loss = (1 - statistics.median(ratios)) * 100
    told = "  ".join(f"{one:.0f}/{other:.0f}" for one, other in rates)
    return [
        Figure("loss of the other platform's rate, median of the rounds", "< 5 %", f"{loss:.1f} %", loss < 5),
        Figure("pages per second alone / beside one that hangs, by round", "told", told, None),
        Figure("calls that hung throughout, by the platform's count", ">= 1", str(least), least >= 1),
    ]


async def _hang(beside: Store, hung: str) -> None:
    """As many calls as may be under way hang at the platform. What it has been charged with is forgiven: this platform hangs for ever."""
    await beside.do("UPDATE quota_ledger SET circuit = 'CLOSED', circuit_failures = 0 WHERE connector = 'settlement'")
    await beside.do("UPDATE connection SET due_at = now() WHERE connector = 'settlement' AND lease_until IS NULL")
    with suppress(TimeoutError):
        async with asyncio.timeout(20):
            while (await log_of(hung))["in_flight"] < AT_ONCE:  # noqa: ASYNC110 -- it happens in another process
                await asyncio.sleep(0.05)


async def _round(made: Store, limit: float) -> float:
    """Pages per second of the platform that works, from when all its connections are due until all are done."""
    ids = made.ids[STEADY][:CONNECTIONS]
    before, began = await _pages(made), time.monotonic()
    await made.do("UPDATE connection SET due_at = now() WHERE connection_id = ANY(%s)", (ids,))
    while time.monotonic() - began < limit and await made.one(_OPEN):  # noqa: ASYNC110 -- it happens in the database
        await asyncio.sleep(0.02)
    seconds = time.monotonic() - began
    return (await _pages(made) - before) / seconds


async def _pages(made: Store) -> int:
    return int(await made.one("SELECT count(*) FROM raw_page"))
