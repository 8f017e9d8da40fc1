"""State and verifier are used once: by one of two who come at the same moment, and by nobody after a crash (trust rules, section a)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import Row, select

from hub.errors import CustomerMustAct
from hub.link.pages import COOKIE
from hub.link.service import LinkService
from hub.store.tables import authorisation_attempt
from hub.sync.linking import Linking
from tests.hub.link.side import Person, Side, platform_form

AT_ONCE = 8


async def came_back(side: Side, me: Person) -> tuple[str, dict[str, str]]:
    """A customer on her way back from the platform: her browser's secret, and the callback's query."""
    callback = await me.to_platform_and_back(await me.agree(await me.open(await side.link())))
    return me.client.cookies[COOKIE], dict(parse_qsl(urlsplit(callback).query))


def twin(links: LinkService) -> LinkService:
    """The same service in another process, as far as the store can tell."""
    linking = links.platforms
    assert isinstance(linking, Linking)
    options: dict[str, Any] = {"grantee": links.grantee, "origin": links.origin, "nudge": links.nudge, "token_of": links.token_of}
    return LinkService(links.database, Linking(linking.equipment, linking.calls), links.clock, **options)


async def all_at_once(side: Side, browser: str, query: Mapping[str, str]) -> list[BaseException | None]:
    """What came of callbacks that are all under way at the same time: the platform answers none before the others had time to get as far."""

    async def slowly(heard: Mapping[str, str]) -> None:
        if heard["path"] == "/oauth2/token":
            await asyncio.sleep(0.3)

    side.world.platform.before = slowly
    services = [side.links, twin(side.links)] * (AT_ONCE // 2)
    return await asyncio.gather(*(one.complete(browser, "scripted", query) for one in services), return_exceptions=True)


async def test_of_those_who_come_at_the_same_moment_one_wins(side: Side, me: Person) -> None:
    outcomes = await all_at_once(side, *await came_back(side, me))
    assert sorted(type(one).__name__ for one in outcomes) == ["CustomerMustAct"] * (AT_ONCE - 1) + ["NoneType"]
    assert len(side.world.platform.asked("/oauth2/token")) == 1
    assert (await side.status(), len(side.nudged)) == ("ACTIVE", 1)


async def test_control_a_state_that_is_only_looked_at_lets_them_all_in(side: Side, me: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    async def look(self: LinkService, tx: Any, session: Row[Any], state: str, connector: str) -> Row[Any]:
        return (await tx.execute(select(authorisation_attempt).where(authorisation_attempt.c.link_id == session.link_id))).one()

    monkeypatch.setattr(LinkService, "_use_attempt", look)
    await all_at_once(side, *await came_back(side, me))
    assert len(side.world.platform.asked("/oauth2/token")) == AT_ONCE


async def starts_again(side: Side, me: Person) -> None:
    """The customer does what the page asks of her."""
    side.world.platform.before = None
    assert await side.status() == "LINKING"
    assert await side.rows("SELECT 1 FROM credential WHERE customer_id = :customer") == []
    callback = await me.to_platform_and_back(await me.agree((await me.get("/link/")).text))
    assert (await me.get(callback)).status_code == 303
    assert await side.status() == "ACTIVE"


async def test_who_dies_while_the_code_is_exchanged_leaves_nothing_to_be_used_again(side: Side, me: Person) -> None:
    browser, query = await came_back(side, me)
    reached = asyncio.Event()

    async def hangs(heard: Mapping[str, str]) -> None:
        if heard["path"] == "/oauth2/token":
            reached.set()
            await asyncio.Event().wait()

    side.world.platform.before = hangs
    dying = asyncio.create_task(side.links.complete(browser, "scripted", query))
    await asyncio.wait_for(reached.wait(), 10)
    dying.cancel()
    assert isinstance((await asyncio.gather(dying, return_exceptions=True))[0], asyncio.CancelledError)
    with pytest.raises(CustomerMustAct):
        await twin(side.links).complete(browser, "scripted", query)
    assert len(side.world.platform.asked("/oauth2/token")) == 1
    await starts_again(side, me)


async def test_who_dies_with_the_grant_in_hand_leaves_nothing_to_be_used_again(
    side: Side, me: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, query = await came_back(side, me)

    async def dies(*kept: object) -> None:
        raise KeyError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(Linking, "keep", dies)
        with pytest.raises(KeyError):
            await side.links.complete(browser, "scripted", query)
    with pytest.raises(CustomerMustAct):
        await side.links.complete(browser, "scripted", query)
    await starts_again(side, me)


async def test_who_dies_before_the_platform_is_asked_leaves_an_attempt_that_runs_out(
    side: Side, me: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state was never shown to anybody."""
    page = await me.open(await side.link())

    async def dies(*asked: object) -> None:
        raise KeyError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(Linking, "begin", dies)
        with pytest.raises(KeyError):
            await side.links.agree(me.client.cookies[COOKIE], "scripted", platform_form(page).hidden["offer"], _ticked(page), {})
    (row,) = await side.rows("SELECT used_at, expires_at - now() AS rest FROM authorisation_attempt WHERE customer_id = :customer")
    assert row["used_at"] is None and row["rest"].total_seconds() <= 600
    await starts_again(side, me)


def _ticked(page: str) -> list[str]:
    return [value for name, value in platform_form(page).boxes if name == "consent"]


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        (lambda config: {**config, "issuer": "https://another.example"}, True),
        (lambda config: {**config, "base_url": f"{config['base_url']}/elsewhere"}, True),
        (lambda config: {**config, "scale": "another"}, False),
    ],
)
async def test_a_login_ends_where_it_began(side: Side, me: Person, change: Callable[[Any], Any], refused: bool) -> None:
    """The hub is started anew with another platform behind the connector while a customer is on her way: her code is not shown to it."""
    browser, query = await came_back(side, me)
    linking = side.links.platforms
    assert isinstance(linking, Linking)
    config = change(linking.equipment.configs["scripted"])
    linking.equipment = replace(linking.equipment, configs={"scripted": config})
    if "issuer" in config:
        query["iss"] = config["issuer"]
    if not refused:
        await side.links.complete(browser, "scripted", query)
        return
    with pytest.raises(CustomerMustAct, match="has changed"):
        await side.links.complete(browser, "scripted", query)
    assert side.world.platform.asked("/oauth2/token") == []
