"""Exactly one exchange, no lost grant (trust rules, section a)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hub.connect import Grant
from hub.domain.enums import Verdict
from hub.errors import GrantRevoked, PlatformBusy
from hub.http import PlatformUnreachable
from hub.sync import grants
from hub.sync.context import load
from hub.sync.grants import Exchange, Held
from tests.hub.sync.platform import Refunds, connector, raw, refund
from tests.hub.sync.world import QUICK, TODAY, World


async def held(world: World) -> Held:
    async with world.database.work() as tx:
        return await grants.read(world.equipment, tx, world.customer_id, world.connection_id)


async def exchange(world: World) -> Exchange:
    async with world.database.work() as tx:
        found = await load(world.equipment, tx, world.customer_id, world.connection_id)
    context = replace(found.context, now=datetime.now(UTC))
    return Exchange(world.equipment, world.calls, found.connector, context, world.customer_id, world.connection_id)


async def state(world: World) -> str:
    return str((await world.one("credential"))["state"])


def refreshes(world: World) -> int:
    return len(world.platform.asked("/oauth2/token"))


async def test_windows_side_by_side_make_one_exchange(world: World) -> None:
    world = world.with_connector(connector(Refunds(window_count=6)))
    world.platform.access = {"only-a-newer-one"}
    world.platform.rows[TODAY] = [refund("1")]
    assert await world.sync(replace(QUICK, windows_at_once=6)) is Verdict.COMPLETE
    assert refreshes(world) == 1
    assert (await held(world)).grant.refresh_token == "refresh-1"


async def test_two_workers_make_one_exchange(world: World) -> None:
    """The row is the lock: whoever comes second waits and takes what the first has got."""

    async def slow(request: Mapping[str, str]) -> None:
        await asyncio.sleep(0.05)

    world.platform.before = slow
    stale, mine = (await held(world)).epoch, await exchange(world)
    found = await asyncio.gather(*(grants.refresh(mine, stale) for _ in range(8)))
    assert refreshes(world) == 1
    assert {one.grant.access_token for one in found} == {"access-1"}
    assert len({one.epoch for one in found}) == 1


async def test_without_the_mark_there_would_be_several(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: an exchange whose mark is over at once does not keep the others out."""

    async def slow(request: Mapping[str, str]) -> None:
        await asyncio.sleep(3 * grants.GLANCE)

    world.platform.before = slow
    monkeypatch.setattr(grants, "EXCHANGE_LIMIT", -grants.EXCHANGE_LIMIT)
    stale, mine = (await held(world)).epoch, await exchange(world)
    await asyncio.gather(*(grants.refresh(mine, stale) for _ in range(4)), return_exceptions=True)
    assert refreshes(world) > 1


async def test_who_reads_during_an_exchange_takes_its_result(world: World) -> None:
    """A grant read while its successor is being fetched is the older version, so that nobody exchanges a second time."""
    seen: list[Held] = []

    async def meanwhile(request: Mapping[str, str]) -> None:
        seen.append(await held(world))

    world.platform.before = meanwhile
    mine = await exchange(world)
    fresh = await grants.refresh(mine, (await held(world)).epoch)
    assert seen[0].grant.access_token == "access-0"
    world.platform.before = None
    assert (await grants.refresh(mine, seen[0].epoch)).epoch == fresh.epoch
    assert refreshes(world) == 1


async def test_an_explicit_grant_error_ends_the_connection_visibly(world: World) -> None:
    world.platform.access, world.platform.refresh_token = set(), "another"
    assert await world.sync() is Verdict.FAILED
    row = await world.one("connection")
    assert (row["status"], row["last_fault"], row["due_at"]) == ("REAUTHORISE", "Reauthorise", None)
    assert await state(world) == "reauth_required"
    assert await world.sync() is None, "it is not claimed until the customer has authorised again"
    with pytest.raises(GrantRevoked):
        await held(world)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_platform_in_trouble_never_ends_a_connection(world: World, status: int) -> None:
    world.platform.access = set()
    world.platform.says("/oauth2/token", raw("<html>busy</html>", status))
    assert await world.sync() is Verdict.PARKED
    row = await world.one("connection")
    assert (row["status"], row["last_fault"]) == ("ACTIVE", "PlatformBusy")
    assert row["due_at"] is not None
    assert (await state(world), refreshes(world)) == ("unknown", 1), "the token call is not repeated by itself"
    assert await world.sync() is Verdict.EMPTY_EXPECTED
    assert await state(world) == "valid"


async def test_an_exchange_that_times_out_never_ends_a_connection(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    forever = asyncio.Event()

    async def hang(request: Mapping[str, str]) -> None:
        if request["path"] == "/oauth2/token":
            await forever.wait()

    world.platform.access, world.platform.before = set(), hang
    monkeypatch.setattr(grants, "EXCHANGE_TIME", 0.1)
    assert await world.sync(replace(QUICK, again=900)) is Verdict.FAILED
    row = await world.one("connection")
    assert (row["status"], row["last_fault"], row["due_at"] is not None) == ("ACTIVE", "PlatformUnreachable", True)
    assert await state(world) == "unknown"
    forever.set()


async def test_killed_while_exchanging_it_is_taken_over_after_the_limit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grants, "WAITING", 0.01)
    mark = "UPDATE credential SET state = 'exchanging', epoch = epoch + 1, exchanging_since = now() - make_interval(secs => :age)"
    stale, mine = (await held(world)).epoch, await exchange(world)
    await world.do(f"{mark} WHERE customer_id = :customer", age=grants.EXCHANGE_LIMIT.total_seconds() - 30)
    with pytest.raises(PlatformBusy, match="too long"):
        await grants.refresh(mine, stale)
    assert refreshes(world) == 0
    await world.do(f"{mark} WHERE customer_id = :customer", age=grants.EXCHANGE_LIMIT.total_seconds() + 1)
    assert (await grants.refresh(mine, stale)).grant.access_token == "access-1"
    assert (refreshes(world), await state(world)) == (1, "valid")


async def test_a_run_that_is_stopped_sees_its_exchange_through(world: World) -> None:
    """Cancelled between the platform's rotation and our commit, the new pair would be lost, and with it the connection."""
    answering = asyncio.Event()

    async def on_its_way(request: Mapping[str, str]) -> None:
        answering.set()
        await asyncio.sleep(0.05)

    world.platform.before = on_its_way
    running = asyncio.create_task(grants.refresh(await exchange(world), (await held(world)).epoch))
    await answering.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await held(world)).grant.refresh_token == world.platform.refresh_token == "refresh-1"


async def test_a_new_authorisation_during_the_exchange_wins(world: World) -> None:
    """A grant error about the older version says nothing about the newer one, and the older pair does not overwrite it."""

    async def again(request: Mapping[str, str]) -> None:
        async with world.database.work() as tx:
            await grants.keep(world.equipment, tx, world.customer_id, world.connection_id, Grant("new", "new-refresh"))

    world.platform.before = again
    mine, stale = await exchange(world), (await held(world)).epoch
    assert (await grants.refresh(mine, stale)).grant.access_token == "new"
    world.platform.says("/oauth2/token", raw('{"error": "invalid_grant"}', 400))
    assert (await grants.refresh(mine, (await held(world)).epoch)).grant.access_token == "new"
    assert await state(world) == "valid"


async def test_a_refusal_of_a_replaced_grant_is_a_lost_race(world: World) -> None:
    async def replaced(request: Mapping[str, str]) -> None:
        world.platform.before, world.platform.access = None, {"new"}
        async with world.database.work() as tx:
            await grants.keep(world.equipment, tx, world.customer_id, world.connection_id, Grant("new", "new-refresh"))

    world.platform.before = replaced
    world.platform.says("/refunds", raw("{}", 403))
    assert await world.sync() is Verdict.EMPTY_EXPECTED
    assert (await world.one("connection"))["status"] == "ACTIVE"


async def test_a_fresh_token_that_is_refused_is_no_loop(world: World) -> None:
    world.platform.says("/refunds", *(raw("{}", 401) for _ in range(9)))
    assert await world.sync() is Verdict.FAILED
    assert (refreshes(world), len(world.platform.asked())) == (1, 2)


async def test_a_platform_that_is_gone_is_unreachable(world: World) -> None:
    mine, stale = await exchange(world), (await held(world)).epoch
    await world.server.stop()
    with pytest.raises(PlatformUnreachable):
        await grants.refresh(mine, stale)
    assert await state(world) == "unknown"


async def test_the_grant_is_sealed_in_its_row(world: World) -> None:
    row = await world.one("credential")
    assert b"access-0" not in bytes(row["sealed"])
    assert b"refresh-0" not in bytes(row["sealed"])
