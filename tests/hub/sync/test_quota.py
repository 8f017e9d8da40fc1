"""The quota ledger, as the platform counts it: several hosts, one real PostgreSQL, a real server that keeps its own book."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hub.connect import Quota, Remaining
from hub.store.embedded import Urls
from hub.sync.desk import AHEAD, FRESH, Desk, Turn
from hub.sync.quota import Answer, Ask, Ledger, Limits, Park, Rules
from tests.hub.sync.counting import QUICK_RULES, Counting, Host, hosts, speaking, until

HURRIED = Rules(lease=1.0, patience=0.4, retry_floor=3)


async def for_a_while(host: Host, seconds: float, who: str = "", **how: Any) -> int:
    """Calls one after the other for as long; how many were answered."""
    loop, calls = asyncio.get_running_loop(), 0
    until = loop.time() + seconds
    while loop.time() < until:
        calls += await host.call(who, **how) == 200
    return calls


class Unconditional(Ledger):
    """The control: reserves whether or not anything is left."""

    async def ask(self, connector: str, credential: str, holder: str, limits: Limits, ask: Ask) -> Answer:
        await super().ask(connector, credential, holder, limits, ask)
        return Answer(ask.want, ask.want, "", 0.0, False)


async def _eight(urls: Urls, home: Path, platform: Counting, ledger: type[Ledger] = Ledger) -> int:
    async with hosts(urls, home, platform, 8, ledger=ledger) as eight:
        return sum(await asyncio.gather(*(for_a_while(host, 2.0) for host in eight)))


async def test_the_platform_counts_no_call_too_many(urls: Urls, tmp_path: Path) -> None:
    """8 hosts at once, each as fast as it can: never beyond rate, burst and calls in flight, and close to what is allowed."""
    platform = Counting(Quota(60, 40, 4), seconds=0.005)
    answered = await _eight(urls, tmp_path, platform)
    print(f"quota: {answered} calls in 2 s at 60/s, exceeded {platform.overruns} times, {platform.most} in flight of 4")
    assert platform.overruns == 0
    assert platform.most <= 4
    assert answered >= 0.6 * 2 * 60, "what is allowed is used"


async def test_control_without_its_condition_the_reservation_exceeds_the_quota(urls: Urls, tmp_path: Path) -> None:
    platform = Counting(Quota(60, 40, 4), seconds=0.005)
    await _eight(urls, tmp_path, platform, Unconditional)
    assert platform.overruns > 0
    assert platform.most > 4


async def test_a_killed_caller_holds_its_places_until_its_lease_ends(urls: Urls, tmp_path: Path) -> None:
    """Killed as by the kernel: nothing is reported, the row goes on saying that it holds both places."""
    platform = Counting(Quota(1000, 1000, 2), hangs=asyncio.Event())
    async with hosts(urls, tmp_path, platform, 2) as (dead, alive):
        calls = [asyncio.create_task(dead.call("dead")) for _ in range(2)]
        await until(lambda: platform.in_flight == 2)
        desk = dead.calls.desks.desk(dead.connector, dead.config)
        assert desk._loop is not None  # type: ignore[attr-defined]
        desk._loop.cancel()  # type: ignore[attr-defined]
        desk._run = lambda **_: None  # type: ignore[attr-defined]
        waiting, began = asyncio.create_task(alive.call("alive")), asyncio.get_running_loop().time()
        await asyncio.sleep(0.3)
        assert platform.most == 2
        assert len(platform.heard) == 2, "the places are taken although nobody is there any more"
        await until(lambda: len(platform.heard) == 3)
        waited = asyncio.get_running_loop().time() - began
        platform.hangs.set()  # type: ignore[union-attr]
        await asyncio.gather(waiting, *calls)
    assert 0.3 < waited < QUICK_RULES.lease + 1.5


async def test_a_call_that_takes_longer_than_the_lease_keeps_its_place(urls: Urls, tmp_path: Path) -> None:
    platform = Counting(Quota(1000, 1000, 1), seconds=2.5)
    async with hosts(urls, tmp_path, platform, 2) as two:
        await asyncio.gather(*(host.call() for host in two))
    assert platform.most == 1


async def test_an_interactive_call_goes_ahead_of_the_nightly_ones(urls: Urls, tmp_path: Path) -> None:
    """Three hosts refresh with a backlog of twenty each; a customer who has just linked is on a fourth, and does not queue behind them."""
    platform = Counting(Quota(20, 8, 4))
    async with hosts(urls, tmp_path, platform, 4) as (*nightly, linked):
        await linked.call()
        backlog = [asyncio.create_task(host.call("nightly")) for host in nightly for _ in range(20)]
        await asyncio.sleep(0.5)
        loop, waits = asyncio.get_running_loop(), []
        for _ in range(5):
            began = loop.time()
            await linked.call("linked", interactive=True)
            waits.append(loop.time() - began)
        order = [who for _, who in platform.heard]
        behind = len(backlog) - order.count("nightly")
        await asyncio.gather(*backlog)
    print(f"interactive: waited {max(waits):.2f} s at most while {behind} nightly calls were waiting")
    assert behind >= 20
    assert max(waits) < 0.5
    assert platform.overruns == 0


async def test_where_the_burst_leaves_no_share_a_mark_does(urls: Urls, tmp_path: Path) -> None:
    """One call at a time, one place: nothing can be kept free, but whoever is waited for is next."""
    platform = Counting(Quota(10, 1, 1))
    async with hosts(urls, tmp_path, platform, 3) as (one, two, linked):
        backlog = [asyncio.create_task(host.call("nightly")) for host in (one, two) for _ in range(8)]
        await asyncio.sleep(0.5)
        before = len(platform.heard)
        await linked.call("linked", interactive=True)
        overtaken = len(platform.heard) - 1 - before
        await asyncio.gather(*backlog)
    assert overtaken <= 2
    assert platform.overruns == 0


async def test_a_request_to_wait_is_kept_by_everybody(urls: Urls, tmp_path: Path) -> None:
    platform = Counting(Quota(1000, 1000, 8))
    async with hosts(urls, tmp_path, platform, 4) as four:
        await asyncio.gather(*(host.call() for host in four))
        await four[0].calls.park(four[0].connector, four[0].config, 1.0)
        await asyncio.sleep(0.25)
        told, before = asyncio.get_running_loop().time(), len(platform.heard)
        await asyncio.gather(*(host.call() for host in four for _ in range(5)))
    assert min(at for at, _ in platform.heard[before:]) - told >= 0.6
    assert len(platform.heard) == before + 20


async def test_a_long_wait_parks_instead_of_holding_a_worker(urls: Urls, tmp_path: Path) -> None:
    platform = Counting(Quota(1000, 1000, 8))
    async with hosts(urls, tmp_path, platform, 2) as (one, two):
        await one.calls.park(one.connector, one.config, 900.0)
        await asyncio.sleep(0.25)
        with pytest.raises(Park) as parked:
            await two.call()
    assert 890 < parked.value.seconds <= 900
    assert platform.heard == []


async def test_no_call_leaves_while_the_ledger_cannot_be_asked(urls: Urls, tmp_path: Path) -> None:
    platform = Counting(Quota(1000, 1000, 8))
    gone = Urls(urls.owner, urls.app, urls.worker.replace("port=5432", "port=5431"))
    assert gone != urls
    async with hosts(gone, tmp_path, platform, 2, HURRIED) as two:
        found = await asyncio.gather(*(host.call() for host in two for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in found] == [Park] * 6
    assert platform.heard == []


@pytest.mark.parametrize("window", ["minute", "day"])
async def test_a_window_is_used_up_for_everybody(urls: Urls, tmp_path: Path, window: str) -> None:
    """The nightly refresh stops at its share, what is waited for at the limit; the run is parked until the window ends."""
    platform = Counting(Quota(1000, 1000, 8))
    async with hosts(urls, tmp_path, platform, 2, HURRIED) as two:
        one, other = (speaking(host, **{f"per_{window}": 10}) for host in two)
        await _away_from_the_edge(one, window)
        nightly = await asyncio.gather(*(host.call("nightly") for host in (one, other) for _ in range(8)), return_exceptions=True)
        linked = await asyncio.gather(
            *(host.call("linked", interactive=True) for host in (one, other) for _ in range(4)), return_exceptions=True
        )
        parked = [found for found in (*nightly, *linked) if isinstance(found, Park)]
    assert (nightly.count(200), linked.count(200), len(platform.heard)) == (8, 2, 10)
    assert len(parked) == 14
    assert all(0.5 < found.seconds <= (62 if window == "minute" else 86_401) for found in parked)


async def _away_from_the_edge(host: Host, window: str) -> None:
    async with host.database.work() as tx:
        into = float((await tx.execute(text("SELECT mod(extract(epoch FROM clock_timestamp()), 60)"))).scalar_one())
    if into > 50 or into < 1:
        await asyncio.sleep((61.2 - into) % 60)


@pytest.mark.parametrize(("said", "more"), [("3", 3), ("500", 20), ("", 20), ("many", 20)])
async def test_what_the_platform_says_is_left_corrects_only_downwards(urls: Urls, tmp_path: Path, said: str, more: int) -> None:
    platform = Counting(Quota(1000, 1000, 8), headers={"X-Left": said} if said else {})
    async with hosts(urls, tmp_path, platform, 2, HURRIED) as two:
        one, other = (speaking(host, per_day=25, remaining=Remaining("X-Left", "day")) for host in two)
        await one.call(interactive=True)
        await asyncio.sleep(0.3)
        platform.headers = {}
        found = [await _outcome(other) for _ in range(22)]
    assert found.count(200) >= more
    assert found.count(200) == more if said == "3" else len(platform.heard) <= 25


async def _outcome(host: Host) -> object:
    try:
        return await host.call(interactive=True)
    except Park as park:
        return park


async def test_retries_are_a_tenth_of_the_calls_but_a_lone_run_may_retry(urls: Urls, tmp_path: Path) -> None:
    platform = Counting(Quota(1000, 1000, 8))
    async with hosts(urls, tmp_path, platform, 2, HURRIED) as (one, two):
        await _away_from_the_edge(one, "minute")
        few = [await _retry(host) for host in (one, two) for _ in range(4)]
        assert few.count(200) == HURRIED.retry_floor
        for _ in range(12):
            await asyncio.gather(*(host.call() for host in (one, two) for _ in range(4)))
        more = [await _retry(host) for host in (one, two) for _ in range(20)]
        row = await one.row()
    # Calls that a desk reserved ahead count until it gives them back.
    assert 0 < more.count(200) <= 0.1 * (len(platform.heard) + 2 * AHEAD)
    assert row["minute_retries"] == few.count(200) + more.count(200)


async def test_a_retry_that_never_left_is_not_counted_as_one(urls: Urls, tmp_path: Path) -> None:
    """Its turn came too late for it, or whoever waited is gone: what is left of the minute's retries is as before."""
    platform = Counting(Quota(1000, 1000, 8))
    async with hosts(urls, tmp_path, platform, 1, HURRIED) as (host,):
        await _away_from_the_edge(host, "minute")
        for _ in range(HURRIED.retry_floor + 1):
            async with host.calls.turn(host.connector, host.config, retry=True):
                pass
        few = [await _retry(host) for _ in range(HURRIED.retry_floor + 1)]
        row = await host.row()
    assert few.count(200) == HURRIED.retry_floor
    assert (row["minute_retries"], row["minute_calls"]) == (HURRIED.retry_floor, HURRIED.retry_floor)


async def _retry(host: Host) -> object:
    try:
        return await host.call(retry=True)
    except Park as park:
        return park


async def test_a_cancelled_caller_leaves_nothing_behind(urls: Urls, tmp_path: Path) -> None:
    platform = Counting(Quota(20, 10, 2), seconds=0.05)
    async with hosts(urls, tmp_path, platform, 2) as (one, two):
        calls = [asyncio.create_task(one.call()) for _ in range(20)]
        await asyncio.sleep(0.2)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await two.call()
        for _ in range(20):
            await asyncio.sleep(QUICK_RULES.lease / 2)
            if (await one.row())["places"] == {}:
                break
        assert (await one.row())["places"] == {}


async def places_given_up(urls: Urls, home: Path) -> int:
    """Two calls are given up while the platform is at work on them, which it goes on with; how many another host sends into that."""
    platform = Counting(Quota(1000, 1000, 2), hangs=asyncio.Event())
    async with hosts(urls, home, platform, 2) as (one, two):
        calls = [asyncio.create_task(one.call()) for _ in range(2)]
        await until(lambda: platform.in_flight == 2)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        waiting = [asyncio.create_task(two.call(interactive=True)) for _ in range(2)]
        await asyncio.sleep(0.6 * QUICK_RULES.lease)
        meanwhile = len(platform.heard) - 2
        await until(lambda: len(platform.heard) == 4)
        platform.hangs.set()  # type: ignore[union-attr]
        await asyncio.gather(*waiting)
    return meanwhile


async def test_a_call_that_was_given_up_keeps_its_place_for_a_while(urls: Urls, tmp_path: Path) -> None:
    assert await places_given_up(urls, tmp_path) == 0


async def test_control_freed_at_once_the_platform_has_more_in_flight(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answered = Desk._leave

    def at_once(self: Desk, turn: Turn) -> None:
        turn.worked = bool(turn.worked)
        answered(self, turn)

    monkeypatch.setattr(Desk, "_leave", at_once)
    assert await places_given_up(urls, tmp_path) == 2


async def test_calls_reserved_ahead_are_given_back_soon_or_not_at_all(urls: Urls, tmp_path: Path) -> None:
    """A minute or a day later they would be taken from another window's count."""
    platform = Counting(Quota(1000, 1000, 8))
    async with hosts(urls, tmp_path, platform, 1) as (host,):
        await host.call()
        desk = host.calls.desks.desk(host.connector, host.config)
        assert isinstance(desk, Desk)
        loop = asyncio.get_running_loop()
        for age, calls, back in ((0.0, 3, 3), (FRESH + 0.1, 7, 3), (0.1, 2, 5)):
            desk._give_back(loop.time() - age, calls)
            assert desk._report.back == back


async def test_a_hanging_platform_leaves_another_ones_rate_as_it_was(urls: Urls, tmp_path: Path) -> None:
    """Side by side in one run: 40 calls hang at one platform, through the same pools that serve the other."""
    free, stuck = Counting(Quota(5000, 5000, 8)), Counting(Quota(5000, 5000, 8), hangs=asyncio.Event())
    async with hosts(urls, tmp_path, free, 1) as (host,), _beside(host, stuck) as hung:
        await for_a_while(host, 0.5)
        rates: dict[bool, int] = {False: 0, True: 0}
        for hanging in (False, True, True, False):
            calls = [asyncio.create_task(hung.call()) for _ in range(40 * hanging)]
            await asyncio.sleep(0.1)
            rates[hanging] += await for_a_while(host, 0.7)
            stuck.hangs.set()  # type: ignore[union-attr]
            await asyncio.gather(*calls)
            stuck.hangs = asyncio.Event()
    ratio = rates[True] / rates[False]
    print(f"bulkhead: {ratio:.3f} of the other platform's rate while 40 calls hang")
    assert stuck.most == 7, "one of eight places is kept for whoever is waited for"
    # Where the hanging calls held what the others need, it would be nothing; how near to 1 it is, `make bench-dispatch` tells on a quiet machine.
    assert ratio > 0.5


class _beside:
    """Another platform, called by the same host through the same pools."""

    def __init__(self, host: Host, platform: Counting) -> None:
        self.host, self.platform, self.server = host, platform, platform.server()

    async def __aenter__(self) -> Host:
        await self.server.start()
        from hub.http import Http
        from hub.sync.calls import Calls

        self.calls = Calls(Http([self.server.origin]), self.host.calls.desks)
        return Host(self.host.database, self.calls, self.host.connector, {**self.host.config, "base_url": self.server.origin})

    async def __aexit__(self, *caught: object) -> None:
        await self.calls.http.close()
        await self.server.stop()


async def test_the_ledger_costs_less_than_a_statement_per_call(urls: Urls, tmp_path: Path) -> None:
    """Six windows side by side, as a run reads them, without and with calls reserved ahead."""
    found: dict[str, tuple[float, float]] = {}
    for name, kind in (("one by one", OneByOne), ("ahead", Counted)):
        platform = Counting(Quota(5000, 5000, 8))
        async with hosts(urls, tmp_path, platform, 1, ledger=kind) as (host,):
            calls = sum(await asyncio.gather(*(for_a_while(host, 1.0) for _ in range(6))))
            ledger = host.calls.desks.ledger  # type: ignore[attr-defined]
        found[name] = calls, ledger.asked / calls
    for name, (made, each) in found.items():
        print(f"ledger, {name}: {made} calls in a second, {each:.2f} statements per call")
    assert found["ahead"][1] <= 0.5 < found["one by one"][1] + 0.4


class Counted(Ledger):
    """Counts its statements."""

    asked = 0

    async def ask(self, connector: str, credential: str, holder: str, limits: Limits, ask: Ask) -> Answer:
        self.asked += 1
        return await super().ask(connector, credential, holder, limits, ask)


class OneByOne(Counted):
    """Reserves nothing ahead."""

    async def ask(self, connector: str, credential: str, holder: str, limits: Limits, ask: Ask) -> Answer:
        return await super().ask(connector, credential, holder, limits, replace(ask, ahead=0))


def test_the_bucket_leaves_room_for_calls_that_arrive_late() -> None:
    assert Limits.of(Quota(20, 40, 8)) == Limits(0.05, 35.0, 8, None, None)
    assert Limits.of(Quota(2, 5, 2, per_day=5000)) == Limits(0.5, 4.5, 2, None, 5000)
    assert Limits.of(Quota(20, 1, 1)) == Limits(0.3, 1.0, 1, None, None)


async def test_a_rotated_secret_brings_no_second_quota(urls: Urls, tmp_path: Path) -> None:
    async with hosts(urls, tmp_path, Counting(Quota(1, 1, 1)), 1) as (host,):
        key = Ledger(host.database, host.calls.desks.ledger.blind).key  # type: ignore[attr-defined]
        same = {**host.config, "client_secret": "another"}
        assert key(host.connector, host.config) == key(host.connector, same)
        assert key(host.connector, host.config) != key(host.connector, {**host.config, "client_id": "another"})
        assert "hub" not in key(host.connector, host.config)
