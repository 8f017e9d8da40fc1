"""Where a customer strays to: an old link, another browser, the back button, a form sent twice. Each ends on a page that says what to do next."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from hub.domain.enums import SourceKind
from hub.link.pages import COOKIE, LinkPages
from hub.link.service import LinkRequest
from hub.link.words import Words
from tests.hub.link.markup import faults, read
from tests.hub.link.side import BOTH, RETURN, Person, Side, consents_in, person, platform_form
from tests.hub.link.test_manage import form_to, given
from tests.hub.sync.world import new_customer


def says_what_to_do(answer: httpx.Response, problem: str, *ways: str) -> None:
    """The page of that problem, whole, with a section on what to do next and these ways from there."""
    assert answer.status_code >= 400 and faults(answer.text) == []
    page = read(answer.text)
    assert any(node.attrs.get("href") == f"/link/problem/{problem}?lang=en" for node in page.all("a")), answer.text
    assert "接下来" in [node.text for node in page.all("h2")]
    found = [node.attrs["href"] for node in page.all("a") if "button" in node.attrs.get("class", "")]
    assert len(found) == len(ways) and all(one.startswith(way) for one, way in zip(found, ways, strict=True)), found


async def test_a_link_that_is_no_good(side: Side, me: Person) -> None:
    says_what_to_do(await me.get("/link/s/unknown"), "gone")
    used = await side.link()
    async with person(side) as another:
        await another.open(used)
    says_what_to_do(await me.get(used), "gone")


async def test_another_browser(side: Side, me: Person) -> None:
    says_what_to_do(await me.get("/link/"), "elsewhere")
    me.client.cookies.set(COOKIE, "guessed", path="/link")
    says_what_to_do(await me.get("/link/"), "elsewhere")
    says_what_to_do(await me.get("/link/manage"), "elsewhere")
    says_what_to_do(await me.get("/link/callback/scripted?state=x&code=y"), "elsewhere")


async def test_a_link_that_runs_out_leads_back_to_the_app(side: Side, me: Person) -> None:
    form = platform_form(await me.open(await side.link()))
    await side.world.do("UPDATE link_session SET expires_at = now() WHERE customer_id = :customer")
    back = f"{RETURN}&link="
    says_what_to_do(await me.get("/link/"), "expired", back)
    says_what_to_do(await me.post(form, [*form.hidden.items(), *form.boxes]), "expired", back)
    assert set((await side.consents()).values()) == {"PENDING"}


async def test_the_back_button_after_coming_back_from_the_platform(side: Side, me: Person) -> None:
    callback = await me.to_platform_and_back(await me.agree(await me.open(await side.link())))
    await me.get(callback)
    says_what_to_do(await me.get(callback), "answer", "/link/")
    assert await side.status() == "ACTIVE", "what was done stays done"


async def steps(side: Side) -> dict[str, int]:
    """How often the customer did what, beside being asked."""
    rows = await side.rows(
        "SELECT step, count(*) AS times FROM consent_event WHERE customer_id = :customer AND step <> 'ASKED' GROUP BY step"
    )
    return {row["step"]: row["times"] for row in rows}


async def test_a_form_from_the_back_button_after_everything_was_authorised(side: Side, me: Person) -> None:
    """It was agreed to and authorised: the page says how far things are, and the platform is not asked again."""
    page = await me.open(await side.link())
    await me.get(await me.to_platform_and_back(await me.agree(page)))
    again = await me.agree(page)
    assert again.headers["location"].endswith("/link/")
    assert len(side.world.platform.asked("/oauth2/authorize")) == 1
    assert await steps(side) == {"GIVEN": 2, "APP_ADDED": 2}


async def test_a_form_sent_twice_on_the_way_to_the_platform(side: Side, me: Person) -> None:
    """Either answer of the platform will do, once."""
    page = await me.open(await side.link())
    first, second = await me.agree(page), await me.agree(page)
    assert (await me.get(await me.to_platform_and_back(second))).status_code == 303
    assert await side.status() == "ACTIVE"
    assert await steps(side) == {"GIVEN": 2, "APP_ADDED": 2}
    assert (await me.get(await me.to_platform_and_back(first))).status_code == 303


async def test_the_back_button_after_the_end(side: Side, me: Person) -> None:
    page = await me.open(await side.link())
    await me.get(await me.to_platform_and_back(await me.agree(page)))
    finish = form_to((await me.get("/link/")).text, "/link/finish")
    ends = [(await me.post(finish, [*finish.hidden.items()])).headers["location"] for _ in range(2)]
    assert ends[0] == ends[1] and ends[0].endswith("&status=done"), "sent twice, it leads to the app twice"
    says_what_to_do(await me.agree(page), "finished", "/link/")
    finished = await me.get("/link/")
    assert finished.status_code == 200 and "本链接已关闭" in finished.text and ends[0].replace("&", "&amp;") in finished.text


async def test_who_agreed_to_nothing_goes_back_as_that(side: Side, me: Person) -> None:
    finish = form_to(await me.open(await side.link()), "/link/finish")
    assert (await me.post(finish, [*finish.hidden.items()])).headers["location"].endswith("&status=declined")
    assert "您没有授权任何内容" in (await me.get("/link/")).text
    assert set((await side.consents()).values()) == {"PENDING"}


async def test_the_language_that_was_read_is_evidence(side: Side, me: Person) -> None:
    await me.open(await side.link((SourceKind.SHOP,)))
    await me.agree((await me.get("/link/?lang=en")).text)
    (row,) = await side.rows("SELECT evidence FROM consent WHERE customer_id = :customer")
    assert row["evidence"]["language"] == "en"


async def test_nothing_ticked(side: Side, me: Person) -> None:
    says_what_to_do(await me.agree(await me.open(await side.link()), take=0), "nothing_ticked", "/link/")


async def test_nobody_agrees_to_what_the_page_did_not_show(side: Side, me: Person) -> None:
    """The app asks again, for more, while the page is being read: the same consents would now say something else."""
    page = await me.open(await side.link())
    request = LinkRequest("partner", side.world.customer_id, BOTH, ("S03", "S05"), "CREDIT_APPROVAL", RETURN)
    async with side.world.database.work() as tx:
        await side.links.create(tx, request)
    says_what_to_do(await me.agree(page), "changed", "/link/")
    assert set((await side.consents()).values()) == {"PENDING"}
    again = (await me.get("/link/")).text
    assert Words("zh").scenarios(("S03", "S05")) in again and (await me.agree(again)).status_code == 303
    rows = await side.rows("SELECT scenarios FROM consent WHERE customer_id = :customer AND status = 'ACTIVE'")
    assert [row["scenarios"] for row in rows] == [["S03", "S05"]] * 2
    assert (await me.agree(again)).status_code == 303, "sent twice, it is what was shown all the same"


OTHER_TERMS = (
    "expires_at = expires_at + interval '10 years'", "data_from = '1990-01-01'", "data_to = data_to + 3650", "data_life_days = 36500", "scenarios = scenarios || ARRAY['S05']",
    "kinds = NULL", "kinds = kinds || ARRAY['TaxReturn']", "mode = 'STREAM'", "fetches_per_day = NULL", "written = NOT written", "text_hash = repeat('0', 64)",
)  # fmt: skip


async def test_nobody_gives_what_is_not_what_its_text_says(side: Side, me: Person) -> None:
    """A client's transaction may write an offer's terms anew, and leave its text. Whoever asks again asks for what the text says."""
    page = await me.open(await side.link((SourceKind.SHOP,)))
    for terms in OTHER_TERMS:
        await side.world.do(f"UPDATE consent SET {terms} WHERE customer_id = :customer")
        says_what_to_do(await me.agree((await me.get("/link/")).text), "too_old", "/link/")
        assert set((await side.consents()).values()) == {"PENDING"}, terms
        await side.link((SourceKind.SHOP,))
    assert (await me.agree(page)).status_code == 303, "control"
    assert set((await side.consents()).values()) == {"ACTIVE"}


async def test_an_offer_of_a_day_to_come_is_none(side: Side, me: Person) -> None:
    """Else a consent lasted as long as an app's transaction likes, by a text that says so."""
    page = await me.open(await side.link((SourceKind.SHOP,)))
    side.world.time.turn(days=-1)
    says_what_to_do(await me.agree(page), "too_old", "/link/")
    side.world.time.turn(days=1)
    assert (await me.agree(page)).status_code == 303, "control"


async def test_nobody_gives_what_was_asked_between_reading_and_giving(side: Side, me: Person) -> None:
    """The answer has read the offer and waits for its row, which an app writes anew."""
    page = await me.open(await side.link((SourceKind.SHOP,)))
    request = LinkRequest("partner", side.world.customer_id, (SourceKind.SHOP,), ("S03", "S05"), "CREDIT_APPROVAL", RETURN)
    async with side.world.database.work() as tx:
        await side.links.create(tx, request)
        answer = asyncio.create_task(me.agree(page))
        waits = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        while not await side.rows(waits):
            assert not answer.done()
            await asyncio.sleep(0.01)
    says_what_to_do(await answer, "too_old", "/link/")
    assert set((await side.consents()).values()) == {"PENDING"}


@pytest.mark.parametrize("address", ["/link/agree", "/link/finish", "/link/manage/withdraw", "/link/manage/leave", "/link/manage/open"])
async def test_an_address_that_only_a_button_leads_to(side: Side, me: Person, address: str) -> None:
    await me.open(await side.link())
    answer = await me.get(address)
    says_what_to_do(answer, "method", "/link/")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_an_address_that_is_none(side: Side, me: Person) -> None:
    for address in ("/link/nowhere", "/link/problem/nothing", "/link/problem/<b>", "/link/s/a/b"):
        answer = await me.get(address)
        assert answer.status_code == 404
        says_what_to_do(answer, "not_found")


async def test_what_nobody_expected_is_a_page_too(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logged by the server, told without its words, and nothing is asked of what broke."""

    async def broken(*_: object) -> None:
        raise RuntimeError("a secret of the hub")

    monkeypatch.setattr(side.links, "view", broken)
    site = Starlette(routes=[Mount("/link", LinkPages(side.links, side.log).app())])
    transport = httpx.ASGITransport(site, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub", cookies={COOKIE: "x"}) as client:
        answer = await client.get("/link/")
        assert answer.status_code == 500 and "我们这边出了问题" in answer.text and "secret" not in answer.text
        assert faults(answer.text) == [] and answer.headers["content-security-policy"].startswith("default-src 'none'")


async def test_two_sessions_of_one_customer_show_what_each_asks_for(side: Side, me: Person) -> None:
    """A link keeps its sources: another one of the same customer and purpose does not show through."""
    first, second = await side.link((SourceKind.SHOP,)), await side.link((SourceKind.SETTLEMENT,))
    for url, mine, other in ((first, "店铺、订单和退款信息", "平台结算账单"), (second, "平台结算账单", "店铺、订单和退款信息")):
        page = await me.open(url)
        assert mine in page and other not in page
        assert len(consents_in(platform_form(page))) == 1
    foreign = (await side.rows("SELECT consent_id FROM consent WHERE customer_id = :customer AND source = 'SHOP'"))[0]["consent_id"]
    form = platform_form(page)
    assert (await me.post(form, [*form.hidden.items(), ("consent", str(foreign))])).status_code == 403


async def test_a_link_of_the_version_before_shows_all_of_its_purpose(side: Side, me: Person) -> None:
    url = await side.link()
    await side.world.do("UPDATE link_session SET sources = '{}' WHERE customer_id = :customer")
    assert len(consents_in(platform_form(await me.open(url)))) == 2


async def test_a_platform_is_authorised_for_what_was_agreed_to_here(side: Side, me: Person) -> None:
    """Another customer's, or this one's earlier connection, is no agreement to what is asked now."""
    await given(side, me, (SourceKind.SHOP,))
    page = await me.open(await side.link((SourceKind.SETTLEMENT,)))
    assert "未授权" in page and 'class="progress' not in page
    other = await new_customer(side.world.equipment, "110101199003070003")
    assert "未授权" in await me.open(await side.link((SourceKind.SHOP,), other))
