"""Grants that nothing else looks after: idle ones, interrupted ones, ended ones. The rows say what is due; any worker may find it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import structlog
from sqlalchemy.exc import ProgrammingError

from hub.connect import Grant
from hub.domain.clock import Clock
from hub.domain.enums import SourceKind
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import GrantRevoked, NotFound
from hub.store.database import Scope
from hub.sync import grants
from hub.sync.ending import announce_ends
from hub.sync.keeping import Keeper
from hub.sync.revoking import WAITS, Revoker, disconnect, settle_ended
from tests.hub.sync.platform import NAME, raw
from tests.hub.sync.test_grant_life import killed
from tests.hub.sync.test_refresh import held, refreshes, state
from tests.hub.sync.world import World, consented

IDLE = "UPDATE credential SET keep_alive_at = clock_timestamp() WHERE customer_id = :customer"


@pytest.fixture
def world(alone: World) -> World:
    """A keeper looks after everybody's grants."""
    return alone


def keeper(world: World) -> Keeper:
    return Keeper(world.equipment, world.calls, period=0.01)


async def kept(world: World, grant: Grant) -> None:
    async with world.database.work() as tx:
        await grants.keep(world.equipment, tx, world.customer_id, world.connection_id, grant)


def revocations(world: World) -> int:
    return len(world.platform.asked("/oauth2/revoke"))


async def due_again(world: World) -> None:
    await world.do("UPDATE revocation SET due_at = clock_timestamp() WHERE customer_id = :customer")


# Told of


_END = "now() + make_interval(days => :days, hours => -1)"
RENEWED = f"UPDATE connection SET grant_expires_at = {_END} WHERE customer_id = :customer"
COMES_NEARER = f"UPDATE connection SET grant_expires_at = {_END}, told_end = {_END} WHERE customer_id = :customer"
"""The clock of the database cannot be turned: the same end comes nearer."""
TOLD = "SELECT of FROM profile_change WHERE customer_id = :customer AND kind = 'CONNECTION'"


async def test_each_connection_is_told_once_at_each_threshold_that_it_ends(world: World) -> None:
    """A renewed authorisation has another end; one that is over, or of a connection that is not active, is none to be renewed in time."""
    found = {}
    for step, days in ((RENEWED, 31), (RENEWED, 30), (COMES_NEARER, 20), (COMES_NEARER, 7), (COMES_NEARER, 1), (COMES_NEARER, 0)):
        await world.do(step, days=days)
        found[days] = [await announce_ends(world.database) for _ in range(2)]
    assert found == {31: [0, 0], 30: [1, 0], 20: [0, 0], 7: [1, 0], 1: [1, 0], 0: [0, 0]}
    await world.do(RENEWED, days=3)
    assert await announce_ends(world.database) == 1, "another end, told for the nearest threshold alone"
    await world.do(RENEWED, days=2)
    await world.do("UPDATE connection SET status = 'REAUTHORISE' WHERE customer_id = :customer")
    assert await announce_ends(world.database) == 0
    assert [row["of"] for row in await world.rows(TOLD)] == [NAME] * 4


async def test_workers_that_look_at_once_tell_each_connection_once(world: World) -> None:
    await world.do(RENEWED, days=5)
    assert sum(await asyncio.gather(*(announce_ends(world.database) for _ in range(4)))) == 1


# Kept alive


async def test_an_idle_grant_is_refreshed_before_its_refresh_token_ends(world: World) -> None:
    await kept(world, Grant("access-0", "refresh-0", 7200, 2_592_000))
    assert await keeper(world).keep_alive(NAME) == 0, "it is young"
    await world.do(IDLE)
    assert await keeper(world).keep_alive(NAME) == 1
    assert (await held(world)).grant.refresh_token == world.platform.refresh_token == "refresh-1"
    assert await keeper(world).keep_alive(NAME) == 0


async def test_two_workers_refresh_it_once(world: World) -> None:
    await world.do(IDLE)
    found = await asyncio.gather(*(keeper(world).keep_alive(NAME) for _ in range(4)))
    assert (sum(found), refreshes(world)) == (1, 1)


async def test_one_that_cannot_be_refreshed_now_is_tried_again_later_each_time(world: World) -> None:
    pauses = []
    for _ in range(3):
        await world.do(IDLE)
        world.platform.says("/oauth2/token", raw("{}", 503))
        await keeper(world).keep_alive(NAME)
        [row] = await world.rows(
            "SELECT extract(epoch FROM keep_alive_at - now())::float8 AS pause FROM credential WHERE customer_id = :customer"
        )
        pauses.append(row["pause"])
    assert [round(one / grants.PAUSE.total_seconds()) for one in pauses] == [1, 2, 4]
    assert (await world.one("credential"))["failures"] == 3
    assert (await world.one("connection"))["status"] == "ACTIVE"


async def test_a_refusal_is_shown_on_the_connection(world: World) -> None:
    await world.do(IDLE)
    world.platform.refresh_token = "another"
    await keeper(world).keep_alive(NAME)
    row = await world.one("connection")
    assert (row["status"], row["last_fault"], await state(world)) == ("REAUTHORISE", "Reauthorise", "reauth_required")
    await world.do(IDLE)
    assert await keeper(world).keep_alive(NAME) == 0, "no loop"


async def test_nothing_is_kept_alive_without_a_consent(world: World) -> None:
    await world.do(IDLE)
    await world.withdraw()
    await keeper(world).keep_alive(NAME)
    assert refreshes(world) == 0


async def test_a_killed_exchange_is_settled_though_nothing_is_synced(world: World) -> None:
    await killed(world)
    await world.do("UPDATE credential SET keep_alive_at = exchanging_since + interval '1 second' WHERE customer_id = :customer")
    assert await keeper(world).keep_alive(NAME) == 1
    assert (refreshes(world), await state(world)) == (1, "valid")


async def test_beginning_an_exchange_says_when_to_look_what_became_of_it(world: World) -> None:
    seen = []

    async def meanwhile(request: Mapping[str, str]) -> None:
        seen.append(await world.one("credential"))

    world.platform.before = meanwhile
    await world.do(IDLE)
    await keeper(world).keep_alive(NAME)
    assert seen[0]["state"] == "exchanging"
    assert seen[0]["keep_alive_at"] - seen[0]["exchanging_since"] == pytest.approx(grants.EXCHANGE_LIMIT, abs=timedelta(seconds=1))


async def test_the_keeper_works_by_itself_and_ends_when_told(world: World) -> None:
    await world.do(IDLE)
    working = asyncio.create_task(keeper(world).work())
    async with asyncio.timeout(10):
        while not refreshes(world):  # noqa: ASYNC110 -- the platform sets no event
            await asyncio.sleep(0.01)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert await state(world) == "valid", "an exchange under way is seen through"


async def test_what_nobody_expected_of_one_duty_ends_no_other(world: World) -> None:
    """The time fails the first two that ask for it: what has ended is not settled, what has run out is not ended. Both are tried again."""
    await world.do(IDLE)
    asked: list[int] = []

    def now() -> datetime:
        asked.append(1)
        if len(asked) <= 2:
            raise LookupError("words that nobody should read")
        return world.equipment.clock.now()

    with structlog.testing.capture_logs() as logged:
        working = asyncio.create_task(Keeper(replace(world.equipment, clock=Clock(now)), world.calls, period=0.01).work())
        async with asyncio.timeout(10):
            while not (refreshes(world) and len(asked) > 20):
                assert not working.done(), "the others were ended"
                await asyncio.sleep(0.01)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
    failed = [one for one in logged if one["event"] == "keeper_failed"]
    assert [(one["log_level"], one["duty"], one["kind"]) for one in failed] == [
        ("error", "settle_ended", "LookupError"), ("error", "Keeper._at_the_time:expire_due", "LookupError"),
    ]  # fmt: skip
    assert "nobody should read" not in str(logged)


# Ended


async def test_disconnecting_ends_it_at_once_and_tells_the_platform_later(world: World) -> None:
    run = await world.claimed()
    async with world.database.work() as tx:
        assert await disconnect(tx, world.customer_id, world.connection_id)
    row = await world.one("connection")
    assert (row["status"], row["ended_reason"], row["due_at"], row["lease_until"]) == ("DISCONNECTED", "REQUESTED", None, None)
    assert row["epoch"] > run.epoch, "a run that goes on writes nothing any more"
    assert revocations(world) == 0
    assert await settle_ended(world.equipment) >= 1
    assert await world.count("credential") == 0
    assert await Revoker(world.equipment, world.calls).look(NAME) >= 1
    told = await world.one("revocation")
    assert (told["state"], told["answer"], told["sealed"], told["reason"]) == ("DONE", "status 200", None, "REQUESTED")
    assert [one["token"] for one in world.platform.asked("/oauth2/revoke")] == ["refresh-0"]


async def test_disconnecting_twice_is_once_and_a_stranger_is_not_found(world: World) -> None:
    async with world.database.work() as tx:
        assert await disconnect(tx, world.customer_id, world.connection_id)
        assert not await disconnect(tx, world.customer_id, world.connection_id)
        with pytest.raises(NotFound):
            await disconnect(tx, world.customer_id, world.customer_id)


async def test_the_hub_ends_connections_and_no_client_does(world: World) -> None:
    """No mutation ends one: a client's transaction has no right to."""
    key = (world.customer_id, world.connection_id)
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with world.database.write(Scope("test", "CREDIT_APPROVAL")) as tx:
            await disconnect(tx, *key)
    async with world.database.work() as tx:
        with pytest.raises(NotFound):
            await disconnect(tx, CustomerId(new_id()), world.connection_id)
        assert await disconnect(tx, *key)
    assert (await world.one("connection"))["status"] == "DISCONNECTED"


async def test_the_last_consent_to_go_ends_the_connection(world: World) -> None:
    other = await consented(world.database, world.time, world.customer_id, SourceKind.SETTLEMENT)
    await world.withdraw()
    await settle_ended(world.equipment)
    assert (await world.one("connection"))["status"] == "ACTIVE", "another source is still consented to"
    await world.do("UPDATE consent SET status = 'REVOKED' WHERE consent_id = :other", other=other)
    await settle_ended(world.equipment)
    row = await world.one("connection")
    assert (row["status"], row["ended_reason"], await world.count("credential")) == ("DISCONNECTED", "CONSENT_ENDED", 0)
    assert (await world.one("revocation"))["state"] == "DUE"


async def test_a_consent_that_runs_out_ends_it_as_well(world: World) -> None:
    await settle_ended(world.equipment)
    assert await world.count("credential") == 1
    world.time.turn(days=400)
    await settle_ended(world.equipment)
    assert (await world.one("connection"))["ended_reason"] == "CONSENT_ENDED"


async def test_ending_waits_for_an_exchange_under_way_and_for_no_platform(world: World) -> None:
    """Its new token would be revoked by nobody. A platform that does not answer keeps nobody from ending."""
    await world.do("UPDATE credential SET state = 'exchanging', exchanging_since = now() WHERE customer_id = :customer")
    await world.withdraw()
    await settle_ended(world.equipment)
    assert await world.count("credential") == 1
    await world.do("UPDATE credential SET exchanging_since = now() - interval '1 hour' WHERE customer_id = :customer")
    await world.server.stop()
    await settle_ended(world.equipment)
    assert await world.count("credential") == 0


async def test_the_token_goes_even_when_the_platform_cannot_be_told(world: World) -> None:
    await world.withdraw()
    await settle_ended(world.equipment)
    for attempt in range(len(WAITS) + 1):
        world.platform.says("/oauth2/revoke", raw("{}", 500))
        await due_again(world)
        row = await world.one("revocation")
        assert (row["state"], row["attempts"], row["sealed"] is not None) == ("DUE", attempt, True)
        assert await Revoker(world.equipment, world.calls).look(NAME) >= 1
    row = await world.one("revocation")
    assert (row["state"], row["sealed"]) == ("GAVE_UP", None)
    assert "status 500" in row["answer"]
    await due_again(world)
    await Revoker(world.equipment, world.calls).look(NAME)
    assert revocations(world) == len(WAITS) + 1, "bounded"


async def test_attempts_are_further_and_further_apart_and_a_dead_worker_has_spent_one(world: World) -> None:
    await world.withdraw()
    await settle_ended(world.equipment)
    world.platform.says("/oauth2/revoke", raw("{}", 500), raw("{}", 500))
    waits = []
    for _ in range(2):
        await due_again(world)
        await Revoker(world.equipment, world.calls).look(NAME)
        [row] = await world.rows("SELECT extract(epoch FROM due_at - now())::float8 AS wait FROM revocation WHERE customer_id = :customer")
        waits.append(row["wait"])
    assert waits == [pytest.approx(WAITS[0], rel=0.1), pytest.approx(WAITS[1], rel=0.1)]


async def test_a_grant_that_had_ended_before_is_done(world: World) -> None:
    await world.withdraw()
    await settle_ended(world.equipment)
    world.platform.says("/oauth2/revoke", raw('{"error": "invalid_grant"}', 400))
    await Revoker(world.equipment, world.calls).look(NAME)
    row = await world.one("revocation")
    assert (row["state"], row["sealed"]) == ("DONE", None)


async def test_a_new_authorisation_is_not_ended_by_the_old_ones_revocation(world: World) -> None:
    await world.withdraw()
    await settle_ended(world.equipment)
    await kept(world, Grant("new", "new-refresh"))
    row = await world.one("revocation")
    assert (row["state"], row["sealed"]) == ("SUPERSEDED", None)
    await Revoker(world.equipment, world.calls).look(NAME)
    assert revocations(world) == 0


async def test_one_whose_key_is_destroyed_holds_nobody_up(world: World) -> None:
    await world.withdraw()
    await world.do("UPDATE data_key SET wrapped = NULL WHERE customer_id = :customer")
    await settle_ended(world.equipment)
    assert (await world.one("revocation"))["state"] == "GAVE_UP"
    assert await world.count("credential") == 0


async def test_a_disconnected_grant_cannot_be_used(world: World) -> None:
    await world.withdraw()
    await settle_ended(world.equipment)
    with pytest.raises(GrantRevoked):
        await held(world)
    assert await world.sync() is None


async def test_the_end_of_a_grant_stands_on_its_connection(world: World) -> None:
    await kept(world, Grant("access-0", "refresh-0", 7200, 5 * 86_400))
    ends = (await world.one("connection"))["grant_expires_at"]
    assert ends is not None and ends == (await world.one("credential"))["refresh_expires_at"]


async def test_a_grant_that_nothing_can_renew_ends_with_its_access_token(world: World) -> None:
    async with world.database.work() as tx:
        key = (world.equipment, tx, world.customer_id, world.connection_id)
        await grants.keep(*key, Grant("access-0", None, 86_400), refreshable=False)
    row = await world.one("credential")
    assert (await world.one("connection"))["grant_expires_at"] == row["expires_at"]
    assert row["refresh_at"] is None


# Keys


async def test_old_keys_of_mutations_are_forgotten_by_a_worker(world: World) -> None:
    await world.do("INSERT INTO idempotency_key VALUES ('app', 'k', 'd', '{}', now() - interval '8 days')")
    working = asyncio.create_task(keeper(world).work())
    async with asyncio.timeout(10):
        while await world.rows("SELECT 1 FROM idempotency_key"):  # noqa: ASYNC110 -- it happens in the database
            await asyncio.sleep(0.02)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
