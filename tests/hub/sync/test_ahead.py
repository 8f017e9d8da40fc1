"""The next page is asked for while this one is taken apart; a commit that has failed lets no other request leave."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from hub.domain.enums import Verdict
from hub.sync.reader import Reader
from hub.sync.writing import Writing
from tests.hub.sync.platform import refund
from tests.hub.sync.world import TODAY, World

TAKING_APART, ANSWER = 0.2, 0.6
"""Seconds. An answer that comes later than the page before it is taken apart and its commit has failed."""


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that take long to take apart: in that time a request can leave."""
    made = Reader._made

    async def later(self: Reader, *page: Any) -> Any:
        await asyncio.sleep(TAKING_APART)
        return await made(self, *page)

    monkeypatch.setattr(Reader, "_made", later)


def pages(world: World) -> list[str]:
    return [one["page"] for one in world.platform.asked()]


@pytest.mark.usefixtures("slowly")
async def test_the_next_page_is_asked_for_while_this_one_is_taken_apart(world: World) -> None:
    world.platform.rows[TODAY] = [refund(str(number)) for number in range(3)]
    written: list[int] = []

    async def before(heard: Mapping[str, str]) -> None:
        if heard.get("page") == "2":
            written.append(await world.count("raw_page"))

    world.platform.before = before
    assert await world.sync() is Verdict.COMPLETE
    assert (written, pages(world)) == ([0], ["1", "2"]), "the first was not written yet"


async def failed_commit(world: World) -> list[str]:
    """Which pages are asked for when the commit of the first fails before the second is answered."""
    world.platform.rows[TODAY] = [refund(str(number)) for number in range(9)]

    async def before(heard: Mapping[str, str]) -> None:
        if heard.get("page") == "1":
            await world.do("UPDATE sync_window SET cursor = '{\"page\": 9}' WHERE customer_id = :customer")
        if heard.get("page") == "2":
            await asyncio.sleep(ANSWER)

    world.platform.before = before
    await world.sync()
    assert await world.count("raw_page") == 0
    return pages(world)


@pytest.mark.usefixtures("slowly")
async def test_after_a_failed_commit_no_other_request_leaves(world: World) -> None:
    assert await failed_commit(world) == ["1", "2"]


@pytest.mark.usefixtures("slowly")
async def test_control_who_does_not_look_asks_once_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def blind(self: Writing) -> None:
        return

    monkeypatch.setattr(Writing, "failing", blind)
    assert await failed_commit(world) == ["1", "2", "3"]
