"""A run: the store, the pooler before it, the requests, the figures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import text

from bench.isolation.attack import Attack
from bench.isolation.pooler import pooled
from bench.isolation.sabotage import broken
from bench.isolation.settings import CANCELLED, OPEN_FOR, SERVER_CONNECTIONS, Asked
from bench.isolation.watch import Watch, watching
from bench.isolation.world import World, open_world
from bench.kit.command import Outcome
from bench.kit.figures import Figure, exactly, none, told
from bench.kit.ground import folder
from bench.kit.show import Show
from hub.store.embedded import Embedded, Urls
from hub.store.migrate import migrate

# As the hub itself: what stands under a customer's name was written by who may see the customer.
_WRITTEN = text("""
    SELECT (SELECT count(*) FROM fact_behaviour_session f WHERE NOT EXISTS (SELECT 1 FROM customer_client c
            WHERE c.customer_id = f.customer_id AND f.session_number LIKE c.client_id || '-%'))
        + (SELECT count(*) FROM access_log l WHERE NOT EXISTS (SELECT 1 FROM customer_client c WHERE c.customer_id = l.customer_id AND c.client_id = l.client_id))
        + (SELECT count(*) FROM fact_behaviour_session WHERE session_number LIKE '%intruded%')
""")


async def run(asked: Asked, show: Show) -> Outcome:
    with folder() as home:
        embedded = await asyncio.to_thread(Embedded, home / "postgres", durable=False)
        try:
            urls = await embedded.prepare()
            await migrate(urls)
            began = time.monotonic()
            figures = await attacked(asked, embedded, urls, "hub", home, show)
            return Outcome(figures, {"requests": time.monotonic() - began})
        finally:
            await asyncio.to_thread(embedded.stop)


async def attacked(asked: Asked, embedded: Embedded, urls: Urls, database: str, home: Path, show: Show) -> list[Figure]:
    """On a migrated store without anybody's rows."""
    async with pooled(embedded, urls, database, home / "pooler") as through, open_world(through, home / "hub") as world:
        with broken(asked.broken):
            attack = Attack(asked, world)
            async with watching(through) as watch:
                await attack.run(show)
            return await _figures(asked, world, attack, watch)


async def _figures(asked: Asked, world: World, attack: Attack, watch: Watch) -> list[Figure]:
    # What was cancelled last is being rolled back.
    await asyncio.sleep(1.0)
    busy, kept = await watch.at_the_end()
    async with world.runtime.database.work() as tx:
        written = int((await tx.execute(_WRITTEN)).scalar_one())
    out = sum(engine.pool.checkedout() for engine in (world.runtime.database.app, world.runtime.database.worker))  # type: ignore[attr-defined]
    return [
        exactly(
            "requests by two partners",
            asked.requests,
            attack.seen["answered"] + attack.seen["cancelled"] + attack.seen["refused"] + attack.failed,
        ),
        _share(asked, attack.seen["cancelled"]),
        none("foreign rows in answers", attack.foreign),
        none("rows written or logged under a foreign customer", written),
        none("lists that lack one of the partner's own customers", attack.seen["lists that lack a customer"]),
        told("ended by their time limit", attack.seen["too slow"]),
        none(f"requests that failed otherwise{attack.words}", attack.failed),
        told("transactions that said nobody, and asked what they found", watch.probes),
        none("of them, with a setting or a row of somebody", watch.leaks),
        none(f"looks at which a transaction had stood idle for more than {OPEN_FOR:.0f} s", watch.left),
        told("looks / longest idle in a transaction", f"{watch.looks} / {watch.longest:.2f} s"),
        none("server connections left in a transaction", busy),
        none(f"of the {SERVER_CONNECTIONS} server connections, with a setting left", kept),
        none("connections of the hub's pools not given back", out),
    ]


def _share(asked: Asked, cancelled: int) -> Figure:
    """Not every cancelled request was still under way: a share of them is enough, if only it is large."""
    least = int(asked.requests * CANCELLED / 3)
    return Figure("of them cancelled under way", f"at least {least:,}", f"{cancelled:,}", cancelled >= least)


def seen(figures: Sequence[Figure]) -> dict[str, str]:
    return {one.name: one.seen for one in figures}
