"""A customer who said no is not asked for the same thing again for two days, by nobody; and may say yes at any time (ADR 58)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.consent import refusals
from hub.consent.retention import retention
from hub.domain.enums import SourceKind
from hub.domain.identifiers import CustomerId
from hub.errors import CustomerDeclined
from hub.link.manage import ManageRequest, ManageService
from hub.link.service import LinkRequest
from hub.store.erasure import erase_customer
from hub.store.merging import merge_customers, split_customer
from tests.hub.link.side import BOTH, RETURN, Person, Side, platform_form
from tests.hub.link.test_manage import form_to, given, managed, withdraw
from tests.hub.sync.world import GRANTEE, NOW, new_customer

SHOP, SETTLEMENT = BOTH
UNTIL = NOW + timedelta(hours=48)


def asking(side: Side, *sources: SourceKind) -> LinkRequest:
    return LinkRequest("partner", side.world.customer_id, sources or BOTH, ("S03",), "CREDIT_APPROVAL", RETURN)


async def ask(side: Side, request: LinkRequest) -> str:
    async with side.world.database.work() as tx:
        return side.links.url_of(await side.links.create(tx, request))


async def refused(side: Side, request: LinkRequest) -> CustomerDeclined:
    with pytest.raises(CustomerDeclined) as said:
        await ask(side, request)
    return said.value


async def finish(me: Person) -> str:
    form = form_to((await me.get("/link/")).text, "/link/finish")
    return (await me.post(form, [*form.hidden.items()])).headers["location"]


async def declined(side: Side, me: Person, *sources: SourceKind) -> None:
    await me.open(await ask(side, asking(side, *sources)))
    assert (await finish(me)).endswith("&status=declined")


async def test_nobody_asks_again_before_two_days_are_over(side: Side, me: Person) -> None:
    await declined(side, me)
    links = len(await side.rows("SELECT 1 FROM link_session WHERE customer_id = :customer"))
    for client in ("partner", "another", "risk-desk"):
        for renew in (False, True):
            said = await refused(side, replace(asking(side), client_id=client, renew=renew))
            assert said.facts == {"sources": BOTH, "again_at": UNTIL} and UNTIL.isoformat() in said.remedy
    side.world.time.turn(hours=48, seconds=-1)
    assert (await refused(side, asking(side))).facts["again_at"] == UNTIL
    assert len(await side.rows("SELECT 1 FROM link_session WHERE customer_id = :customer")) == links, "no link came of it"
    side.world.time.turn(seconds=1)
    assert platform_form(await me.open(await ask(side, asking(side)))).boxes


async def test_control_without_the_check_he_is_asked_again(side: Side, me: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    await declined(side, me)

    async def nothing(*_: object) -> None:
        return

    monkeypatch.setattr(refusals, "insist", nothing)
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        await refused(side, asking(side))


async def test_other_sources_purposes_and_customers_may_be_asked_for(side: Side, me: Person) -> None:
    await declined(side, me, SHOP)
    await ask(side, asking(side, SETTLEMENT))
    await ask(side, replace(asking(side, SHOP), purpose="POST_LOAN"))
    other = await new_customer(side.world.equipment, "110101199003070003")
    await ask(side, replace(asking(side, SHOP), customer_id=other))
    assert (await refused(side, asking(side))).facts["sources"] == (SHOP,), "of two sources it is told which one"


async def test_what_was_left_unticked_was_refused_and_by_whom_what_is_remembered(side: Side, me: Person) -> None:
    """One consent is given without the app, the other is not."""
    await me.get(await me.to_platform_and_back(await me.agree(await me.open(await ask(side, asking(side))), take=1)))
    assert (await finish(me)).endswith("&status=done")
    rows = await side.rows("SELECT * FROM refusal WHERE customer_id = :customer")
    told = sorted((str(row["app"]), row["client_id"], row["grantee"], row["purpose"], row["refused_at"], row["again_at"]) for row in rows)
    same = ("partner", GRANTEE, "CREDIT_APPROVAL", NOW, UNTIL)
    assert told == [("None", *same), ("partner", *same)]
    given_now, not_given = (
        next(source for source in BOTH if source == row["source"]) for row in sorted(rows, key=lambda row: row["app"] is None)
    )
    assert given_now is not not_given
    assert (await refused(side, asking(side))).facts["sources"] == BOTH
    await ask(side, replace(asking(side, given_now), client_id="another"))
    assert (await refused(side, replace(asking(side), client_id="another"))).facts["sources"] == (not_given,)


async def test_a_link_that_is_open_takes_his_yes_and_then_nothing_stands_against_asking(side: Side, me: Person) -> None:
    first, second = await ask(side, asking(side)), await ask(side, asking(side))
    await me.open(first)
    await finish(me)
    await refused(side, asking(side))
    await me.get(await me.to_platform_and_back(await me.agree(await me.open(second))))
    assert set((await side.consents()).values()) == {"ACTIVE"}
    await finish(me)
    await ask(side, replace(asking(side), renew=True))
    (row,) = await side.rows("SELECT count(*) AS all, count(lifted_at) AS lifted FROM refusal WHERE customer_id = :customer")
    assert (row["all"], row["lifted"]) == (2, 2), "that he had said no is remembered all the same"


async def test_a_link_that_is_left_or_runs_out_is_no_refusal(side: Side, me: Person) -> None:
    form = platform_form(await me.open(await ask(side, asking(side))))
    await me.post(form, [*form.hidden.items()])
    await ask(side, asking(side))
    await side.world.do("UPDATE link_session SET expires_at = now() WHERE customer_id = :customer")
    assert await side.rows("SELECT 1 FROM refusal WHERE customer_id = :customer") == []
    await ask(side, asking(side))


async def test_a_link_that_is_finished_twice_is_refused_once(side: Side, me: Person) -> None:
    form = form_to(await me.open(await ask(side, asking(side))), "/link/finish")
    for _ in range(2):
        await me.post(form, [*form.hidden.items()])
        side.world.time.turn(hours=1)
    assert [row["refused_at"] for row in await side.rows("SELECT refused_at FROM refusal WHERE customer_id = :customer")] == [NOW, NOW]


async def test_who_withdraws_is_not_asked_again_either(side: Side, me: Person) -> None:
    await given(side, me)
    await withdraw(me, await managed(side, me), take=1)
    gone = next(SourceKind(source) for source, status in (await side.consents()).items() if status == "REVOKED")
    assert (await refused(side, replace(asking(side), client_id="another"))).facts["sources"] == (gone,)
    side.world.time.turn(hours=48)
    await ask(side, asking(side))


async def test_an_app_that_it_was_taken_back_from_is_the_one_that_does_not_ask(side: Side, me: Person) -> None:
    await given(side, me)
    form = form_to(await managed(side, me), "/link/manage/withdraw")
    apps = [box for box in form.boxes if box[0] == "app"]
    assert (await me.post(form, [*form.hidden.items(), *apps])).status_code == 303
    assert (await refused(side, asking(side))).facts["sources"] == BOTH
    await ask(side, replace(asking(side), client_id="another"))
    assert set((await side.consents()).values()) == {"ACTIVE"}


async def test_who_does_not_renew_keeps_what_he_gave_and_other_apps_may_ask_for_it(side: Side, me: Person) -> None:
    await given(side, me)
    await me.open(await ask(side, replace(asking(side), renew=True)))
    await finish(me)
    await refused(side, replace(asking(side), renew=True, client_id="another"))
    await ask(side, replace(asking(side), client_id="another"))


async def test_a_no_of_a_customer_who_was_merged_is_heard_from_the_one_that_stayed(side: Side, me: Person) -> None:
    await declined(side, me)
    stayed = await new_customer(side.world.equipment, "110101199003070003")
    request = replace(asking(side), customer_id=stayed)
    await ask(side, request)
    async with side.world.database.work() as tx:
        await merge_customers(tx, side.world.customer_id, stayed, "one person", NOW, "risk-desk")
    await refused(side, request)
    async with side.world.database.work() as tx:
        await split_customer(tx, side.world.customer_id, "two persons", NOW, "risk-desk")
    await ask(side, request)


async def test_a_no_is_forgotten_when_nobody_can_complain_any_more(side: Side, me: Person) -> None:
    await declined(side, me)
    kept, database = retention().kept("refusal"), side.world.database
    count = "SELECT 1 FROM refusal WHERE customer_id = :customer"
    assert kept > timedelta(hours=48)
    await refusals.forget(database, NOW + kept)
    assert len(await side.rows(count)) == 2
    await refusals.forget(database, NOW + kept + timedelta(seconds=1))
    assert await side.rows(count) == []


async def test_an_erasure_takes_what_was_refused_and_says_no_to_nothing(side: Side, me: Person) -> None:
    await given(side, me, (SHOP,))
    await declined(side, me, SETTLEMENT)
    equipment, mine = side.world.equipment, CustomerId(side.world.customer_id)
    async with side.world.database.work() as tx:
        erased = await erase_customer(tx, equipment.vault, equipment.clock, mine, "asked by letter")
    assert erased.rows["refusal"] == 1
    assert await side.rows("SELECT 1 FROM refusal WHERE customer_id = :customer") == []


async def test_his_own_page_is_open_to_him_all_the_same(side: Side, me: Person) -> None:
    await declined(side, me)
    request = ManageRequest("partner", side.world.customer_id, "CREDIT_APPROVAL", RETURN)
    async with side.world.database.work() as tx:
        url = side.links.url_of(await ManageService(side.links, side.log).create(tx, request))
    assert (await me.get(url)).headers["location"] == "/link/manage"


def test_what_is_told_of_the_end_is_a_whole_second() -> None:
    assert refusals.again_at(NOW) == UNTIL
    assert refusals.again_at(NOW + timedelta(microseconds=1)) == UNTIL + timedelta(seconds=1)
