"""What a genuine push does: the connection is due, the days it names are read again, once; nothing of its body is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from hub.domain.enums import Verdict
from hub.events.inbound import CALM, KEPT, SWEPT
from hub.sync import hints
from hub.sync.claim import claim
from hub.sync.hints import Meant
from tests.hub.events.scene import ACCOUNT, Scene, letter, pushing
from tests.hub.sync.platform import NAME, refund
from tests.hub.sync.world import World, new_customer

DAYS = ["2026-01-11", "2026-01-12", "2026-01-13", "2026-01-14", "2026-01-15"]
CHANGED = {"first": "2026-01-12", "last": "2026-01-13"}


async def asked_days(scene: Scene) -> list[str]:
    """Which days the platform was asked for since the last look."""
    found = sorted(one["day"] for one in scene.world.platform.asked())
    scene.world.platform.heard.clear()
    return found


async def test_a_push_makes_its_connection_due_and_wakes_a_worker(scene: Scene) -> None:
    assert await scene.due_in() is None
    answer = await scene.client.post(f"/webhooks/{NAME}", content=(sent := letter()).body, headers=sent.headers)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b'{"code":0}', "application/json")
    assert await scene.due()
    assert scene.nudged == [scene.world.connection_id]
    assert [event["connections"] for event in await scene.events()] == [1]


async def test_days_that_are_named_are_read_again_and_no_others(scene: Scene) -> None:
    assert await scene.world.sync() == Verdict.EMPTY_EXPECTED
    assert await asked_days(scene) == DAYS
    assert await scene.world.sync() == Verdict.EMPTY_EXPECTED
    assert await asked_days(scene) == DAYS[-1:], "only what the look-back says"
    scene.world.platform.rows["2026-01-12"] = [refund("late")]
    await scene.push(letter(CHANGED))
    assert await scene.world.engine().run(scene.world.customer_id, scene.world.connection_id) == Verdict.COMPLETE
    assert await asked_days(scene) == ["2026-01-12", "2026-01-13", "2026-01-15"]
    assert [fact["refund_number"] for fact in await scene.world.facts()] == ["late"]
    await scene.world.sync()
    assert await asked_days(scene) == DAYS[-1:], "a hint is used up"


async def test_without_days_nothing_is_read_again(scene: Scene) -> None:
    """The control of the test before: the same change, and a push that names no day."""
    await scene.world.sync()
    scene.world.platform.rows["2026-01-12"] = [refund("late")]
    await scene.push(letter())
    await asked_days(scene)
    await scene.world.engine().run(scene.world.customer_id, scene.world.connection_id)
    assert await asked_days(scene) == DAYS[-1:]
    assert await scene.world.facts() == []


async def test_streams_that_are_not_named_are_left_alone(scene: Scene) -> None:
    await scene.world.sync()
    assert await scene.push(letter({**CHANGED, "streams": ["orders"]})) == 400, "there is no such stream"
    assert await scene.push(letter({**CHANGED, "streams": ["refunds"]})) == 200
    touched = await scene.world.rows("SELECT stream FROM touched_days WHERE connection_id = :connection")
    assert touched == [{"stream": "refunds"}]


async def test_a_window_that_is_being_read_is_read_again_from_its_beginning(scene: Scene) -> None:
    """The push comes when the first page was read: what it is about may stand on that page."""
    world = scene.world
    world.platform.rows["2026-01-12"] = [refund(str(number)) for number in range(5)]

    async def in_between(heard: object) -> None:
        if len([one for one in world.platform.asked() if one["day"] == "2026-01-12"]) == 2:
            world.platform.before = None
            world.platform.rows["2026-01-12"][0] = refund("0", "99.00")
            await scene.push(letter(CHANGED))

    world.platform.before = in_between
    await world.make_due()
    assert await world.engine().run(world.customer_id, world.connection_id) == Verdict.COMPLETE, "the run itself is not disturbed"
    assert await scene.due(), "the run's end does not forget what came meanwhile"
    await asked_days(scene)
    assert await world.engine().run(world.customer_id, world.connection_id) == Verdict.COMPLETE
    assert await asked_days(scene) == ["2026-01-12"] * 3 + ["2026-01-13", "2026-01-15"]
    now = {row["refund_number"]: str(row["amount"]) for row in await world.facts()}
    assert now["0"] == "99.00"


async def test_many_pushes_while_a_run_goes_on_are_one_run_more(scene: Scene) -> None:
    run = await scene.world.claimed()
    for _ in range(5):
        assert await scene.push(letter()) == 200
    assert [event["connections"] for event in await scene.events()] == [1, 0, 0, 0, 0]
    assert not await scene.due(), f"epoch {run.epoch} has it"


async def test_bursts_coalesce(scene: Scene) -> None:
    """A connection that is due is not doubled; one that was read a moment ago is due when the calm is over."""
    assert [await scene.push(letter()) for _ in range(3)] == [200] * 3
    assert len(scene.nudged) == 1
    await scene.world.engine().run(scene.world.customer_id, scene.world.connection_id)
    assert [await scene.push(letter()) for _ in range(3)] == [200] * 3
    due_in = await scene.due_in()
    assert due_in is not None and 0 < due_in <= CALM.total_seconds()
    assert [event["connections"] for event in await scene.events()] == [1, 0, 0, 1, 0, 0]


async def test_what_is_due_sooner_stays_due_sooner(scene: Scene) -> None:
    await scene.push(letter())
    await scene.world.engine().run(scene.world.customer_id, scene.world.connection_id)
    await scene.world.do("UPDATE connection SET due_at = clock_timestamp() + interval '5 seconds' WHERE connection_id = :connection")
    await scene.push(letter())
    assert 0 < (await scene.due_in() or 0) <= 5


async def test_the_next_run_of_the_timetable_is_brought_forward(scene: Scene) -> None:
    await scene.world.do("UPDATE connection SET due_at = clock_timestamp() + interval '1 day' WHERE connection_id = :connection")
    await scene.push(letter())
    assert await scene.due()


async def test_ready_wakes_only_who_waits(scene: Scene) -> None:
    """Else what a run orders, and the word that it is ready, would call each other for ever."""
    world, ready = scene.world, {"kind": "READY"}
    await world.sync()
    await world.do("UPDATE connection SET due_at = clock_timestamp() + interval '1 day' WHERE connection_id = :connection")
    assert await scene.push(letter(ready)) == 200
    assert not await scene.due()
    await world.do("UPDATE connection SET last_verdict = 'PARKED' WHERE connection_id = :connection")
    assert await scene.push(letter(ready)) == 200
    assert await scene.due()


async def test_days_of_which_the_platform_serves_nothing_yet_are_in_vain(world: World) -> None:
    scene = Scene.of(world, pushing(lag_days=1))
    await scene.link()
    today, yesterday = ({"first": day, "last": day} for day in ("2026-01-15", "2026-01-14"))
    assert await scene.push(letter(today)) == 200
    assert not await scene.due()
    assert await scene.push(letter(yesterday)) == 200
    assert await scene.due()
    await scene.client.aclose()


async def test_an_event_about_nobody_is_received_and_has_no_effect(scene: Scene) -> None:
    for about in ("somebody-else", ""):
        assert await scene.push(letter({"account": about})) == 200
    assert not await scene.due()
    assert scene.nudged == []


@pytest.mark.parametrize("status", ["LINKING", "PAUSED", "REAUTHORISE", "ENDED"])
async def test_a_connection_that_is_not_active_is_not_woken(scene: Scene, status: str) -> None:
    await scene.world.do("UPDATE connection SET status = :status WHERE connection_id = :connection", status=status)
    assert await scene.push(letter(CHANGED)) == 200
    assert await scene.due_in() is None
    assert scene.nudged == []


async def test_a_withdrawn_consent_is_not_fetched_by_a_push(scene: Scene) -> None:
    await scene.world.withdraw()
    await scene.push(letter(CHANGED))
    await scene.world.engine().run(scene.world.customer_id, scene.world.connection_id)
    assert scene.world.platform.asked() == []


async def test_one_account_of_two_customers_makes_both_due(scene: Scene) -> None:
    """A business and its owner may have linked the same account."""
    world = scene.world
    other = Meant(await new_customer(world.equipment, "110105194912310038"), world.connection_id)
    await world.do(
        "INSERT INTO connection (customer_id, connection_id, connector, status, created_at)"
        " VALUES (:other, :connection, :connector, 'ACTIVE', now())",
        other=other.customer_id,
        connector=NAME,
    )
    await scene.link(mine=other)
    assert await scene.push(letter()) == 200
    due = await world.rows("SELECT customer_id FROM connection WHERE connection_id = :connection AND due_at <= clock_timestamp()")
    assert {row["customer_id"] for row in due} == {world.customer_id, other.customer_id}
    assert len(scene.nudged) == 2


async def test_nothing_of_the_body_is_kept(scene: Scene) -> None:
    canary = "canary-13800138000"
    await scene.push(letter({**CHANGED, "note": canary}, event_id=canary))
    kept = str([*await scene.events(), await scene.world.one("connection"), *await scene.world.rows("SELECT * FROM touched_days")])
    assert "2026, 1, 12" in kept, "the days are there, so the look is at the right rows"
    assert canary not in kept and ACCOUNT not in kept and canary.encode().hex() not in kept


async def test_row_and_effect_are_there_together_or_not_at_all(scene: Scene) -> None:
    """The store refuses the effect: then there is no row either, and the repetition finds an open door."""
    sent, world = letter(), scene.world
    with refusing(world):
        assert await scene.push(sent) == 503
    assert await scene.events() == []
    assert await scene.push(sent) == 200
    assert await scene.due()


@contextmanager
def refusing(world: World) -> Iterator[None]:
    """The store refuses every change of this world's connection."""
    url = make_url(world.database.urls.owner).set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$")
        statement = f"CREATE TRIGGER refuse BEFORE UPDATE ON connection FOR EACH ROW WHEN (OLD.connection_id = '{world.connection_id}') EXECUTE FUNCTION refuse()"
        owner.execute(statement.encode())
        try:
            yield
        finally:
            owner.execute("DROP TRIGGER refuse ON connection")


async def test_old_rows_are_swept_and_young_ones_stay(scene: Scene) -> None:
    """Each new event removes a few: what comes in pays for what goes out."""
    world = scene.world
    for number in range(SWEPT + 5):
        row = {"event": f"{world.connection_id}-{number}", "age": KEPT + timedelta(hours=number - SWEPT - 2.5)}
        await world.do(
            "INSERT INTO inbound_event (connector, event_hash, kind, body_hash, received_at)"
            " VALUES ('swept', :event, 'CHANGED', '', clock_timestamp() - CAST(:age AS interval))",
            **row,
        )
    left = "SELECT event_hash FROM inbound_event WHERE connector = 'swept' AND event_hash LIKE :mine"
    mine = f"{world.connection_id}-%"
    assert await scene.push(letter()) == 200
    assert len(await world.rows(left, mine=mine)) == SWEPT + 5 - 2, "two are older than what is kept"
    await world.do("UPDATE inbound_event SET received_at = received_at - interval '30 days' WHERE connector = 'swept'")
    assert await scene.push(letter()) == 200
    assert len(await world.rows(left, mine=mine)) == 3, f"{SWEPT} at a time"


async def test_two_at_once_for_one_connection_make_it_due_once(scene: Scene) -> None:
    assert await asyncio.gather(*(scene.push(letter()) for _ in range(8))) == [200] * 8
    assert sorted(event["connections"] for event in await scene.events()) == [0] * 7 + [1]


async def test_a_hint_waits_for_a_claim_that_is_under_way(scene: Scene) -> None:
    """The claim commits after the push came in: the hint sees it, and the connection is due once more."""
    world = scene.world
    await world.make_due()
    async with world.database.work() as tx:
        assert await claim(tx, world.customer_id, world.connection_id) is not None
        pushing_now = asyncio.create_task(scene.push(letter()))
        await asyncio.sleep(0.2)
        assert not pushing_now.done()
    assert await pushing_now == 200
    assert [event["connections"] for event in await scene.events()] == [1]


async def test_control_without_the_lock_such_a_hint_is_lost(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row is read, but not held: the connection looks due, and the run that has begun already is taken for the one to come."""
    monkeypatch.setattr(hints, "_FIND", text(str(hints._FIND).replace("FOR UPDATE", "")))
    world = scene.world
    await world.make_due()
    async with world.database.work() as tx:
        assert await claim(tx, world.customer_id, world.connection_id) is not None
        assert await scene.push(letter()) == 200
    assert [event["connections"] for event in await scene.events()] == [0]


async def test_control_a_plan_without_reopening_reads_nothing_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(tx: object, run: object) -> None: ...

    monkeypatch.setattr("hub.sync.plan.reopen", nothing)
    with pytest.raises(AssertionError):
        await test_days_that_are_named_are_read_again_and_no_others(scene)
