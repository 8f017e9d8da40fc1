"""The circuit breaker: opened by a platform that does not work, for every host; one probe over all of them; closed by its success."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from sqlalchemy import text

from hub.connect import Quota
from hub.domain.enums import Verdict
from hub.store.embedded import Urls
from hub.sync import quota
from hub.sync.breaker import PAUSE, ROOM, THRESHOLD
from hub.sync.quota import CircuitOpen, Ledger, Park
from tests.hub.sync.counting import QUICK_RULES, Counting, Host, all_is_said, hosts, until
from tests.hub.sync.platform import Refunds, connector, raw
from tests.hub.sync.world import QUICK, World

RULES = replace(QUICK_RULES, pause=10.0)
"""The pause ends when a test says so, but in the one that is about its end."""


async def attempt(host: Host) -> int | Park:
    try:
        return await host.call()
    except Park as park:
        return park


async def break_it(platform: Counting, many: list[Host]) -> None:
    """Failures, spread over the hosts, until the circuit is open. What succeeded before has been reported by then."""
    await all_is_said(*(host.calls for host in many))
    platform.status = 503
    for number in range(THRESHOLD + 2):
        await attempt(many[number % len(many)])
    await all_is_said(*(host.calls for host in many))
    assert (await many[0].row())["circuit"] == "OPEN"


async def pause_is_over(host: Host) -> None:
    async with host.database.work() as tx:
        await tx.execute(text("UPDATE quota_ledger SET circuit_until = clock_timestamp() WHERE circuit = 'OPEN'"))


def everybody(many: list[Host]) -> list[asyncio.Task[int | Park]]:
    """Four calls of each host at once."""
    return [asyncio.create_task(attempt(host)) for host in many for _ in range(4)]


async def test_it_opens_sends_one_probe_and_closes(urls: Urls, tmp_path: Path) -> None:
    platform = Counting(Quota(1000, 1000, 8))
    with structlog.testing.capture_logs() as logged:
        async with hosts(urls, tmp_path, platform, 4, RULES) as made:
            four = list(made)
            await asyncio.gather(*everybody(four))
            await break_it(platform, four)
            heard = len(platform.heard)
            refused = await asyncio.gather(*everybody(four))
            assert [type(one) for one in refused] == [CircuitOpen] * 16
            assert len(platform.heard) == heard, "an open circuit lets nothing through"
            await pause_is_over(four[0])
            # The probe is under way until everybody else has asked, and was refused.
            platform.hangs, platform.status = asyncio.Event(), 200
            asked = everybody(four)
            await until(lambda: sum(task.done() for task in asked) == 15)
            platform.hangs.set()
            found = await asyncio.gather(*asked)
            assert len(platform.heard) == heard + 1, "exactly one probe over all hosts"
            assert found.count(200) == 1
            platform.hangs = None
            await all_is_said(*(host.calls for host in four))
            assert (await four[0].row())["circuit"] == "CLOSED"
            assert (await asyncio.gather(*everybody(four))).count(200) == 16
    events = [one["event"] for one in logged if one["event"].startswith("circuit")]
    assert events == ["circuit_opened", "circuit_closed"], "one line each, over all hosts"


async def _probes(urls: Urls, home: Path) -> int:
    """How many calls a broken platform hears after its pause, from four hosts with four callers each."""
    platform = Counting(Quota(1000, 1000, 32))
    async with hosts(urls, home, platform, 4, RULES) as made:
        four = list(made)
        await asyncio.gather(*everybody(four))
        await break_it(platform, four)
        heard = len(platform.heard)
        await pause_is_over(four[0])
        platform.seconds = 0.3
        await asyncio.gather(*everybody(four))
        return len(platform.heard) - heard


async def test_control_a_breaker_that_ignores_its_state_sends_more_probes(
    urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert quota._ASK.count(ROOM) == 1
    monkeypatch.setattr(quota, "_ASK", quota._ASK.replace(ROOM, "1e9"))
    assert await _probes(urls, tmp_path) > 1


async def test_a_failed_probe_opens_it_for_another_pause(urls: Urls, tmp_path: Path) -> None:
    assert await _probes(urls, tmp_path) == 1


async def test_a_probe_that_never_left_is_the_next_ones(urls: Urls, tmp_path: Path) -> None:
    """Who had the turn found that its request may not leave any more: nobody must wait for an outcome that never comes."""
    platform = Counting(Quota(1000, 1000, 8))
    async with hosts(urls, tmp_path, platform, 2) as made:
        one, two = made
        await break_it(platform, [one, two])
        await asyncio.sleep(QUICK_RULES.pause + 0.1)
        async with one.calls.turn(one.connector, one.config) as turn:
            assert turn.probe
        await all_is_said(one.calls)
        platform.status = 200
        assert await two.call() == 200


async def test_a_killed_prober_does_not_hold_it_half_open_for_ever(urls: Urls, tmp_path: Path) -> None:
    platform = Counting(Quota(1000, 1000, 8))
    async with hosts(urls, tmp_path, platform, 2, RULES) as made:
        dead, alive = made
        await break_it(platform, [dead, alive])
        await pause_is_over(dead)
        platform.hangs = asyncio.Event()
        probe = asyncio.create_task(dead.call())
        await until(lambda: platform.in_flight == 1)
        desk = dead.calls.desks.desk(dead.connector, dead.config)
        desk._loop.cancel()  # type: ignore[attr-defined]
        desk._run = lambda **_: None  # type: ignore[attr-defined]
        assert isinstance(await attempt(alive), Park)
        platform.hangs.set()
        platform.hangs, platform.status = None, 200
        await asyncio.sleep(RULES.lease + 0.3)
        assert await alive.call() == 200
        await asyncio.gather(probe)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429])
async def test_what_is_about_one_customer_never_counts(urls: Urls, tmp_path: Path, status: int) -> None:
    platform = Counting(Quota(1000, 1000, 8), status=status)
    async with hosts(urls, tmp_path, platform, 2) as made:
        for _ in range(THRESHOLD):
            assert [await attempt(host) for host in made] == [status, status]
        await all_is_said(*(host.calls for host in made))
        row = await made[0].row()
    assert (row["circuit"], row["circuit_failures"]) == ("CLOSED", 0)


async def test_a_success_in_between_begins_the_count_anew(urls: Urls, tmp_path: Path) -> None:
    platform = Counting(Quota(1000, 1000, 8))
    async with hosts(urls, tmp_path, platform, 1) as (host,):
        for number in range(3 * THRESHOLD):
            platform.status = 200 if number % 5 == 4 else 503
            assert await host.call() == platform.status
        await all_is_said(host.calls)
        assert (await host.row())["circuit"] == "CLOSED"


async def test_an_open_circuit_ends_a_run_like_a_silent_platform_and_sends_nothing(world: World) -> None:
    world = world.with_connector(connector(Refunds()))
    assert await world.sync() is Verdict.EMPTY_EXPECTED
    await all_is_said(world.calls)
    credential = Ledger(world.database, world.equipment.blind).key(
        world.equipment.connectors["scripted"], world.equipment.config("scripted")
    )
    opened = (
        "UPDATE quota_ledger SET circuit = 'OPEN', circuit_until = now() + make_interval(secs => :pause) WHERE credential = :credential"
    )
    await world.do(opened, credential=credential, pause=PAUSE)
    world.platform.says("/refunds", raw("{}", 500))
    world.platform.heard.clear()
    assert await world.sync(replace(QUICK, again=900.0)) is Verdict.FAILED
    assert world.platform.heard == []
    (after,) = await world.rows("SELECT last_fault, due_at > now() AS later FROM connection WHERE connection_id = :connection")
    assert after == {"last_fault": "PlatformUnreachable", "later": True}
