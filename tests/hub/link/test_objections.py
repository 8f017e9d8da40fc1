"""What was fetched, told by kinds, and what the customer objects to: on his own page, sealed, audited, due in twenty days, and once however often it is sent."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from hub.cli.browser import Form
from hub.domain.enums import DisputeState
from hub.domain.identifiers import new_id
from hub.link.pages import LONGEST_FORM
from hub.store.disputes import LONGEST, MOST_OPEN, resolve_dispute
from tests.hub.link.owning import tells
from tests.hub.link.side import Person, Side
from tests.hub.link.test_manage import form_to, given, managed, own
from tests.hub.link.test_manage_reach import merged_into

SAID = "这不是我的店铺\r\n请核实 <b>"
KEPT = "SELECT * FROM dispute WHERE customer_id = :customer ORDER BY dispute_id"


async def objects(me: Person, form: Form, kind: str = "Shop", statement: str = SAID, **other: str) -> int:
    fields = {**form.hidden, "kind": kind, "statement": statement, **other}
    answer = await me.post(form, [*fields.items()])
    assert answer.status_code == 403 or answer.headers["location"] == "/link/manage#objections"
    return answer.status_code


async def own_form(side: Side, me: Person) -> Form:
    return form_to(await own(side, me), "/link/manage/object")


async def test_an_objection_is_taken_once_sealed_and_shown_with_its_day(side: Side, me: Person) -> None:
    page = await own(side, me)
    assert '店铺</span> <span class="quiet">1 条</span>' in page and "您还没有提出异议" in page
    form = form_to(page, "/link/manage/object")
    assert [await objects(me, form) for _ in range(2)] == [303, 303]
    (row,) = await side.rows(KEPT)
    assert (row["kind"], row["about"], row["source_key"], row["state"]) == ("Shop", side.world.customer_id, None, "OPEN")
    assert row["raised_by"] == "customer" and str(row["due_on"]) == "2026-02-04" and "店铺".encode() not in row["statement"]
    page = (await me.get("/link/manage")).text
    assert "这不是我的店铺\n请核实 &lt;b&gt;" in page and "待答复" in page and "最迟2026年2月4日答复" in page
    english = (await me.get("/link/manage?lang=en")).text
    assert "waiting for an answer" in english and "to be answered by 4 February 2026" in english
    subject = f"customer:{side.world.customer_id}"
    (event,) = await side.rows(
        "SELECT actor, after FROM audit_event WHERE action = 'dispute.raise' AND subject = :subject", subject=subject
    )
    assert (event["actor"], event["after"]["kind"], SAID[:5] in str(event)) == ("customer", "Shop", False)
    assert form_to(page, "/link/manage/object").hidden["once"] != form.hidden["once"]


async def test_its_answer_is_shown_and_a_late_one_is_told(side: Side, me: Person) -> None:
    await objects(me, await own_form(side, me))
    side.world.time.turn(days=20)
    assert "已逾期" not in (await me.get("/link/manage")).text
    side.world.time.turn(days=1)
    assert "应于2026年2月4日前答复，已逾期" in (await me.get("/link/manage")).text
    (row,) = await side.rows(KEPT)
    vault, named = side.world.equipment.vault, (row["customer_id"], row["dispute_id"])
    async with side.world.database.work() as tx:
        became = (DisputeState.CORRECTED, "已删除该店铺")
        await resolve_dispute(tx, vault, named, became, actor="admin", now=side.world.time.now(), secrets=vault.keys)
    page = (await me.get("/link/manage")).text
    assert "已更正" in page and "已删除该店铺" in page and "2026年2月5日答复" in page and "已逾期" not in page


WRONG: tuple[dict[str, Any], ...] = (
    {"statement": " \r\n "}, {"statement": "字" * (LONGEST + 1)}, {"kind": ""}, {"kind": "Order"}, {"kind": "no kind"}, {"once": "x"}, {"once": "a" * 32},
    {"csrf": "0" * 64}, {"more": "x" * LONGEST_FORM},
)  # fmt: skip


async def test_what_does_not_fit_is_not_taken(side: Side, me: Person) -> None:
    form = await own_form(side, me)
    assert [await objects(me, form, **wrong) for wrong in WRONG] == [403] * len(WRONG) and await side.rows(KEPT) == []
    assert await objects(me, form, statement="字" * LONGEST) == 303, "control"


async def test_so_many_can_be_open(side: Side, me: Person) -> None:
    form = await own_form(side, me)
    await objects(me, form)
    more = """INSERT INTO dispute SELECT customer_id, gen_random_uuid(), kind, about, source_key, feature_id, state, statement, note, raised_at, raised_by, due_on, resolved_at, resolved_by
        FROM dispute, generate_series(2, :most) WHERE customer_id = :customer"""
    await side.world.do(more, most=MOST_OPEN)
    assert await objects(me, form, once=str(new_id())) == 403
    await side.world.do("UPDATE dispute SET state = 'KEPT' WHERE customer_id = :customer AND dispute_id = :one", one=form.hidden["once"])
    assert await objects(me, form, once=str(new_id())) == 303


async def test_what_apps_passed_on_keeps_nobody_from_objecting(side: Side, me: Person) -> None:
    form = await own_form(side, me)
    await objects(me, form)
    more = """INSERT INTO dispute SELECT customer_id, gen_random_uuid(), kind, about, source_key, feature_id, state, statement, note, raised_at, 'partner', due_on, resolved_at, resolved_by
        FROM dispute, generate_series(1, :most) WHERE customer_id = :customer"""
    await side.world.do(more, most=MOST_OPEN)
    assert await objects(me, form, once=str(new_id())) == 303


async def test_only_the_customer_himself_sees_and_objects(side: Side, me: Person) -> None:
    """A session that an app asked for is shown none of it, and its form is not taken."""
    await given(side, me)
    await tells(side, None)
    page = await managed(side, me)
    assert "/link/manage/object" not in page and 'id="held"' not in page
    form = form_to(page, "/link/manage/withdraw")
    fields = {**form.hidden, "kind": "Shop", "statement": SAID, "once": str(new_id())}
    assert (await me.post("/link/manage/object", [*fields.items()])).status_code == 403
    assert await side.rows(KEPT) == []


async def test_what_was_shown_is_on_the_access_log(side: Side, me: Person) -> None:
    await objects(me, await own_form(side, me))
    await me.get("/link/manage")
    rows = await side.rows(
        "SELECT client_id, operation, fields FROM access_log WHERE customer_id = :customer AND client_id = 'customer' ORDER BY log_id"
    )
    assert [row["operation"] for row in rows] == ["managePage", "objection", "managePage"]
    assert rows[1]["fields"] == ["Mutation.raiseDispute"] and {"Customer.shops", "Dispute.statement"} <= set(rows[2]["fields"])


async def test_each_part_that_has_such_facts_has_the_objection(side: Side, me: Person) -> None:
    form = await own_form(side, me)
    other = await merged_into(side, me, "partner")
    await objects(me, form)
    both = "SELECT customer_id, about FROM dispute WHERE customer_id IN (:customer, :other)"
    assert [tuple(row.values()) for row in await side.rows(both, other=other)] == [(side.world.customer_id,) * 2]
    async with side.world.database.work() as tx:
        copied = "INSERT INTO raw_page SELECT (jsonb_populate_record(p, jsonb_build_object('customer_id', CAST(:other AS text)))).* FROM raw_page p WHERE customer_id = :customer"
        await tx.execute(text(copied), {"customer": side.world.customer_id, "other": other})
        copied = copied.replace("raw_page", "fact_shop")
        await tx.execute(text(copied), {"customer": side.world.customer_id, "other": other})
    await objects(me, form, once=str(new_id()))
    assert len(await side.rows(both, other=other)) == 3
