"""A worker that dies between any two statements of an erasure leaves it whole or not begun, and the next one finishes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.erasure import batch, erase_due
from tests.hub.erasure.side import held, on, stones, today
from tests.hub.sync.world import World

BROUGHT = {"fact_refund": 5, "raw_page": 3, "sync_window": 1}


class Died(Exception):
    """The process is gone."""


@dataclass
class Death:
    """Of the process, before its statement number ``at``; ``said`` is how many it has sent."""

    at: int | None = None
    said: int = 0

    def install(self, patch: pytest.MonkeyPatch) -> None:
        execute = AsyncConnection.execute

        async def counted(connection: AsyncConnection, *values: Any, **options: Any) -> Any:
            if self.said == self.at:
                driver: Any = (await connection.get_raw_connection()).driver_connection
                driver.pgconn.finish()
                raise Died
            self.said += 1
            return await execute(connection, *values, **options)

        patch.setattr(AsyncConnection, "execute", counted)


async def _whole(world: World) -> int:
    """Every page is there with all its facts, or gone with a tombstone that counts them. Returns how many tombstones there are."""
    found, left = await stones(world), await held(world)
    gone = {name: sum(one["rows"].get(name, 0) for one in found) for name in BROUGHT}
    assert {name: left.get(name, 0) + gone[name] for name in BROUGHT} == BROUGHT
    on_pages = await world.rows("SELECT 1 FROM fact_refund f WHERE NOT EXISTS (SELECT 1 FROM raw_page p WHERE p.page_id = f.page_id)")
    assert on_pages == []
    return len(found)


async def test_it_may_die_anywhere(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two pages a transaction, so that there is one before and one behind."""
    monkeypatch.setattr(batch, "PAGES", 2)
    await world.sync()
    await world.withdraw()
    await on(world, 7)
    deaths, at = 0, 0
    while True:
        with monkeypatch.context() as patch:
            death = Death(at)
            death.install(patch)
            try:
                await erase_due(world.database, world.customer_id, today(world))
                break
            except (Died, OperationalError):
                assert death.said == at, "it died of nothing else"
                deaths += 1
        await _whole(world)
        # Whatever it had sent before it died was not done: the next one begins where the rows say, and dies one statement later.
        at += 1
    assert deaths >= 10, "every statement of a transaction was reached"
    assert await _whole(world) == 2
    assert not BROUGHT.keys() & (await held(world)).keys()
    assert await erase_due(world.database, world.customer_id, today(world)) == {}


async def test_the_check_above_finds_an_erasure_that_is_half_done(world: World) -> None:
    """The control: pages that went in a transaction of their own, without a tombstone."""
    await world.sync()
    await world.do("UPDATE fact_refund SET known_to = now()")
    assert await _whole(world) == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BROUGHT, "fact_refund", 6)
        with pytest.raises(AssertionError):
            await _whole(world)
