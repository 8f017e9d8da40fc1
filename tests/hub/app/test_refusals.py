"""What a client is told that asks too soon, and what it may say in the customer's name (ADR 58)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hub.domain.clock import Clock
from hub.domain.enums import Purpose, SourceKind
from hub.errors import CustomerDeclined, HubError, NotFound
from hub.store.database import Scope
from schema import services as contract
from schema.mutations import problems
from tests.hub.app.conftest import NOW, SHOP, Desk, link_for
from tests.hub.app.test_services import agree

TAX, DEVICE = SourceKind.TAX, SourceKind.DEVICE
UNTIL = NOW + timedelta(hours=48)


async def told(desk: Desk, call: contract.Call, asked: contract.CreateLinkSession) -> HubError:
    with pytest.raises(HubError) as said:
        await desk.services.create_link_session(call, asked)
    return said.value


async def withdrawn(desk: Desk) -> tuple[str, contract.Call, contract.LinkMade]:
    """A customer of both apps who gave TAX and withdrew it through the first; and the call that had asked for it, with its answer."""
    made, first = await desk.shop(), desk.call()
    link = await desk.services.create_link_session(first, link_for(made, sources=(TAX,)))
    await agree(desk, made, TAX)
    assert await desk.shop("other-app") == made, "control: both apps have the customer"
    await desk.services.consents.withdraw(desk.call(), contract.WithdrawConsent(made, TAX))
    return made, first, link


async def test_who_withdrew_through_an_app_is_asked_by_nobody(desk: Desk) -> None:
    made, first, link = await withdrawn(desk)
    for client in ("partner-app", "other-app", "risk-desk"):
        said = await told(desk, desk.call(client), link_for(made))
        assert isinstance(said, CustomerDeclined) and said.facts == {"sources": (TAX,), "again_at": UNTIL}
    await desk.services.create_link_session(desk.call(), link_for(made, sources=(DEVICE,)))
    await desk.services.create_link_session(desk.call(), link_for(made, purpose=Purpose.POST_LOAN))
    assert await desk.services.create_link_session(first, link_for(made, sources=(TAX,))) == link, (
        "what was asked before is answered as before"
    )


async def test_a_key_that_was_refused_works_when_the_time_has_come(desk: Desk) -> None:
    made, _, _ = await withdrawn(desk)
    call = desk.call()
    await told(desk, call, link_for(made))
    for late, works in ((UNTIL - timedelta(seconds=1), False), (UNTIL, True)):
        clock = Clock.frozen(late)
        services = replace(desk.services, equipment=replace(desk.services.equipment, clock=clock))
        services.links.clock = clock
        if works:
            assert (await services.create_link_session(call, link_for(made))).link_id
        else:
            await told(replace(desk, services=services), call, link_for(made))


async def test_what_was_never_given_an_app_refuses_for_itself_alone(desk: Desk) -> None:
    """Else one app could keep all others from asking."""
    made = await desk.shop()
    await desk.shop("other-app")
    await desk.services.create_link_session(desk.call(), link_for(made))
    await desk.services.consents.withdraw(desk.call(), contract.WithdrawConsent(made, TAX))
    assert isinstance(await told(desk, desk.call(), link_for(made)), CustomerDeclined)
    await desk.services.create_link_session(desk.call("other-app"), link_for(made))
    await desk.services.consents.withdraw(desk.call("risk-desk"), contract.WithdrawConsent(made, TAX))
    assert isinstance(await told(desk, desk.call("other-app"), link_for(made)), CustomerDeclined), (
        "what the institution passes on binds all"
    )


async def test_another_name_for_the_same_business_is_no_way_around(desk: Desk) -> None:
    """A claim that is written otherwise makes another customer. Who sees both asks neither; who sees the new one alone learns nothing by it."""
    await withdrawn(desk)
    twin = await desk.services.identity.create_customer(desk.call(), replace(SHOP, name=f"{SHOP.name}二"))
    assert isinstance(await told(desk, desk.call(), link_for(twin)), CustomerDeclined)
    alone = await desk.services.identity.create_customer(desk.call("other-app"), replace(SHOP, name=f"{SHOP.name}三"))
    async with desk.runtime.database.work() as tx:
        await tx.execute(text("DELETE FROM customer_client WHERE client_id = 'other-app' AND customer_id <> :it"), {"it": UUID(alone)})
    await desk.services.create_link_session(desk.call("other-app"), link_for(alone))


async def test_a_stranger_learns_nothing(desk: Desk) -> None:
    made = await desk.shop()
    await desk.services.create_link_session(desk.call(), link_for(made))
    await desk.services.consents.withdraw(desk.call(), contract.WithdrawConsent(made, TAX))
    answers = [await told(desk, desk.call("other-app"), link_for(one)) for one in (made, str(uuid4()), "x")]
    assert {(type(one), one.message, one.remedy, str(one.facts)) for one in answers} == {
        (NotFound, answers[0].message, answers[0].remedy, "{}")
    }


async def test_that_somebody_was_told_so_is_on_the_access_log(desk: Desk) -> None:
    made, _, _ = await withdrawn(desk)
    await told(desk, desk.call("other-app"), link_for(made))
    async with desk.runtime.database.work() as tx:
        rows = (await tx.execute(text("SELECT client_id, fields, outcome FROM access_log ORDER BY at DESC, sequence DESC"))).all()
    assert ("other-app", ["Mutation.createLinkSession"], "DENIED") in [(row.client_id, list(row.fields), row.outcome) for row in rows]


NOTE = "INSERT INTO refusal (customer_id, refusal_id, source, grantee, purpose, client_id, refused_at, again_at, lifted_at) VALUES"
WRONG = {
    "another's name": f"{NOTE} (:customer, gen_random_uuid(), 'TAX', 'b', 'CREDIT_APPROVAL', 'other-app', now(), now(), NULL)",
    "another purpose": f"{NOTE} (:customer, gen_random_uuid(), 'TAX', 'b', 'POST_LOAN', 'partner-app', now(), now(), NULL)",
    "lifted": f"{NOTE} (:customer, gen_random_uuid(), 'TAX', 'b', 'CREDIT_APPROVAL', 'partner-app', now(), now(), now())",
    "of a day to come": f"{NOTE} (:customer, gen_random_uuid(), 'TAX', 'b', 'CREDIT_APPROVAL', 'partner-app', now() + interval '1 year', now(), NULL)",
    "for ever": f"{NOTE} (:customer, gen_random_uuid(), 'TAX', 'b', 'CREDIT_APPROVAL', 'partner-app', now(), 'infinity', NULL)",
    "a foreign customer": f"{NOTE} (gen_random_uuid(), gen_random_uuid(), 'TAX', 'b', 'CREDIT_APPROVAL', 'partner-app', now(), now(), NULL)",
    "a change": "UPDATE refusal SET lifted_at = now() WHERE customer_id = :customer",
    "a deletion": "DELETE FROM refusal WHERE customer_id = :customer",
}


async def test_a_clients_transaction_adds_its_own_and_takes_none_away(desk: Desk) -> None:
    made, _, _ = await withdrawn(desk)

    async def does(statement: str, client: str = "partner-app") -> int:
        async with desk.runtime.database.write(Scope(client, "CREDIT_APPROVAL")) as tx:
            return int((await tx.execute(text(statement), {"customer": made})).rowcount)

    for wrong in WRONG.values():
        with pytest.raises(DBAPIError, match=r"permission denied|row-level security"):
            await does(wrong)
    assert await does(WRONG["another's name"].replace("other-app", "partner-app")) == 1, "control"
    assert await does("SELECT 1 FROM refusal WHERE customer_id = :customer") == 2
    assert await does("SELECT 1 FROM refusal", "stranger") == 0


async def test_it_is_a_problem_of_its_own_in_the_contract() -> None:
    async def run() -> Any:
        raise CustomerDeclined(sources=(TAX,), again_at=UNTIL)

    problem = await problems.outcome(run)
    assert isinstance(problem, problems.CustomerDeclined) and (problem.sources, problem.again_at) == ([TAX], UNTIL)
