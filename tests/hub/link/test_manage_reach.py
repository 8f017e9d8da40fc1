"""How far the customer's page reaches: a session that may stand before a partner's eyes, one that is the customer's own, customers that were merged; and
what the access log keeps of it."""

from __future__ import annotations

import psycopg
import pytest

from hub.cli.browser import Form
from hub.domain.identifiers import CustomerId
from tests.hub.link.side import Person, Side, consents_in
from tests.hub.link.test_manage import form_to, from_link, given, logged, managed, own, withdraw
from tests.hub.sync.world import new_customer

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
    assert "其他用途的授权不在本页" in page and "贷后管理" not in page
    assert await refused(me, form_to(page, "/link/manage/withdraw"), str(foreign["consent_id"]))
    assert [tuple(row.values()) for row in await side.rows(PURPOSES)] == [("CREDIT_APPROVAL", "ACTIVE"), ("POST_LOAN", "ACTIVE")]
    await withdraw(me, page)
    assert [tuple(row.values()) for row in await side.rows(PURPOSES)] == [("CREDIT_APPROVAL", "REVOKED"), ("POST_LOAN", "ACTIVE")]
    told = (await me.get(f"/link/manage/withdrawn?consent={foreign['consent_id']}&consent={mine}")).text
    assert "授权已撤回" in told


async def test_a_partners_session_shows_others_look_ups_for_its_purpose_alone(side: Side, me: Person) -> None:
    who = side.world.customer_id
    await logged(side, who, "SamePurpose", "Customer.nameMasked")
    await logged(side, who, "OtherPurpose", "Customer.nameMasked", purpose="POST_LOAN")
    page = await managed(side, me)
    assert "SamePurpose" in page and "OtherPurpose" not in page
    await side.world.do("UPDATE link_session SET client_id = 'risk-desk' WHERE customer_id = :customer")
    assert "OtherPurpose" in (await me.get("/link/manage")).text, "its own"


async def test_the_customer_himself_sees_and_withdraws_everything(side: Side, me: Person) -> None:
    await logged(side, side.world.customer_id, "OtherPurpose", "Customer.nameMasked", purpose="POST_LOAN")
    page = await own(side, me)
    await side.world.do(OTHERS)
    page = (await me.get("/link/manage")).text
    assert len(boxes(page)) == 2 and "OtherPurpose" in page and "其他用途的授权不在本页" not in page
    await withdraw(me, page)
    assert {row["status"] for row in await side.rows(PURPOSES)} == {"REVOKED"}


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
    assert "其他用途的授权不在本页" in await from_link(me)


async def merged_into(side: Side, me: Person, client: str) -> CustomerId:
    """Another customer of the same consents, which ``client`` sees, merged into the one that is asked for."""
    other = await new_customer(side.world.equipment, "110101199003070003")
    await given(side, me, customer_id=other)
    await side.world.do("INSERT INTO customer_client (customer_id, client_id) VALUES (:other, :client)", other=other, client=client)
    merge = "INSERT INTO customer_merge (customer_id, into_id, merged_at) VALUES (:other, :customer, now())"
    await side.world.do(merge, other=other)
    await logged(side, other, "OfTheOther", "Customer.nameMasked")
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
