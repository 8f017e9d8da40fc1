"""A grant's life: renewed before it ends, the pair before kept until the new one works, a killed exchange tried once more and then shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.connect import Grant
from hub.domain.enums import Verdict
from hub.errors import ContractBroken, GrantRevoked, PlatformBusy
from hub.store.database import Write
from hub.sync import credentials, grants
from hub.sync.credentials import EARLY, LEAST_LIFE, Life, inherited
from hub.sync.grants import EXCHANGE_LIMIT
from tests.hub.sync.platform import Refunds, connector, raw, refund
from tests.hub.sync.test_refresh import exchange, held, refreshes, state
from tests.hub.sync.world import QUICK, TODAY, World

RIPE = "UPDATE credential SET refresh_at = clock_timestamp() WHERE customer_id = :customer"
KILLED = """UPDATE credential SET state = 'exchanging', epoch = epoch + 1, exchanging_since = now() - make_interval(secs => :age)
    WHERE customer_id = :customer"""


def answered(**more: Any) -> str:
    return json.dumps({"access_token": "access-0", "token_type": "Bearer", "expires_in": 7200, **more})


async def killed(world: World) -> None:
    """As a worker leaves the row that dies between the platform's rotation and its commit."""
    await world.do(KILLED, age=EXCHANGE_LIMIT.total_seconds() + 1)


# Before it ends


async def test_a_run_refreshes_before_the_token_ends(world: World) -> None:
    world.platform.rows[TODAY] = [refund("1")]
    await world.do(RIPE)
    assert await world.sync() is Verdict.COMPLETE
    assert [one["path"] for one in world.platform.heard] == ["/oauth2/token", "/refunds"], "no call was refused first"


async def test_a_token_in_the_first_part_of_its_life_is_left_alone(world: World) -> None:
    world.platform.rows[TODAY] = [refund("1")]
    assert await world.sync() is Verdict.COMPLETE
    assert refreshes(world) == 0


async def test_windows_side_by_side_refresh_early_once(world: World) -> None:
    world = world.with_connector(connector(Refunds(window_count=6)))
    await world.do(RIPE)
    await world.sync(replace(QUICK, windows_at_once=6))
    assert refreshes(world) == 1


async def test_a_platform_that_cannot_refresh_early_does_not_stop_the_run(world: World) -> None:
    """Six windows and one try: the token still lives, the rest is for the next one."""
    world = world.with_connector(connector(Refunds(window_count=6)))
    world.platform.rows[TODAY] = [refund("1")]
    world.platform.says("/oauth2/token", raw('{"error": "server_error"}', 503))
    await world.do(RIPE)
    assert await world.sync(replace(QUICK, windows_at_once=6)) in (Verdict.COMPLETE, Verdict.PARKED)
    assert (refreshes(world), await state(world)) == (1, "unknown")
    assert (await world.one("connection"))["status"] == "ACTIVE"


async def test_what_cannot_be_refreshed_is_not_refreshed_early(world: World) -> None:
    """Without a refresh token the dialogue says so before it asks anything: a token that still works must not be given up for that."""
    async with world.database.work() as tx:
        await grants.keep(world.equipment, tx, world.customer_id, world.connection_id, Grant("access-0", None, 7200))
    world.platform.rows[TODAY] = [refund("1")]
    await world.do(RIPE)
    assert await world.sync() is Verdict.COMPLETE
    assert (refreshes(world), await state(world)) == (0, "valid")


async def test_the_moment_lies_at_a_share_of_the_life_and_differs(world: World) -> None:
    moments = {life.refresh for _ in range(50) if (life := Life.of(Grant("a", "r", 10_000, 1_000_000))).refresh is not None}
    assert all(EARLY[0] * 10_000 <= moment <= EARLY[1] * 10_000 for moment in moments)
    assert len(moments) > 25
    async with world.database.work() as tx:
        await grants.keep(world.equipment, tx, world.customer_id, world.connection_id, Grant("a", "r", 10_000, 1_000_000))
    row = await world.one("credential")
    share = (row["refresh_at"] - row["refreshed_at"]) / (row["expires_at"] - row["refreshed_at"])
    assert EARLY[0] - 0.001 <= share <= EARLY[1] + 0.001
    kept = (row["keep_alive_at"] - row["refreshed_at"]) / (row["refresh_expires_at"] - row["refreshed_at"])
    assert EARLY[0] - 0.001 <= kept <= EARLY[1] + 0.001


def test_a_life_that_only_shrinks_is_not_asked_for_faster_and_faster() -> None:
    """Some platforms hand out the rest of a life instead of a new one (wire formats: a refresh does not always extend)."""
    left, asked = 86_400.0, 0
    while left > 0:
        life = Life.of(Grant("a", "r", int(left)))
        asked, left = asked + 1, left - (life.refresh or left)
    assert asked < 20
    assert Life.of(Grant("a", "r", 30)).refresh == LEAST_LIFE, "it is over before: it is refreshed when it is refused"


# What an answer leaves out


def test_a_refresh_token_that_is_not_replaced_stays() -> None:
    old = Grant("a", "r", 60, account="account", scopes=("SHOP",), extra={"number": "1"})
    assert inherited(Grant("b", None, 60), old) == Grant("b", "r", 60, account="account", scopes=("SHOP",))
    assert inherited(Grant("b", "s", 60, account="other", scopes=("TAX",)), old) == Grant("b", "s", 60, account="other", scopes=("TAX",))


async def test_its_end_stays_too_and_it_is_not_kept_alive_for_nothing(world: World) -> None:
    async with world.database.work() as tx:
        await grants.keep(world.equipment, tx, world.customer_id, world.connection_id, Grant("access-0", "refresh-0", 7200, 86_400))
    before, connected = await world.one("credential"), await world.one("connection")
    world.platform.says("/oauth2/token", raw(answered()))
    fresh = await grants.refresh(await exchange(world), before["epoch"])
    assert fresh.grant.refresh_token == "refresh-0"
    after = await world.one("credential")
    assert (after["refresh_expires_at"], after["keep_alive_at"]) == (before["refresh_expires_at"], None)
    assert (await world.one("connection"))["grant_expires_at"] == connected["grant_expires_at"] == before["refresh_expires_at"]


# The pair before


async def test_the_pair_before_is_kept_sealed_until_the_new_one_has_worked(world: World) -> None:
    await grants.refresh(await exchange(world), (await held(world)).epoch)
    row = await world.one("credential")
    sealer = await world.sealer()
    assert credentials.opened(sealer, world.connection_id, row["previous"], "previous").refresh_token == "refresh-0"
    assert b"refresh-0" not in bytes(row["previous"])
    world.platform.rows[TODAY] = [refund("1")]
    assert await world.sync() is Verdict.COMPLETE
    assert (await world.one("credential"))["previous"] is None


async def test_a_new_pair_that_never_worked_falls_back_to_the_one_before(world: World) -> None:
    """The platform forgot what it issued: the token before is still the good one there."""
    world.platform.says("/oauth2/token", raw(answered(access_token="ghost", refresh_token="ghost-refresh")))
    await grants.refresh(await exchange(world), (await held(world)).epoch)
    world.platform.rows[TODAY] = [refund("1")]
    assert await world.sync() is Verdict.COMPLETE
    tried = [one["refresh_token"] for one in world.platform.asked("/oauth2/token")]
    assert tried == ["refresh-0", "ghost-refresh", "refresh-0"]
    assert (await held(world)).grant.refresh_token == world.platform.refresh_token


async def test_what_is_kept_then_is_the_one_that_was_taken(world: World) -> None:
    """A refresh token that the platform does not replace, and the pair before: those of the grant that worked, not of the one that was refused."""
    world.platform.says("/oauth2/token", raw(answered(access_token="ghost", refresh_token="ghost-refresh")))
    epoch = (await grants.refresh(await exchange(world), (await held(world)).epoch)).epoch
    world.platform.says("/oauth2/token", raw('{"error": "invalid_grant"}', 400), raw(answered(access_token="access-0")))
    assert (await grants.refresh(await exchange(world), epoch)).grant.refresh_token == "refresh-0"
    kept = (await world.one("credential"))["previous"]
    assert credentials.opened(await world.sealer(), world.connection_id, kept, "previous").refresh_token == "refresh-0"


async def test_without_the_pair_before_the_connection_would_be_lost(world: World) -> None:
    """Control of the one above."""
    world.platform.says("/oauth2/token", raw(answered(access_token="ghost", refresh_token="ghost-refresh")))
    await grants.refresh(await exchange(world), (await held(world)).epoch)
    await world.do("UPDATE credential SET previous = NULL WHERE customer_id = :customer")
    assert await world.sync() is Verdict.FAILED
    assert (await world.one("connection"))["status"] == "REAUTHORISE"


# Killed in an exchange


async def test_a_killed_exchange_gets_one_attempt_and_is_fresh(world: World) -> None:
    stale, mine = (await held(world)).epoch, await exchange(world)
    await killed(world)
    assert (await grants.refresh(mine, stale)).grant.access_token == "access-1"
    row = await world.one("credential")
    assert (row["state"], row["interrupted"], refreshes(world)) == ("valid", 0, 1)


async def test_or_it_is_visibly_the_customers_turn(world: World) -> None:
    """The platform had rotated: the old token is refused, and who looks can read why."""
    stale, mine = (await held(world)).epoch, await exchange(world)
    world.platform.issue()
    await killed(world)
    with pytest.raises(GrantRevoked):
        await grants.refresh(mine, stale)
    row = await world.one("connection")
    assert (row["status"], row["last_fault"], row["due_at"]) == ("REAUTHORISE", "Reauthorise", None)
    assert row["last_fault_detail"].startswith("After an interrupted refresh")
    assert (await world.one("credential"))["reason"] == row["last_fault_detail"]
    with pytest.raises(GrantRevoked):
        await grants.refresh(mine, stale)
    assert refreshes(world) == 1, "no loop"


async def test_an_attempt_that_is_killed_too_is_the_last(world: World) -> None:
    stale, mine = (await held(world)).epoch, await exchange(world)
    await killed(world)
    await world.do("UPDATE credential SET interrupted = 1 WHERE customer_id = :customer")
    with pytest.raises(GrantRevoked, match="interrupted twice"):
        await grants.refresh(mine, stale)
    assert refreshes(world) == 0
    assert (await world.one("connection"))["status"] == "REAUTHORISE"


async def test_a_platform_in_trouble_during_that_attempt_ends_nothing(world: World) -> None:
    stale, mine = (await held(world)).epoch, await exchange(world)
    await killed(world)
    world.platform.says("/oauth2/token", raw('{"error": "invalid_grant"}', 503))
    with pytest.raises(PlatformBusy):
        await grants.refresh(mine, stale)
    row = await world.one("credential")
    assert (row["state"], row["interrupted"], row["failures"]) == ("unknown", 1, 1)
    assert row["keep_alive_at"] > row["refreshed_at"], "a worker looks after it, whether or not anything is synced"
    assert (await grants.refresh(mine, stale)).grant.access_token == "access-1"


# Many at once, and the database


async def test_who_waited_for_an_exchange_that_failed_does_not_try_as_well(world: World) -> None:
    """Else fifty workers would ask a platform in trouble fifty times."""

    async def slow(request: Mapping[str, str]) -> None:
        await asyncio.sleep(0.3)

    world.platform.before = slow
    world.platform.says("/oauth2/token", *(raw("{}", 500) for _ in range(8)))
    stale, mine = (await held(world)).epoch, await exchange(world)
    found = await asyncio.gather(*(grants.refresh(mine, stale) for _ in range(8)), return_exceptions=True)
    assert all(isinstance(one, PlatformBusy) for one in found)
    assert refreshes(world) == 1


async def test_a_database_that_is_away_when_the_answer_comes_is_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new pair is nowhere else."""
    away = 3

    async def store(tx: Write, *more: Any) -> bool:
        nonlocal away
        away -= 1
        if away >= 0:
            raise OperationalError("COMMIT", {}, Exception("server closed the connection"))
        return await real(tx, *more)

    real = grants._store
    monkeypatch.setattr(grants, "_store", store)
    monkeypatch.setattr(grants, "AGAIN", 0.01)
    assert (await grants.refresh(await exchange(world), (await held(world)).epoch)).grant.access_token == "access-1"
    assert (await held(world)).grant.refresh_token == world.platform.refresh_token == "refresh-1"


async def test_if_it_is_away_for_too_long_the_row_says_that_nobody_knows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def store(tx: AsyncConnection, *more: Any) -> bool:
        raise OperationalError("COMMIT", {}, Exception("server closed the connection"))

    monkeypatch.setattr(grants, "_store", store)
    monkeypatch.setattr(grants, "AGAIN", 0.01)
    monkeypatch.setattr(grants, "STORING", 0.05)
    with pytest.raises(OperationalError):
        await grants.refresh(await exchange(world), (await held(world)).epoch)
    assert await state(world) == "exchanging"


async def test_an_answer_that_nobody_foresaw_leaves_no_exchange_behind(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stumbling:
        def refresh(self, context: Any) -> Any:
            raise KeyError("expires")
            yield

    mine = await exchange(world)
    mine = replace(mine, connector=replace(mine.connector, authorisation=Stumbling()))  # type: ignore[arg-type]
    with pytest.raises(ContractBroken, match="KeyError"):
        await grants.refresh(mine, (await held(world)).epoch)
    assert await state(world) == "unknown"


async def test_a_lost_grant_does_not_reopen_a_connection_that_was_ended(world: World) -> None:
    stale, mine = (await held(world)).epoch, await exchange(world)

    async def ended(request: Mapping[str, str]) -> None:
        await world.do("UPDATE connection SET status = 'DISCONNECTED' WHERE connection_id = :connection")

    world.platform.before, world.platform.refresh_token = ended, "another"
    with pytest.raises(GrantRevoked):
        await grants.refresh(mine, stale)
    assert (await world.one("connection"))["status"] == "DISCONNECTED"
