"""How far the customer's page reaches: a session that may stand before a partner's eyes, one that is the customer's own, customers that were merged; and
what the access log keeps of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest
from sqlalchemy import insert, text

from hub.cli.browser import Form
from hub.consent import grants
from hub.domain.identifiers import CustomerId
from hub.store import tables
from tests.hub.link.owning import STRANGER, in_role, tells
from tests.hub.link.side import Person, Side, consents_in, person
from tests.hub.link.test_manage import form_to, from_link, given, logged, managed, own, withdraw
from tests.hub.sync.platform import raw
from tests.hub.sync.world import NOW, new_customer

OTHERS = "UPDATE consent SET purpose = 'POST_LOAN' WHERE customer_id = :customer AND source = 'SETTLEMENT' AND status = 'ACTIVE'"
"""One of the two consents was given for another purpose than the link's and the session's."""
PURPOSES = "SELECT purpose, status FROM consent WHERE customer_id = :customer ORDER BY purpose"


def boxes(page: str) -> list[str]:
    return [value for _, value in consents_in(form_to(page, "/link/manage/withdraw"))]


async def finish(me: Person) -> None:
    form = form_to((await me.get("/link/")).text, "/link/finish")
    assert (await me.post(form, [*form.hidden.items()])).status_code == 303


async def refused(me: Person, form: Form, consent_id: str) -> bool:
    answer = await me.post(form, [*form.hidden.items(), ("consent", consent_id)])
    return answer.status_code == 403


async def test_a_partners_session_shows_and_withdraws_what_is_for_its_purpose(side: Side, me: Person) -> None:
    await given(side, me)
    await side.world.do(OTHERS)
    page = await managed(side, me)
    (mine,) = boxes(page)
    (foreign,) = await side.rows("SELECT consent_id FROM consent WHERE customer_id = :customer AND purpose = 'POST_LOAN'")
    assert "为什么本页没有显示全部授权" in page and "贷后管理" not in page
    assert await refused(me, form_to(page, "/link/manage/withdraw"), str(foreign["consent_id"]))
    assert [tuple(row.values()) for row in await side.rows(PURPOSES)] == [("CREDIT_APPROVAL", "ACTIVE"), ("POST_LOAN", "ACTIVE")]
    await withdraw(me, page)
    assert [tuple(row.values()) for row in await side.rows(PURPOSES)] == [("CREDIT_APPROVAL", "REVOKED"), ("POST_LOAN", "ACTIVE")]
    told = (await me.get(f"/link/manage/withdrawn?consent={foreign['consent_id']}&consent={mine}")).text
    assert "授权已撤回" in told


async def test_a_partners_session_shows_its_own_look_ups_alone(side: Side, me: Person) -> None:
    who = side.world.customer_id
    await logged(side, who, "SamePurpose", "Customer.nameMasked")
    await logged(side, who, "OtherPurpose", "Customer.nameMasked", purpose="POST_LOAN")
    page = await managed(side, me)
    assert "SamePurpose" not in page and "OtherPurpose" not in page and "risk-desk" not in page
    await side.world.do("UPDATE link_session SET client_id = 'risk-desk' WHERE customer_id = :customer")
    page = (await me.get("/link/manage")).text
    assert "OtherPurpose" in page and "SamePurpose" in page, "its own"


async def test_an_inside_session_shows_others_look_ups_for_its_purpose(side: Side, me: Person) -> None:
    who = side.world.customer_id
    await logged(side, who, "SamePurpose", "Customer.nameMasked")
    await logged(side, who, "OtherPurpose", "Customer.nameMasked", purpose="POST_LOAN")
    async with audience(side, "INTERNAL"):
        page = await managed(side, me)
    assert "SamePurpose" in page and "OtherPurpose" not in page


@asynccontextmanager
async def audience(side: Side, of_partner: str) -> AsyncIterator[None]:
    """The client of the tests' links, registered for once."""
    client = {
        "client_id": "partner",
        "name": "Partner",
        "audience": of_partner,
        "scopes": [],
        "jwks": {},
        "purposes": ["CREDIT_APPROVAL"],
        "created_at": NOW,
    }
    async with side.world.database.work() as tx:
        await tx.execute(insert(tables.client), client)
    try:
        yield
    finally:
        await side.world.do("DELETE FROM client WHERE client_id = 'partner'")


TO_OTHERS = "UPDATE consent SET apps = ARRAY['another-app'] WHERE customer_id = :customer AND source = 'SETTLEMENT'"


async def test_a_partners_session_does_not_tell_of_what_was_handed_to_others_alone(side: Side, me: Person) -> None:
    """Control: the institution's own session tells of it."""
    await given(side, me)
    async with side.world.database.work() as tx:
        (row,) = [one for one in await grants.consents_of(tx, side.world.customer_id) if one["source"] == "SETTLEMENT"]
        await tx.execute(text("UPDATE consent_app SET client_id = 'another-app' WHERE consent_id = :one"), {"one": row["consent_id"]})
    await side.world.do(TO_OTHERS)
    page = await managed(side, me)
    (mine,) = boxes(page)
    form = form_to(page, "/link/manage/withdraw")
    assert mine != str(row["consent_id"]) and "another-app" not in page and await refused(me, form, str(row["consent_id"]))
    for foreign in (f"{row['consent_id']} another-app", f"{mine} another-app"):
        assert (await me.post(form, [*form.hidden.items(), ("app", foreign)])).status_code == 403
    told = (await me.get(f"/link/manage/withdrawn?consent={row['consent_id']}&app={row['consent_id']}+another-app")).text
    assert "这里没有已撤回的授权" in told
    async with audience(side, "INTERNAL"):
        page = await managed(side, me)
        assert len(boxes(page)) == 2 and "another-app" in page
    async with audience(side, "PARTNER"):
        assert len(boxes((await me.get("/link/manage")).text)) == 1, "an app by its row, too"


async def test_what_an_app_has_just_lost_is_told_and_gone(side: Side, me: Person) -> None:
    await given(side, me)
    page = await managed(side, me)
    form = form_to(page, "/link/manage/withdraw")
    (taken, *_) = [value for name, value in form.boxes if name == "app"]
    answer = await me.post(form, [*form.hidden.items(), ("app", taken)])
    assert "您对试验银行的授权保持不变" in (await me.get(answer.headers["location"])).text
    page = (await me.get("/link/manage")).text
    assert len(boxes(page)) == 1 and taken not in page
    assert await refused(me, form_to(page, "/link/manage/withdraw"), taken.split()[0])


async def test_what_was_given_on_a_link_is_withdrawn_on_it_whoever_may_have_it(side: Side, me: Person) -> None:
    """The browser that gave it knows of it, though no app was named and nobody has told whose the account is."""
    page = await me.open(await side.link())
    await me.get(await me.to_platform_and_back(await me.agree(page, take=2)))
    await finish(me)
    page = await from_link(me)
    assert len(boxes(page)) == 2 and "平台尚未告知您登录的账户属于谁" in page
    async with person(side) as another:
        assert boxes_or_none(await managed(side, another)) == [], "control: not in a session that the app asked for"
    await withdraw(me, page)
    assert {row["status"] for row in await side.rows(PURPOSES)} == {"REVOKED"}


def boxes_or_none(page: str) -> list[str]:
    return boxes(page) if "/link/manage/withdraw" in page else []


async def test_the_customer_himself_sees_and_withdraws_everything(side: Side, me: Person) -> None:
    await logged(side, side.world.customer_id, "OtherPurpose", "Customer.nameMasked", purpose="POST_LOAN")
    page = await own(side, me)
    await side.world.do(OTHERS)
    page = (await me.get("/link/manage")).text
    assert len(boxes(page)) == 2 and "OtherPurpose" in page and "为什么本页没有显示全部授权" not in page
    await withdraw(me, page)
    assert {row["status"] for row in await side.rows(PURPOSES)} == {"REVOKED"}


BOUND = "为什么本页没有显示全部授权"


async def logged_in(side: Side, me: Person) -> str:
    """A finished link on which a platform let the browser in; one of the two consents was given for another purpose. The page, before anything is fetched."""
    await given(side, me)
    await finish(me)
    page = await from_link(me)
    await side.world.do(OTHERS)
    return page


async def shown(me: Person) -> tuple[int, bool]:
    """How many consents, and whether the page is bound."""
    page = (await me.get("/link/manage")).text
    return len(boxes_or_none(page)), BOUND in page


async def test_whose_the_account_is_must_be_told_first(side: Side, me: Person) -> None:
    """While the first sync runs the page is bound; then a look shows all. What was shown stays so, though the consent that told it is withdrawn."""
    page = await logged_in(side, me)
    assert "平台尚未告知您登录的账户属于谁" in page and "重新查看" in page and await shown(me) == (1, True)
    assert [row["own_at"] for row in await side.rows(SESSIONS)] == [None]
    await tells(side, None)
    assert await shown(me) == (2, False)
    assert None not in [row["own_at"] for row in await side.rows(SESSIONS)]
    await withdraw(me, (await me.get("/link/manage")).text)
    assert await shown(me) == (0, False) and {row["status"] for row in await side.rows(PURPOSES)} == {"REVOKED"}
    await side.world.do("UPDATE link_session SET own_at = NULL WHERE customer_id = :customer")
    assert (await shown(me))[1], "control: it is the mark that keeps it"


SESSIONS = "SELECT own_at FROM link_session WHERE customer_id = :customer AND kind = 'MANAGE'"


async def test_a_strangers_account_shows_nothing_more(side: Side, me: Person) -> None:
    await logged_in(side, me)
    await tells(side, STRANGER)
    assert await shown(me) == (1, True) and "不属于该客户" in (await me.get("/link/manage")).text
    await tells(side, None)
    assert await shown(me) == (1, True), "one stranger is enough"


async def test_a_stranger_who_comes_to_light_later_closes_it(side: Side, me: Person) -> None:
    await logged_in(side, me)
    await tells(side, None)
    assert await shown(me) == (2, False)
    await tells(side, STRANGER)
    assert await shown(me) == (1, True)


async def test_who_acts_for_the_customer_is_the_customer(side: Side, me: Person) -> None:
    await logged_in(side, me)
    await in_role(side, "SPOUSE", "somebody")
    await tells(side, "somebody")
    change = "UPDATE party SET role = :role WHERE customer_id = :customer AND id_hash = 'somebody'"
    for role, acts in (("GUARANTOR", False), ("CONTROLLER", False), ("SPOUSE", False), ("LEGAL_REP", True), ("OPERATOR", True)):
        await side.world.do("UPDATE link_session SET own_at = NULL WHERE customer_id = :customer")
        await side.world.do(change, role=role)
        assert await shown(me) == ((2, False) if acts else (1, True)), role
        assert "不属于该客户" not in (await me.get("/link/manage")).text, "nor is it a stranger's"


async def test_whom_an_app_added_is_not_the_customer(side: Side, me: Person) -> None:
    """Else an app ends the operator's role, gives it to somebody of its own, and logs in with his account. Control: the institution may say so."""
    await logged_in(side, me)
    await in_role(side, "OPERATOR", "somebody", added_by="partner")
    await tells(side, "somebody")
    for of_whom, acts in (("PARTNER", False), ("INTERNAL", True)):
        async with audience(side, of_whom):
            assert await shown(me) == ((2, False) if acts else (1, True)), of_whom
            assert "不属于该客户" not in (await me.get("/link/manage")).text, "nor is it a stranger's"


async def test_what_was_fetched_before_the_login_does_not_tell_who_logged_in(side: Side, me: Person) -> None:
    """Somebody else may log in where the customer's account was connected before: its facts are the customer's still."""
    await logged_in(side, me)
    await tells(side, None, before=True)
    assert await shown(me) == (1, True)
    await side.world.do("UPDATE connection SET holder_epoch = -1 WHERE customer_id = :customer")
    assert await shown(me) == (2, False), "control: but for the epoch it would"


async def test_a_later_login_on_another_link_tells_nothing_of_this_one(side: Side, me: Person) -> None:
    """The connection rests on the other login now."""
    await logged_in(side, me)
    await side.world.do("UPDATE connection SET status = 'REAUTHORISE' WHERE customer_id = :customer")
    async with person(side) as another:
        await given(side, another)
        await tells(side, None)
        assert (await shown(me))[1]
        await finish(another)
        await from_link(another)
        assert not (await shown(another))[1], "control"


@pytest.mark.parametrize(("again", "own"), [("the same", True), ("another", False), (None, False)])
async def test_the_same_account_again_is_known_by_what_was_fetched_before(side: Side, me: Person, again: str | None, own: bool) -> None:
    for account in ("the same", again):
        said = {"access_token": "t", "token_type": "Bearer", "expires_in": 3600, **({"subject": account} if account else {})}
        side.world.platform.says("/oauth2/token", raw(json.dumps(said)))
        await side.world.do("UPDATE connection SET status = 'REAUTHORISE' WHERE customer_id = :customer")
        await given(side, me)
        if account == "the same" and not await side.rows("SELECT 1 FROM fact_shop WHERE customer_id = :customer"):
            await tells(side, None)
    await finish(me)
    await from_link(me)
    assert (await shown(me))[1] is not own


async def test_a_register_does_not_tell_who_looked_into_it(side: Side, me: Person) -> None:
    """Anybody who logs in at a register finds the customer's business there."""
    await logged_in(side, me)
    code = "92350100M000100Y4X"
    await side.world.do("UPDATE customer SET uscc = :code WHERE customer_id = :customer", code=code)
    await side.world.do(
        "UPDATE consent SET source = 'REGISTRATION', kinds = NULL, purpose = 'CREDIT_APPROVAL' WHERE customer_id = :customer AND source = 'SHOP'"
    )
    await tells(side, None, kind="BusinessRegistration", source="REGISTRATION", uscc=code)
    assert (await shown(me))[1]


async def test_that_it_was_looked_at_is_logged(side: Side, me: Person) -> None:
    await logged_in(side, me)
    (look,) = await side.rows(LOOKS)
    assert look["client_id"] == "partner" and "PlatformConnection.owner" in look["fields"]


@pytest.mark.parametrize("how", ["still open", "never at a platform", "refused there"])
async def test_a_link_that_anybody_could_have_walked_is_no_proof(side: Side, me: Person, how: str) -> None:
    """A partner can open its own link, tick, finish it, and come back with an answer of its own making."""
    await given(side, me)
    if how != "still open":
        await side.world.do("UPDATE link_session SET sources = ARRAY['SHOP'] WHERE customer_id = :customer")
        page = await me.open(await side.link())
        if how == "refused there":
            await side.world.do("UPDATE consent SET status = 'PENDING' WHERE customer_id = :customer")
            callback = await me.to_platform_and_back(await me.agree((await me.get("/link/")).text))
            await me.get(callback.replace("code=", "error=access_denied&was="))
        else:
            assert page
        await finish(me)
    await side.world.do(OTHERS)
    assert "为什么本页没有显示全部授权" in await from_link(me)


async def merged_into(side: Side, me: Person, client: str) -> CustomerId:
    """Another customer of the same consents, which ``client`` sees, merged into the one that is asked for."""
    other = await new_customer(side.world.equipment, "110101199003070003")
    await given(side, me, customer_id=other)
    await side.world.do("INSERT INTO customer_client (customer_id, client_id) VALUES (:other, :client)", other=other, client=client)
    merge = "INSERT INTO customer_merge (customer_id, into_id, merged_at) VALUES (:other, :customer, now())"
    await side.world.do(merge, other=other)
    await logged(side, other, "OfTheOther", "Customer.nameMasked", client="partner")
    return other


async def test_all_parts_that_its_client_sees_are_shown_and_withdrawn(side: Side, me: Person) -> None:
    await given(side, me)
    other = await merged_into(side, me, "partner")
    page = await managed(side, me)
    assert len(boxes(page)) == 4 and "OfTheOther" in page
    await withdraw(me, page)
    both = "SELECT status FROM consent WHERE customer_id IN (:customer, :other)"
    assert [row["status"] for row in await side.rows(both, other=other)] == ["REVOKED"] * 4


async def test_a_part_that_its_client_does_not_see_is_not_there(side: Side, me: Person) -> None:
    await given(side, me)
    other = await merged_into(side, me, "somebody-else")
    page = await managed(side, me)
    assert len(boxes(page)) == 2 and "OfTheOther" not in page
    (foreign, _) = await side.rows("SELECT consent_id FROM consent WHERE customer_id = :other", other=other)
    assert await refused(me, form_to(page, "/link/manage/withdraw"), str(foreign["consent_id"]))


LOOKS = "SELECT client_id, purpose, operation, fields FROM access_log WHERE customer_id = :customer AND operation IN ('managePage', 'withdrawnPage') ORDER BY log_id"


async def test_each_look_is_on_the_access_log(side: Side, me: Person) -> None:
    await given(side, me)
    other = await merged_into(side, me, "partner")
    await withdraw(me, await managed(side, me))
    shown = ("Consent.status", "Consent.apps", "AccessRecord.fields")
    wanted = [("partner", "CREDIT_APPROVAL", "managePage", shown), ("partner", "CREDIT_APPROVAL", "withdrawnPage", shown[:2])]
    for part in (side.world.customer_id, other):
        found = await side.rows(LOOKS.replace(":customer", ":part"), part=part)
        assert [(*list(row.values())[:3], tuple(row["fields"])) for row in found] == wanted
    page = (await me.get("/link/manage")).text
    assert "managePage" in page and "<code>" not in page, "and told in words"


LINK_LOOKS = "SELECT client_id, purpose, fields FROM access_log WHERE customer_id = :customer AND operation = 'linkPage'"


async def test_each_look_at_a_link_is_on_the_access_log(side: Side, me: Person) -> None:
    """It shows the masked name, and what is consented to. What cannot be logged is not shown."""
    page = await me.open(await side.link())
    assert "/link/agree" in page
    (look,) = await side.rows(LINK_LOOKS)
    assert (look["client_id"], look["purpose"], look["fields"]) == ("partner", "CREDIT_APPROVAL", ["Customer.nameMasked", "Consent.status"])
    with psycopg.connect(side.world.database.urls.owner.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("ALTER TABLE access_log ADD CONSTRAINT no_link CHECK (operation <> 'linkPage') NOT VALID")
        try:
            answer = await me.get("/link/")
        finally:
            owner.execute("ALTER TABLE access_log DROP CONSTRAINT no_link")
    assert answer.status_code == 500 and "/link/agree" not in answer.text


async def test_the_customers_own_look_is_told_as_his(side: Side, me: Person) -> None:
    await own(side, me)
    assert [row["client_id"] for row in await side.rows(LOOKS)] == ["customer"]


async def test_what_cannot_be_logged_is_not_shown(side: Side, me: Person) -> None:
    await given(side, me)
    await managed(side, me)
    with psycopg.connect(side.world.database.urls.owner.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("ALTER TABLE access_log ADD CONSTRAINT no_page CHECK (operation <> 'managePage') NOT VALID")
        try:
            answer = await me.get("/link/manage")
        finally:
            owner.execute("ALTER TABLE access_log DROP CONSTRAINT no_page")
    assert answer.status_code == 500 and "/link/manage/withdraw" not in answer.text
