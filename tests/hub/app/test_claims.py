"""Nobody occupies a code: what one client says of a business binds, and shows, nobody else."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, text

from hub.domain.enums import CustomerCategory
from hub.domain.identifiers import CustomerId
from hub.errors import InvalidInput
from hub.store.erasure import erase_customer
from schema import services as contract
from tests.hub.app.conftest import PERSON, SHOP, Desk
from tests.hub.app.test_services import sees

OTHER = contract.PersonInput("沈知秋", "339998199003071235", None)
FALSE = replace(SHOP, person=OTHER)
NEW = contract.CreateCustomer("ORG", "宁波晚屋茶器店", "92330110MA2XXX028W", OTHER)
"""Of a business nobody has named; everything else as in FALSE."""


async def make(desk: Desk, client: str, asked: contract.CreateCustomer) -> str:
    return await desk.services.identity.create_customer(desk.call(client), asked)


@asynccontextmanager
async def statements(desk: Desk) -> AsyncIterator[list[str]]:
    """What is asked of the database meanwhile, by the hub's own role."""
    seen: list[str] = []
    engine = desk.runtime.database.worker.sync_engine

    def notice(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", notice)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", notice)


async def test_false_data_keep_nobody_out(desk: Desk) -> None:
    """The squatter comes first, the one who knows comes second: each has a customer of his own, and the institution sees both."""
    squatted = await make(desk, "partner-app", FALSE)
    true = await make(desk, "other-app", SHOP)
    assert squatted != true
    assert (await sees(desk, "partner-app"), await sees(desk, "other-app")) == ([squatted], [true])
    assert sorted(await sees(desk, "risk-desk")) == sorted([squatted, true])
    assert await make(desk, "partner-app", FALSE) == squatted and await make(desk, "other-app", SHOP) == true


@pytest.mark.parametrize(
    "claimed",
    [FALSE, replace(SHOP, person=replace(PERSON, name="沈知秋")), replace(SHOP, name="宁波早屋茶器店")],
    ids=["another person", "another name of the person", "another name of the business"],
)
async def test_who_does_not_know_everything_sees_nothing_of_it(desk: Desk, claimed: contract.CreateCustomer) -> None:
    true = await make(desk, "other-app", SHOP)
    mine = await make(desk, "partner-app", claimed)
    assert mine != true and await sees(desk, "partner-app") == [mine]
    assert await sees(desk, "other-app") == [true]


async def test_no_answer_and_no_statement_tells_that_a_customer_exists(desk: Desk) -> None:
    """A false claim takes the same steps whether or not another client has the business. Control: a true claim takes others."""
    await make(desk, "other-app", SHOP)
    async with statements(desk) as of_known:
        await make(desk, "partner-app", FALSE)
    async with statements(desk) as of_new:
        await make(desk, "partner-app", NEW)
    assert of_known == of_new and len(of_new) > 8
    async with statements(desk) as of_true:
        await make(desk, "partner-app", SHOP)
    assert of_true != of_new, "control: the comparison notices another path"


async def test_both_take_as_long(desk: Desk) -> None:
    """Printed, and compared loosely: what the statements say is the proof."""
    await make(desk, "other-app", SHOP)
    seconds: dict[str, list[float]] = {"known": [], "new": []}
    for number in range(12):
        for kind, asked in (("known", FALSE), ("new", NEW)):
            person = replace(OTHER, name=f"沈知秋{number}")
            began = time.perf_counter()
            await make(desk, "partner-app", replace(asked, person=person))
            seconds[kind].append(time.perf_counter() - began)
    known, new = (statistics.median(found) for found in seconds.values())
    print(f"median of 12: {known * 1000:.1f} ms where the business is known, {new * 1000:.1f} ms where it is not")
    assert 1 / 3 < known / new < 3


async def test_one_who_claims_the_same_at_the_same_time_gets_the_same(desk: Desk) -> None:
    clients = ["partner-app", "other-app"] * 5
    made = await asyncio.gather(*(make(desk, client, SHOP) for client in clients))
    assert len(set(made)) == 1
    assert await sees(desk, "partner-app") == await sees(desk, "other-app") == [made[0]]


async def test_a_name_is_the_same_in_either_width(desk: Desk) -> None:
    one = await make(desk, "partner-app", replace(SHOP, name="宁波晚屋（茶器）店"))
    assert await make(desk, "other-app", replace(SHOP, name=" 宁波晚屋(茶器)店 ")) == one
    assert await make(desk, "other-app", replace(SHOP, name="宁波晚屋(茶器)店", uscc=SHOP.uscc and SHOP.uscc.lower())) == one


async def test_a_customer_of_before_is_found_by_its_claim(desk: Desk) -> None:
    """Made by a version that kept no claim: it gets its own when its subject is named, and a false one does not reach it."""
    old = await make(desk, "other-app", SHOP)
    async with desk.runtime.database.work() as tx:
        await tx.execute(text("UPDATE customer SET claim_hash = NULL"))
    false = await make(desk, "partner-app", FALSE)
    assert false != old and await sees(desk, "partner-app") == [false]
    async with desk.runtime.database.work() as tx:
        kept = {row.customer_id: row.claim_hash for row in await tx.execute(text("SELECT customer_id, claim_hash FROM customer"))}
    assert None not in kept.values() and set(kept) == {UUID(old), UUID(false)}
    assert await make(desk, "partner-app", SHOP) == old


async def test_an_erased_customer_is_made_anew(desk: Desk) -> None:
    old, runtime = await make(desk, "other-app", SHOP), desk.runtime
    async with runtime.database.work() as tx:
        await erase_customer(tx, runtime.vault, runtime.clock, CustomerId(UUID(old)), "test")
    new = await make(desk, "other-app", SHOP)
    assert new != old and await sees(desk, "other-app") == [new]


async def test_what_a_customer_is(desk: Desk) -> None:
    """By kind and code, unless it is said; and what cannot be is refused."""
    farmer = contract.CreateCustomer("PERSON", OTHER.name, None, OTHER, "FARMER")
    for asked, category in ((SHOP, None), (replace(SHOP, category="FARMER", name="晚屋农场"), "FARMER"), (farmer, "FARMER")):
        made = await make(desk, "partner-app", asked)
        async with desk.runtime.database.work() as tx:
            kept = (await tx.execute(text("SELECT category FROM customer WHERE customer_id = :id"), {"id": UUID(made)})).scalar()
        assert kept == category
    for wrong in ("ENTERPRISE", "INDIVIDUAL"):
        with pytest.raises(InvalidInput, match=f"cannot be {wrong}"):
            await make(desk, "partner-app", replace(SHOP, category=wrong))
    assert set(CustomerCategory) == {"INDIVIDUAL", "INDIVIDUAL_BUSINESS", "ENTERPRISE", "FARMER"}
