"""Platforms push, for real: over HTTP, signed, to the hub's own endpoint. What changed is fetched in a moment, or what ended is seen; nobody waits for the timetable."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from sqlalchemy import text

from hub.cli.journey import Journey
from hub.cli.stage import Stage
from hub.store.embedded import Urls
from tests.e2e.case import Change, on_stage, small_seller

LATE = "SELECT count(*) FROM fact_payment_transaction WHERE amount = 888.00"
RUNS = "SELECT count(*) FROM sync_run r JOIN connection c USING (customer_id, connection_id) WHERE c.connector = 'alipay' AND r.verdict IS NOT NULL"


def only(*sources: str) -> Change:
    def change(document: dict[str, Any]) -> None:
        document["sources"] = {name: source for name, source in document["sources"].items() if name in sources}

    return change


async def look(stage: Stage, statement: str) -> Any:
    async with stage.database.work() as tx:
        return (await tx.execute(text(statement))).scalar()


async def until(seen: Callable[[], Awaitable[Any]], *, seconds: float = 20.0) -> Any:
    """Looks until there is something; the limit only ends a test that has failed."""
    async with asyncio.timeout(seconds):
        while not (found := await seen()):  # noqa: ASYNC110 -- it happens in the database, which sets no event
            await asyncio.sleep(0.05)
    return found


async def test_platforms_push_and_the_hub_fetches(urls: Urls, tmp_path: Path) -> None:
    seller = small_seller(only("PAYMENT", "TAX"))
    async with on_stage(tmp_path, urls, seller) as stage:
        journey = Journey(stage, seller)
        await journey.register()
        await journey.consent()
        await journey.sync(quiet=True)
        assert await look(stage, LATE) == 0
        runs = await look(stage, RUNS)

        # The control: a platform that does not know the hub's address tells nobody, and nobody sees.
        platforms = {name: one.platform for name, one in stage.sandbox.running.items()}
        address = stage.world.hooks.pop("alipay")
        platforms["alipay"].events["late payment"](seller)
        await asyncio.sleep(1.0)
        assert await look(stage, LATE) == 0

        # A payment is booked in the middle of what was read months ago, and told: that day is read again, with what nobody told of.
        stage.world.hooks["alipay"] = address
        began = asyncio.get_running_loop().time()
        platforms["alipay"].events["late payment"](seller)
        assert await until(lambda: look(stage, LATE)) == 2
        print(f"from the push to the fact: {asyncio.get_running_loop().time() - began:.2f} s")
        assert await until(lambda: look(stage, f"SELECT ({RUNS}) > {runs}"))
        event = "SELECT connections FROM inbound_event WHERE connector = 'alipay' AND due_at IS NOT NULL"
        assert await look(stage, event) == 1

        # The taxpayer takes the authorisation back at the gateway: the hub asks, and sees.
        status = "SELECT status FROM connection WHERE connector = 'cn_tax'"
        assert await look(stage, status) == "ACTIVE"
        platforms["cn_tax"].events["authorisation withdrawn"](seller)
        assert await until(lambda: look(stage, f"SELECT ({status}) = 'REAUTHORISE'"))

        # The gateway told of every collection that it had finished. Nobody waited, so nothing began anew.
        ready = "SELECT count(*), coalesce(sum(connections), 0) FROM inbound_event WHERE kind = 'READY'"
        async with stage.database.work() as tx:
            told, effect = (await tx.execute(text(ready))).one()
        assert told > 0 and effect == 0
