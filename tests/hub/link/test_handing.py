"""That the app may have it, too, is asked by itself, left out, asked later, and taken back (PIPL 23)."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from sqlalchemy import text

from hub.domain.enums import SourceKind
from hub.link.service import LinkRequest
from tests.hub.link.side import BOTH, RETURN, Person, Side, consents_in, person, platform_form
from tests.hub.link.test_manage import form_to, given, managed
from tests.hub.sync.world import GRANTEE

SHOP = (SourceKind.SHOP,)
OTHER = "Other app"


async def register(side: Side, client_id: str, name: str, audience: str) -> None:
    statement = "INSERT INTO client (client_id, name, audience, jwks, created_at) VALUES (:id, :name, :audience, '{}', now())"
    async with side.world.database.work() as tx:
        await tx.execute(text(statement), {"id": client_id, "name": name, "audience": audience})


async def link_of(side: Side, client_id: str, sources: tuple[SourceKind, ...] = SHOP) -> str:
    """A link that another client asks for."""
    request = LinkRequest(client_id, side.world.customer_id, sources, ("S03",), "CREDIT_APPROVAL", RETURN)
    async with side.world.database.work() as tx:
        return side.links.url_of(await side.links.create(tx, request))


async def apps(side: Side) -> dict[str, list[str]]:
    return {row["source"]: row["apps"] for row in await side.rows("SELECT source, apps FROM consent WHERE customer_id = :customer")}


async def records(side: Side) -> list[Any]:
    return list(await side.rows("SELECT * FROM consent_app WHERE customer_id = :customer ORDER BY given_at, client_id"))


@pytest.mark.law("PIPL 23: separate consent")
async def test_each_is_a_tick_of_its_own_under_a_text_that_names_the_app(side: Side, me: Person) -> None:
    await register(side, "assistant", "小贷助手", "PARTNER")
    page = await me.open(await link_of(side, "assistant", BOTH))
    form = platform_form(page)
    assert [name for name, _ in form.boxes] == ["consent", "app", "consent", "app"] and "checked" not in page
    assert "也同意提供给小贷助手：店铺、订单和退款信息" in page and "本人（本单位）单独同意" in page
    shop = next(box for box in consents_in(form))
    await me.get(await me.to_platform_and_back(await me.post(form, [*form.hidden.items(), *consents_in(form), ("app", shop[1])])))
    assert sorted((await apps(side)).values()) == [[], ["assistant"]], "the other was consented to, and not handed on"
    (record,) = await records(side)
    bound = [one.split("</p>")[0] for one in page.split('<p class="binding" lang="zh-CN">')]
    assert record["text_hash"] in {hashlib.sha256(one.encode()).hexdigest() for one in bound}, "what was shown is what was hashed"
    assert record["evidence"]["app"] == "小贷助手" and record["evidence"]["language"] == "zh" and record["evidence"]["link_id"]


async def test_it_may_be_left_out_and_agreed_to_later(side: Side, me: Person) -> None:
    page = await me.open(await side.link(SHOP))
    form = platform_form(page)
    await me.get(await me.to_platform_and_back(await me.post(form, [*form.hidden.items(), *consents_in(form)])))
    assert await apps(side) == {"SHOP": []} and await side.consents() == {"SHOP": "ACTIVE"}
    later = platform_form((await me.get("/link/")).text)
    assert [name for name, _ in later.boxes] == ["app"]
    answer = await me.post(later, [*later.hidden.items(), *later.boxes])
    assert answer.headers["location"].endswith("/link/"), "the platform has nothing to do with it"
    assert await apps(side) == {"SHOP": ["partner"]}
    assert "已同意提供给partner" in (await me.get("/link/")).text


async def test_another_app_asks_for_the_edge_alone(side: Side, me: Person) -> None:
    await given(side, me, SHOP)
    await register(side, "other", OTHER, "PARTNER")
    async with person(side) as again:
        page = await again.open(await link_of(side, "other"))
        form = platform_form(page)
        assert [name for name, _ in form.boxes] == ["app"] and OTHER in page
        await again.post(form, [*form.hidden.items(), *form.boxes])
    assert await apps(side) == {"SHOP": ["other", "partner"]}
    assert len(await side.rows("SELECT 1 FROM consent WHERE customer_id = :customer")) == 1
    assert len(side.world.platform.asked("/oauth2/authorize")) == 1


async def test_the_institution_itself_is_not_asked_about(side: Side, me: Person) -> None:
    await register(side, "risk", "Risk desk", "INTERNAL")
    page = await me.open(await link_of(side, "risk"))
    form = platform_form(page)
    assert [name for name, _ in form.boxes] == ["consent"]
    forged = await me.post(form, [*form.hidden.items(), *form.boxes, ("app", form.boxes[0][1])])
    assert (forged.status_code, await records(side)) == (403, [])


async def test_the_app_cannot_have_what_the_institution_may_not(side: Side, me: Person) -> None:
    form = platform_form(await me.open(await side.link()))
    only = [box for box in form.boxes if box[0] == "app"][:1]
    answer = await me.post(form, [*form.hidden.items(), *only])
    assert answer.status_code == 403 and "不能只提供给应用" in answer.text
    assert set((await side.consents()).values()) == {"PENDING"} and await records(side) == []


async def test_an_app_by_another_name_has_not_been_read(side: Side, me: Person) -> None:
    await register(side, "renamed", "Old name", "PARTNER")
    page = await me.open(await link_of(side, "renamed"))
    await side.world.do("UPDATE client SET name = 'New name' WHERE client_id = 'renamed' AND CAST(:customer AS uuid) IS NOT NULL")
    answer = await me.agree(page)
    assert answer.status_code == 403 and await records(side) == [], "the text that would be kept is none that was shown"


async def test_it_is_taken_back_from_one_app_and_the_consent_stays(side: Side, me: Person) -> None:
    await given(side, me)
    page = await managed(side, me)
    form = form_to(page, "/link/manage/withdraw")
    box = next(one for one in form.boxes if one[0] == "app")
    answer = await me.post(form, [*form.hidden.items(), box])
    told = (await me.get(answer.headers["location"])).text
    assert "partner不能再查询这些内容" in told and f"您对{GRANTEE}的授权保持不变" in told
    assert set((await side.consents()).values()) == {"ACTIVE"}
    assert sorted((await apps(side)).values()) == [[], ["partner"]]
    assert sorted(one["ended_at"] is None for one in await records(side)) == [False, True]
    assert sum(name == "app" for name, _ in form_to((await me.get("/link/manage")).text, "/link/manage/withdraw").boxes) == 1
    again = await me.post(form, [*form.hidden.items(), box])
    assert (
        again.status_code == 303
        and len(await side.rows("SELECT 1 FROM consent_event WHERE customer_id = :customer AND step = 'APP_REMOVED'")) == 1
    )


async def test_nobody_elses_is_taken_back(side: Side, me: Person) -> None:
    await given(side, me)
    form = form_to(await managed(side, me), "/link/manage/withdraw")
    for wrong in ("x", "", "00000000-0000-7000-8000-000000000000 partner"):
        assert (await me.post(form, [*form.hidden.items(), ("app", wrong)])).status_code == 403
    (row, *_) = await side.rows("SELECT consent_id FROM consent WHERE customer_id = :customer")
    await me.post(form, [*form.hidden.items(), ("app", f"{row['consent_id']} never-named")])
    assert set(map(tuple, (await apps(side)).values())) == {("partner",)} and len(await records(side)) == len(BOTH)


async def test_a_renewal_that_is_no_wider_does_not_ask_again(side: Side, me: Person) -> None:
    await given(side, me, SHOP)
    request = LinkRequest("partner", side.world.customer_id, SHOP, ("S03",), "CREDIT_APPROVAL", RETURN, renew=True)
    async with side.world.database.work() as tx:
        url = side.links.url_of(await side.links.create(tx, request))
    async with person(side) as again:
        form = platform_form(await again.open(url))
        assert [name for name, _ in form.boxes] == ["consent"]
        await again.post(form, [*form.hidden.items(), *form.boxes])
    rows = await side.rows("SELECT status, apps FROM consent WHERE customer_id = :customer ORDER BY starts_at, status DESC")
    assert sorted((row["status"], *row["apps"]) for row in rows) == [("ACTIVE", "partner"), ("SUPERSEDED", "partner")]
