"""Drift is noticed by path and type, and no value ever gets into a path."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.sync import shapes
from hub.sync.shapes import Shapes, places
from tests.hub.sync.platform import refund
from tests.hub.sync.world import TODAY, World


@pytest.fixture(autouse=True)
async def _alone(world: World) -> None:
    """Shapes belong to no customer: each test begins without any."""
    await world.do("DELETE FROM record_shape")


async def shape(world: World, *, drifted: bool) -> dict[tuple[str, str], int]:
    rows = await world.rows(
        "SELECT path, type, sightings FROM record_shape WHERE drifted = :drifted AND stream = 'refunds'", drifted=drifted
    )
    return {(row["path"], row["type"]): row["sightings"] for row in rows}


async def test_a_sync_learns_the_shape_of_its_records(world: World) -> None:
    world.platform.rows[TODAY] = [refund("1"), refund("2"), refund("3", lines=[{"sum": 1}])]
    await world.sync()
    found = await shape(world, drifted=False)
    assert found[("$", "object")] == 3
    assert found[("$.amount", "text")] == 3
    assert found[("$.lines[].sum", "int")] == 1
    assert await shape(world, drifted=True) == {}


async def learned(world: World) -> Shapes:
    seen = Shapes(world.database, "scripted")
    for number in range(shapes.LEARNING):
        await seen.look("refunds", [refund(str(number))])
    for number in range(shapes.EVERY * shapes.LEARNING):
        await seen.look("refunds", [refund(str(number))])
    await seen.flush()
    return seen


async def test_what_comes_after_that_is_drift(world: World) -> None:
    seen = await learned(world)
    await seen.look("refunds", [], [refund("1", amount=7, fee="0.10")])
    assert await shape(world, drifted=True) == {("$.amount", "int"): 1, ("$.fee", "text"): 1}
    again = Shapes(world.database, "scripted")
    await again.look("refunds", [refund("1", amount=8, fee="0.20")])
    assert await shape(world, drifted=True) == {("$.amount", "int"): 1, ("$.fee", "text"): 1}, "counted, not yet written"
    await again.flush()
    assert await shape(world, drifted=True) == {("$.amount", "int"): 2, ("$.fee", "text"): 2}
    (row,) = await world.rows("SELECT first_seen < last_seen AS seen_again FROM record_shape WHERE path = '$.fee'")
    assert row["seen_again"]


async def test_while_a_shape_is_learned_nothing_is_drift(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control of the test above: were the first record the whole truth, each optional member would be called drift."""
    for learning, drifted in ((shapes.LEARNING, False), (1, True)):
        await world.do("DELETE FROM record_shape")
        monkeypatch.setattr(shapes, "LEARNING", learning)
        seen = Shapes(world.database, "scripted")
        await seen.look("refunds", [refund("1")])
        await seen.look("refunds", [refund("2", memo="x")])
        assert (await shape(world, drifted=True) != {}) is drifted


async def test_a_known_shape_costs_no_statement(world: World) -> None:
    seen = await learned(world)
    before = await shape(world, drifted=False)
    for _ in range(shapes.EVERY):
        await seen.look("refunds", [refund("1")])
    assert await shape(world, drifted=False) == before


def test_types_are_those_of_the_payload() -> None:
    record: dict[str, Any] = {"a": True, "b": 1, "c": Decimal("1.0"), "d": "x", "e": [1, "y"], "f": {"g": None}}
    assert set(places(record)) == {
        ("$", "object"), ("$.a", "bool"), ("$.b", "int"), ("$.c", "number"), ("$.d", "text"), ("$.e", "list"), ("$.e[]", "int"), ("$.e[]", "text"),
        ("$.f", "object"),
    }  # fmt: skip


def test_a_member_that_could_be_a_value_is_not_written() -> None:
    """Maps by number, by name, and objects with more members than any record."""
    for name in ("110105194912310021", "order_13800138000", "王小明", "a b", "x" * 60, ""):
        assert [path for path, _ in places({name: 1})] == ["$", "$.*"]
    wide = {f"member_{chr(97 + number // 26)}{chr(97 + number % 26)}": number for number in range(100)}
    assert {path for path, _ in places(wide)} == {"$", "$.*"}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=60,
    )
)
def test_places_are_bounded_and_plain(value: Any) -> None:
    found = list(places(value))
    assert len(found) <= shapes.MOST_PATHS
    assert all(
        path.isascii() and not any(char in path for char in "\0\n") and path.count(".") <= 2 * shapes.DEEPEST * 20 for path, _ in found
    )


def test_values_do_not_show() -> None:
    text = str(list(places(refund("canary-4711", "47.11", buyer={"name": "canary"}))))
    assert "canary" not in text
    assert "47" not in text
