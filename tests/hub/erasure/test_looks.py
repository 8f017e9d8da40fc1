"""A worker's look: found branch by branch, from what has ended; what fails keeps nothing else from going, and is looked for again."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from hub.consent import grants as consents
from hub.domain.identifiers import new_id
from hub.errors import WaitAndRetry
from hub.store.erasure import Erasing, batch, duty
from hub.store.erasure.due import MAY_HAVE_ENDED, branches
from hub.store.erasure.laws import ENDED
from hub.store.tables import consent
from tests.hub.erasure.side import erase, on, today
from tests.hub.erasure.test_inputs import evaluated, inputs
from tests.hub.sync.world import World


def erasing(world: World) -> Erasing:
    return Erasing(world.database, world.equipment.vault, world.equipment.clock)


async def found_by(world: World) -> set[str]:
    return {name for name in branches() if await duty.due(world.database, today(world), name)}


async def withdrawn(world: World, **other: Any) -> None:
    """Seven days ago, after another purpose's consent was given, if one is described."""
    await world.sync()
    if other:
        await other_purpose(world, **other)
    await world.withdraw()
    await on(world, 7)


async def test_an_attempt_that_failed_is_made_again_with_the_next_look(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await withdrawn(world)
    duties = erasing(world)

    async def busy(*_: Any) -> None:
        raise WaitAndRetry("A lock is held.")

    with monkeypatch.context() as patch:
        patch.setattr(duty, "erase_group", busy)
        assert await duties.look() == 0
    assert await duties.look() == 9, "on the same day"
    await world.do("UPDATE consent SET changed_at = changed_at - interval '9 days'")
    assert await duties.look() == 0


async def test_who_cannot_be_erased_is_asked_once_a_look(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await withdrawn(world)
    tried = list[Any]()

    async def busy(tx: Any, group: batch.Group) -> None:
        tried.append(group.customer_id)
        raise WaitAndRetry("A lock is held.")

    monkeypatch.setattr(duty, "erase_group", busy)
    await erasing(world).look()
    assert tried == [world.customer_id], "however many branches name him"


async def test_a_branch_that_cannot_be_asked_keeps_no_other_from_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement that is ended by its time limit, say. Here all but one are."""
    await withdrawn(world)
    broken = dict.fromkeys(branches(), "SELECT customer_id FROM customer WHERE 1 / (kind = '')::int > 0")
    monkeypatch.setattr(duty, "branches", lambda: broken | {"consent": branches()["consent"]})
    duties = erasing(world)
    assert await duties.look() == 9
    assert duties.looked_on is None


def test_every_kind_with_a_life_of_its_own_has_a_branch() -> None:
    assert set(MAY_HAVE_ENDED) == set(ENDED)


async def test_the_branches_find_what_is_due(world: World) -> None:
    """Each alone: nothing a day early."""
    await world.sync()
    await evaluated(world)
    assert await found_by(world) == set()
    world.time.turn(minutes=1)
    await world.withdraw()
    await on(world, 6)
    assert await found_by(world) == set()
    await on(world, 7)
    assert await found_by(world) == {"consent", "evaluation.consent"}


async def test_a_life_that_is_over_is_found(world: World) -> None:
    await world.do("UPDATE consent SET data_life_days = 10")
    await world.sync()
    mine = await evaluated(world)
    await on(world, 10)
    assert await found_by(world) == {"life", "evaluation.life"}
    await erase(world)
    assert (await found_by(world), await inputs(world, mine)) == (set(), 0)


async def looked_at(world: World, table: str) -> int:
    """Rows of a table, or its partitions, that a look reads by all its branches."""
    rows = 0

    def walk(node: dict[str, Any]) -> int:
        own = node["Actual Rows"] * node["Actual Loops"] if str(node.get("Relation Name", "")).startswith(table) else 0
        return int(own) + sum(walk(one) for one in node.get("Plans", []))

    async with world.database.work() as tx:
        # As in a store of many rows: in one of a few PostgreSQL would rather read them all, or not, by what it happens to know of them.
        for way in ("hashjoin", "mergejoin", "seqscan"):
            await tx.execute(text(f"SET LOCAL enable_{way} = off"))
        for branch in branches().values():
            told = await tx.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {branch}"), {"today": today(world)})
            plan = told.scalar_one()
            rows += walk((orjson.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])
    return rows


async def test_nothing_is_added_up_where_nothing_has_ended(world: World) -> None:
    """What was read for an evaluation is not looked at while its consents stand. The control: once they have ended, it is."""
    await world.sync()
    for _ in range(3):
        await evaluated(world)
    assert await looked_at(world, "feature_evidence") == 0
    world.time.turn(minutes=1)
    await world.withdraw()
    await on(world, 7)
    assert await looked_at(world, "feature_evidence") > 0


async def other_purpose(world: World, **narrower: Any) -> Any:
    """Another purpose's consent to the same source, given later."""
    (row,) = await world.rows("SELECT * FROM consent WHERE consent_id = :consent", consent=world.consent_id)
    made = new_id()
    values = {**row, "consent_id": made, "purpose": "POST_LOAN_MANAGEMENT", "expires_at": None, **narrower}
    async with world.database.work() as tx:
        await tx.execute(consent.insert().values(values))
    return made


async def test_what_another_purpose_holds_stays_until_that_ends_too(world: World) -> None:
    await world.sync()
    other = await other_purpose(world)
    await world.withdraw()
    await on(world, 7)
    assert (await erase(world), await found_by(world)) == (0, set())
    await on(world, 50)
    async with world.database.work() as tx:
        await consents.withdraw(tx, world.customer_id, other, world.time.now())
    await on(world, 56)
    assert await erase(world) == 0
    await on(world, 57)
    assert await erase(world) == 9


async def test_for_no_longer_than_the_other_purpose_lets_it_live(world: World) -> None:
    await withdrawn(world, data_life_days=30)
    await on(world, 29)
    assert await erase(world) == 0
    await on(world, 30)
    assert await erase(world) == 9


@pytest.mark.parametrize(
    "other",
    [
        {"source": "TAX"},
        {"grantee": "another"},
        {"kinds": ["Shop"]},
        {"data_to": date(2025, 1, 1)},
        {"status": "PENDING", "starts_at": None},
    ],
)
async def test_what_the_other_does_not_hold_goes(world: World, other: dict[str, Any]) -> None:
    await withdrawn(world, **other)
    assert await erase(world) == 9


async def test_what_was_forgotten_is_fetched_again_at_once(world: World) -> None:
    """For a consent that holds only some of it: its part is not gone until the next period."""
    await withdrawn(world, kinds=["Refund"])
    await world.do("UPDATE connection SET due_at = clock_timestamp() + interval '1 day'")
    assert await erase(world) == 9
    due = "SELECT due_at <= clock_timestamp() AS due FROM connection WHERE connection_id = :connection"
    assert await world.rows(due) == [{"due": True}]


async def test_who_shortens_a_renewal_means_what_it_renewed_too(world: World) -> None:
    await world.sync()
    await world.do("UPDATE consent SET status = 'SUPERSEDED', changed_at = :now", now=world.time.now())
    await other_purpose(world, purpose="CREDIT_APPROVAL", status="ACTIVE", data_life_days=5, narrowed_at=world.time.now())
    await on(world, 4)
    assert await erase(world) == 0
    await on(world, 5)
    assert await found_by(world) == {"shortened"}
    assert await erase(world) == 9
