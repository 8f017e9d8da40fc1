"""A worker erases what is due by itself: once a day, and whom a backup brought back at every look."""

from __future__ import annotations

import asyncio

from hub.store.erasure import Erasing, erase_customer
from hub.sync.keeping import Keeper
from tests.hub.erasure.side import on
from tests.hub.sync.world import World


async def test_it_is_one_of_a_workers_duties(world: World) -> None:
    await world.sync()
    await world.withdraw()
    await on(world, 7)
    working = asyncio.create_task(Keeper(world.equipment, world.calls).work())
    async with asyncio.timeout(10):
        while await world.count("raw_page"):  # noqa: ASYNC110 -- it happens in the database
            await asyncio.sleep(0.05)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_days_are_looked_for_once_a_day_and_subjects_each_time(world: World) -> None:
    erasing = Erasing(world.database, world.equipment.vault, world.equipment.clock)
    await world.sync()
    await world.withdraw()
    assert await erasing.look() == 0
    await world.do("UPDATE consent SET changed_at = changed_at - interval '9 days'")
    assert await erasing.look() == 0, "it has looked today"
    world.time.turn(days=1)
    assert await erasing.look() == 9
    async with world.database.work() as tx:
        await erase_customer(tx, world.equipment.vault, world.equipment.clock, world.customer_id, "test")
    assert await erasing.look() > 0
