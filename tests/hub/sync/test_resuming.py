"""A platform that asked for a day of peace is asked again when an operator says so, and not before."""

from __future__ import annotations

import pytest

from hub.domain.enums import Verdict
from hub.sync.resuming import Resumed, resume
from tests.hub.sync.platform import NAME, raw, refund
from tests.hub.sync.world import TODAY, World

DAY = "86400"


@pytest.fixture
def world(alone: World) -> World:
    return alone


async def test_what_was_parked_goes_on(world: World) -> None:
    world.platform.rows[TODAY] = [refund("1")]
    world.platform.says("/refunds", raw("{}", 429, Retry_After=DAY))
    assert await world.sync() is Verdict.PARKED
    assert await world.sync() is Verdict.PARKED, "the credential is parked, whichever connection asks"
    assert len(world.platform.asked()) == 1
    assert await resume(world.database, "another") == Resumed(0, 0)
    assert await resume(world.database, NAME) == Resumed(1, 1)
    assert await resume(world.database, NAME) == Resumed(0, 0), "nothing is parked any more"
    assert await world.sync() is Verdict.COMPLETE
    assert len(world.platform.asked()) == 2


async def test_an_open_circuit_sends_its_probe_at_once(world: World) -> None:
    await world.sync()
    await world.do(
        "UPDATE quota_ledger SET circuit = 'OPEN', circuit_until = clock_timestamp() + interval '1 hour' WHERE :customer IS NOT NULL"
    )
    asked = len(world.platform.asked())
    assert await world.sync() is Verdict.FAILED
    assert len(world.platform.asked()) == asked, "no call left"
    await world.do("UPDATE connection SET due_at = clock_timestamp() + interval '1 hour' WHERE customer_id = :customer")
    assert await resume(world.database, NAME) == Resumed(1, 1)
    assert await world.sync() is Verdict.EMPTY_EXPECTED
    assert len(world.platform.asked()) > asked
    assert (await world.rows("SELECT circuit FROM quota_ledger"))[0]["circuit"] == "CLOSED"
