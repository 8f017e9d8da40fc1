"""What a full pass does not bring any more was deleted, where the connector says so and the pass is proven; nothing else ever is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from hub.domain.enums import Verdict
from hub.sync import passes
from tests.hub.sync.platform import Refunds, connector, page_of, raw, refund
from tests.hub.sync.world import TODAY, World


def telling(world: World, *streams: Refunds, told: bool = True) -> World:
    """The same platform, whose connector says that absence means deletion."""
    made = connector(*(streams or (Refunds(),)))
    return world.with_connector(replace(made, manifest=replace(made.manifest, absence_means_gone=frozenset({"refunds"} if told else ()))))


def now(number: str, amount: str = "10.00") -> dict[str, Any]:
    """A row of today, as the window is."""
    return refund(number, amount, at="2026-01-15T10:00:00+08:00")


async def live(world: World) -> list[str]:
    return [fact["refund_number"] for fact in await world.facts() if fact["known_to"] is None]


async def marks(world: World) -> list[tuple[str, str]]:
    rows = await world.rows(
        "SELECT f.refund_number, m.mark FROM fact_mark m JOIN fact_refund f USING (customer_id, fact_id) WHERE m.customer_id = :customer ORDER BY 1"
    )
    return [(row["refund_number"], row["mark"]) for row in rows]


@pytest.mark.parametrize("count", [1, 3], ids=["one page", "two pages"])
async def test_what_a_proven_pass_does_not_bring_is_gone(world: World, count: int) -> None:
    world = telling(world)
    world.platform.rows[TODAY] = [now(str(number)) for number in range(count + 1)]
    await world.sync()
    world.time.turn(hours=1)
    del world.platform.rows[TODAY][0]
    assert await world.sync() is Verdict.COMPLETE
    assert await live(world) == [str(number) for number in range(1, count + 1)]
    gone = (await world.facts())[0]
    assert (gone["known_to"], gone["version"]) == (world.time.now(), 1), "closed, not overwritten: at an earlier time it is still read"
    assert await marks(world) == [("0", "GONE")]
    assert (await world.one("sync_window"))["proven_from"] is not None


async def test_what_comes_back_goes_on_from_its_version(world: World) -> None:
    world = telling(world)
    for rows in ([now("1"), now("2")], [now("2")], [now("1"), now("2")]):
        world.platform.rows[TODAY] = rows
        assert await world.sync() is Verdict.COMPLETE
        world.time.turn(hours=1)
    first = [fact for fact in await world.facts() if fact["refund_number"] == "1"]
    assert [(fact["version"], fact["known_to"] is None) for fact in first] == [(1, False), (2, True)]


async def test_absence_means_nothing_where_the_connector_does_not_say_so(world: World) -> None:
    world = telling(world, told=False)
    world.platform.rows[TODAY] = [now("1"), now("2")]
    await world.sync()
    world.platform.rows[TODAY] = [now("2")]
    assert await world.sync() is Verdict.COMPLETE
    assert await live(world) == ["1", "2"]


UNPROVEN: dict[str, Any] = {
    "refused in the middle": [page_of([now("2")], 2, total=2), raw("no", 400)],
    "a lying total": [page_of([now("2")], total=5)],
    "no declared total": [page_of([now("2")])],
    "a record that cannot be read": [page_of([now("2"), {"order": "x"}], total=2)],
    "out of reach": [raw("{}", 404)],
}


@pytest.mark.parametrize("case", UNPROVEN)
async def test_an_unproven_pass_deletes_nothing(world: World, case: str) -> None:
    world = telling(world)
    world.platform.rows[TODAY] = [now("1"), now("2")]
    await world.sync()
    world.platform.says("/refunds", *UNPROVEN[case])
    await world.sync()
    assert await live(world) == ["1", "2"]
    assert await marks(world) == []


async def test_the_proof_is_what_stops_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: without the arithmetic the pass with a lying total would delete."""
    world = telling(world)
    world.platform.rows[TODAY] = [now("1"), now("2")]
    await world.sync()
    monkeypatch.setattr(passes, "UNEQUAL", "false")
    world.platform.says("/refunds", page_of([now("2")], total=5))
    await world.sync()
    assert await live(world) == ["2"]


async def test_only_the_scope_of_the_pass_is_looked_at(world: World) -> None:
    """A window of another day says nothing about these days; a state is read whole, so its pass speaks of all."""
    world = telling(world, Refunds(window_count=2))
    world.platform.rows["2026-01-14"] = [refund("a", at="2026-01-14T10:00:00+08:00"), refund("b", at="2026-01-14T11:00:00+08:00")]
    world.platform.rows[TODAY] = [refund("c", at="2026-01-15T10:00:00+08:00")]
    await world.sync()
    world.platform.rows[TODAY] = []
    assert await world.sync() is Verdict.COMPLETE
    assert await live(world) == ["a", "b"]


async def test_a_state_needs_no_total(world: World) -> None:
    world = telling(world, Refunds(window_days=0))
    world.platform.says("/refunds", page_of([now("1"), now("2")]), page_of([now("2")]))
    await world.sync()
    await world.sync()
    assert await live(world) == ["2"]


async def test_a_list_that_moved_deletes_nothing(world: World) -> None:
    """The record that was skipped because the list moved is there, and stays."""
    world = telling(world)
    world.platform.rows[TODAY] = [now(str(number)) for number in range(4)]
    await world.sync()

    async def restless(request: Mapping[str, str]) -> None:
        if request["page"] == "2":
            world.platform.rows[TODAY].insert(0, now(f"new-{len(world.platform.rows[TODAY])}"))

    world.platform.before = restless
    assert await world.sync() is Verdict.INCOMPLETE
    assert {"0", "1", "2", "3"} <= set(await live(world))
