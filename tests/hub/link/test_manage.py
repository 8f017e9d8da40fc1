"""The page where a customer sees what was given and who read it, and withdraws; and everybody who may not come in."""

from __future__ import annotations

import asyncio
import re
from uuid import UUID

import pytest

from hub.cli.browser import Form, forms_of
from hub.consent import grants
from hub.domain.enums import SourceKind
from hub.domain.identifiers import CustomerId, new_id
from hub.link.manage import ManageRequest, ManageService
from hub.link.pages import MANAGE_COOKIE
from hub.link.readings import PAGE
from tests.hub.link.owning import tells
from tests.hub.link.side import BOTH, RETURN, Person, Side, consents_in, person
from tests.hub.sync.world import GRANTEE, new_customer


async def manage_url(side: Side, customer_id: CustomerId | None = None) -> str:
    """What a partner gets from createManageSession."""
    request = ManageRequest("partner", customer_id or side.world.customer_id, "CREDIT_APPROVAL", RETURN)
    async with side.world.database.work() as tx:
        return side.links.url_of(await ManageService(side.links, side.log).create(tx, request))


async def managed(side: Side, me: Person, customer_id: CustomerId | None = None) -> str:
    """Opens a manage session and returns its page."""
    answer = await me.get(await manage_url(side, customer_id))
    assert (answer.status_code, answer.headers["location"]) == (303, "/link/manage")
    return (await me.get("/link/manage")).text


async def given(side: Side, me: Person, sources: tuple[SourceKind, ...] = BOTH, customer_id: CustomerId | None = None) -> None:
    page = await me.open(await side.link(sources, customer_id))
    await me.get(await me.to_platform_and_back(await me.agree(page)))


async def own(side: Side, me: Person) -> str:
    """The page as the customer himself reaches it: from the end of a link on which a platform let her in, which says that the account is hers."""
    await given(side, me)
    await tells(side, None)
    finish = form_to((await me.get("/link/")).text, "/link/finish")
    await me.post(finish, [*finish.hidden.items()])
    return await from_link(me)


async def from_link(me: Person) -> str:
    """Opens a manage session from the link of this browser, and returns its page."""
    form = form_to((await me.get("/link/")).text, "/link/manage/open")
    assert (await me.post(form, [*form.hidden.items()])).status_code == 303
    return (await me.get("/link/manage")).text


def form_to(page: str, action: str) -> Form:
    return next(form for form in forms_of(page) if form.action == action)


async def withdraw(me: Person, page: str, take: int | None = None) -> str:
    """One tick (or several) and one button; returns the page that confirms it."""
    form = form_to(page, "/link/manage/withdraw")
    answer = await me.post(form, [*form.hidden.items(), *consents_in(form)[:take]])
    assert answer.status_code == 303, answer.text
    return (await me.get(answer.headers["location"])).text


async def test_what_was_given_is_shown_and_withdrawn_with_one_tick_and_one_button(side: Side, me: Person) -> None:
    await given(side, me)
    page = await managed(side, me)
    form = form_to(page, "/link/manage/withdraw")
    assert len(consents_in(form)) == 2 and "checked" not in page
    for words in (GRANTEE, "授信审批", "电商贷", "店铺、订单和退款信息", "剧本平台", "2026年1月15日", "立即停止获取"):
        assert words in page
    told = await withdraw(me, page, take=1)
    assert "授权已撤回" in told and "还有其他有效授权" in told
    assert sorted((await side.consents()).values()) == ["ACTIVE", "REVOKED"]
    (event,) = await side.rows("SELECT actor, from_status FROM consent_event WHERE customer_id = :customer AND to_status = 'REVOKED'")
    assert (event["actor"], event["from_status"]) == ("customer", "ACTIVE")
    told = await withdraw(me, (await me.get("/link/manage")).text)
    assert "的授权随之终止" in told
    page = (await me.get("/link/manage")).text
    assert "目前没有有效的授权" in page and page.count("已撤回") == 2


async def test_a_withdrawal_that_is_sent_twice_is_one(side: Side, me: Person) -> None:
    await given(side, me)
    page = await managed(side, me)
    pages = [await withdraw(me, page) for _ in range(2)]
    assert pages[0] == pages[1]
    assert len(await side.rows("SELECT 1 FROM consent_event WHERE customer_id = :customer AND to_status = 'REVOKED'")) == 2


async def test_another_customers_consent_cannot_be_withdrawn(side: Side, me: Person) -> None:
    other = await new_customer(side.world.equipment, "110101199003070003")
    async with person(side) as another:
        await given(side, another, customer_id=other)
    await given(side, me)
    form = form_to(await managed(side, me), "/link/manage/withdraw")
    (foreign, *_) = await side.rows("SELECT consent_id FROM consent WHERE customer_id = :other", other=other)
    for wrong in (str(foreign["consent_id"]), str(new_id()), "x", ""):
        answer = await me.post(form, [*form.hidden.items(), form.boxes[0], ("consent", wrong)])
        assert answer.status_code == 403
    assert (await me.post(form, [*form.hidden.items()])).status_code == 403
    both = "SELECT status FROM consent WHERE customer_id IN (:customer, :other)"
    assert {row["status"] for row in await side.rows(both, other=other)} == {"ACTIVE"}
    told = (await me.get(f"/link/manage/withdrawn?consent={foreign['consent_id']}")).text
    assert "这里没有已撤回的授权" in told


@pytest.mark.parametrize("csrf", [None, "", "0" * 64])
@pytest.mark.parametrize("action", ["/link/manage/withdraw", "/link/manage/leave", "/link/manage/open"])
async def test_a_form_from_elsewhere_is_refused(side: Side, me: Person, action: str, csrf: str | None) -> None:
    await given(side, me)
    boxes = form_to(await managed(side, me), "/link/manage/withdraw").boxes
    token = [] if csrf is None else [("csrf", csrf)]
    assert (await me.post(action, [*token, *boxes])).status_code == 403
    assert set((await side.consents()).values()) == {"ACTIVE"}
    assert len(await side.rows("SELECT 1 FROM link_session WHERE customer_id = :customer AND kind = 'MANAGE' AND status = 'OPEN'")) == 1


async def test_a_session_opens_in_one_browser_only(side: Side, me: Person) -> None:
    url = await manage_url(side)
    await me.get(url)
    async with person(side) as another:
        assert (await another.get(url)).status_code == 403
        assert (await another.get("/link/manage")).status_code == 403
        another.client.cookies.set(MANAGE_COOKIE, "guessed", path="/link")
        assert (await another.get("/link/manage")).status_code == 403
    assert (await me.get(url)).status_code == 303, "its own browser may open it again"


async def test_a_session_is_short(side: Side, me: Person) -> None:
    url = await manage_url(side)
    (row,) = await side.rows("SELECT expires_at - now() AS rest FROM link_session WHERE customer_id = :customer")
    assert 1190 < row["rest"].total_seconds() <= 1200
    await me.get(url)
    await side.world.do("UPDATE link_session SET expires_at = now() WHERE customer_id = :customer")
    for path in (url, "/link/manage"):
        assert (await me.get(path)).status_code == 403
    assert f"{RETURN}&amp;link=" in (await me.get("/link/manage")).text, "the way back to the app"


async def test_a_link_is_no_manage_session_and_the_other_way_round(side: Side, me: Person) -> None:
    await me.open(await side.link())
    assert (await me.get("/link/manage")).status_code == 403
    link = me.client.cookies["link_browser"]
    me.client.cookies.set(MANAGE_COOKIE, link, path="/link")
    assert (await me.get("/link/manage")).status_code == 403, "nor by the other cookie's name"
    async with person(side) as another:
        await managed(side, another)
        assert (await another.get("/link/")).status_code == 403


async def test_every_link_offers_it(side: Side, me: Person) -> None:
    """As soon as something was given, and also after its end; without any partner."""
    assert "/link/manage/open" not in await me.open(await side.link())
    page = await me.open(await side.link())
    await me.get(await me.to_platform_and_back(await me.agree(page)))
    finish = form_to((await me.get("/link/")).text, "/link/finish")
    for _ in range(2):
        form = form_to((await me.get("/link/")).text, "/link/manage/open")
        opened = await me.post(form, [*form.hidden.items()])
        assert (opened.status_code, opened.headers["location"]) == (303, "/link/manage")
        assert form_to((await me.get("/link/manage")).text, "/link/manage/withdraw").boxes
        await me.post(finish, [*finish.hidden.items()])


async def test_a_finished_link_offers_it_for_a_quarter_of_an_hour(side: Side, me: Person) -> None:
    await given(side, me)
    finish = form_to((await me.get("/link/")).text, "/link/finish")
    await me.post(finish, [*finish.hidden.items()])
    (row,) = await side.rows("SELECT status, expires_at - now() AS rest FROM link_session WHERE customer_id = :customer")
    assert row["status"] == "DONE" and row["rest"].total_seconds() <= 900
    form = form_to((await me.get("/link/")).text, "/link/manage/open")
    await side.world.do("UPDATE link_session SET expires_at = now() WHERE customer_id = :customer")
    assert (await me.post(form, [*form.hidden.items()])).status_code == 403


async def test_leaving_ends_the_session(side: Side, me: Person) -> None:
    form = form_to(await managed(side, me), "/link/manage/leave")
    for _ in range(2):
        left = await me.post(form, [*form.hidden.items()])
        assert left.headers["location"].startswith(RETURN) and left.headers["location"].endswith("&status=closed")
    assert (await me.get("/link/manage")).status_code == 403


async def logged(
    side: Side,
    customer_id: UUID,
    operation: str,
    *fields: str,
    outcome: str = "ANSWERED",
    purpose: str = "CREDIT_APPROVAL",
    client: str = "risk-desk",
) -> None:
    await side.world.do(
        "INSERT INTO access_log (customer_id, log_id, client_id, purpose, operation, document_sha256, fields, outcome, at)"
        " VALUES (:who, :id, :client, :purpose, :operation, 'x', CAST(:fields AS text[]), :outcome, now())",
        who=customer_id, id=new_id(), operation=operation, fields=list(fields), outcome=outcome, purpose=purpose, client=client,
    )  # fmt: skip


async def test_who_read_what_is_told_in_words(side: Side, me: Person) -> None:
    me_id = side.world.customer_id
    await logged(
        side,
        me_id,
        "Look",
        "Query.customer",
        "Customer.id",
        "Customer.nameMasked",
        "Customer.taxReturns",
        "TaxReturn.declaredRevenue",
        "TaxReturn.filedOn",
        purpose="POST_LOAN",
    )
    await logged(side, me_id, "Odd", "Novelty.value", outcome="DENIED")
    page = await own(side, me)
    for words in (
        "risk-desk",
        "贷后管理",
        "客户名称和类型（脱敏）",
        "纳税申报（申报收入、申报或立案日期）",
        "已拒绝",
        "<code>Novelty.value</code>",
        "Look",
    ):
        assert words in page
    english = (await me.get("/link/manage?lang=en")).text
    for words in ("post-loan management", "tax return (declared revenue, filed on)", "refused"):
        assert words in english


async def test_a_log_is_shown_a_screen_at_a_time_and_of_this_customer_only(side: Side, me: Person) -> None:
    other = await new_customer(side.world.equipment, "110101199003070003")
    await logged(side, other, "Theirs", "Customer.nameMasked", client="partner")
    for number in range(2 * PAGE + 1):
        await logged(side, side.world.customer_id, f"Mine{number:02}", "Customer.nameMasked", client="partner")
        await asyncio.sleep(0.002)  # Ids of one millisecond have no order.
    page, seen = await managed(side, me), []
    while True:
        seen += re.findall(r"Mine\d\d|Theirs", page)
        older = re.search(r'href="(/link/manage\?before=[^"#]+)#log"', page)
        if older is None:
            break
        page = (await me.get(older[1])).text
    assert seen == [f"Mine{number:02}" for number in reversed(range(2 * PAGE + 1))]
    for odd in ("x", "%00", str(UUID(int=0))):
        assert (await me.get(f"/link/manage?before={odd}")).status_code == 200


async def test_a_consent_that_the_customer_did_not_give_is_not_shown(side: Side, me: Person) -> None:
    await me.open(await side.link())
    assert "目前没有有效的授权" in await managed(side, me)


async def test_a_withdrawal_here_is_the_withdrawal(side: Side, me: Person) -> None:
    """What is withdrawn here is what the gates know of."""
    await given(side, me)
    await withdraw(me, await managed(side, me))
    async with side.world.database.work() as tx:
        rows = await grants.consents_of(tx, side.world.customer_id)
    assert {grants.as_given(row).status for row in rows} == {"REVOKED"}
