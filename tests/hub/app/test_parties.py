"""People in roles: named with the customer or later, each from a day to a day, and what was known when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from hub.domain.identifiers import CustomerId
from hub.errors import InvalidInput, NotFound
from hub.store.customers import load_subject
from hub.store.dossier.holdings import load_subjects
from schema import services as contract
from tests.hub.app.conftest import NOW, PERSON, SHOP, Desk
from tests.hub.app.test_claims import OTHER, make

TODAY = date(2026, 1, 20)
FIRM = contract.CreateCustomer("ORG", "福州样例有限公司", "91350100M000100Y43", PERSON)
SPOUSE = contract.PartyInput("SPOUSE", OTHER, date(2015, 5, 1))


async def parties(desk: Desk, made: str) -> list[tuple[str, date | None, date | None]]:
    async with desk.runtime.database.work() as tx:
        rows = await tx.execute(
            text("SELECT role, valid_from, valid_to FROM party WHERE customer_id = :id ORDER BY role, valid_from NULLS FIRST"),
            {"id": UUID(made)},
        )
        return [tuple(row) for row in rows]  # type: ignore[misc]


async def party_of(desk: Desk, made: str, role: str) -> str:
    async with desk.runtime.database.work() as tx:
        found = text("SELECT party_id FROM party WHERE customer_id = :id AND role = :role ORDER BY party_id DESC LIMIT 1")
        return str((await tx.execute(found, {"id": UUID(made), "role": role})).scalar_one())


async def events(desk: Desk) -> list[tuple[Any, ...]]:
    async with desk.runtime.database.work() as tx:
        return [tuple(row) for row in await tx.execute(text("SELECT kind, actor, reason, at FROM identity_event ORDER BY event_id"))]


def added(made: str, role: str, person: contract.PersonInput = OTHER, since: date | None = None) -> contract.AddParty:
    return contract.AddParty(made, role, person, since)


async def test_people_come_with_the_customer_and_later(desk: Desk) -> None:
    controller = contract.PartyInput("CONTROLLER", OTHER, None)
    made = await make(desk, "partner-app", replace(FIRM, people=(controller, SPOUSE)))
    assert await parties(desk, made) == [
        ("CONTROLLER", None, None), ("LEGAL_REP", None, None), ("SPOUSE", date(2015, 5, 1), None), ("SUBJECT", None, None),
    ]  # fmt: skip
    done = await desk.services.identity.add_party(desk.call(), added(made, "GUARANTOR"))
    assert done.customer_id == made and ("GUARANTOR", TODAY, None) in await parties(desk, made)
    again = await desk.services.identity.add_party(desk.call(), added(made, "GUARANTOR"))
    assert again == done and len(await parties(desk, made)) == 5, "whoever has the role keeps it"
    assert await make(desk, "other-app", replace(FIRM, people=(replace(SPOUSE, role="GUARANTOR"), replace(SPOUSE, person=PERSON)))) == made
    assert [role for role, *_ in await parties(desk, made)] == ["CONTROLLER", "GUARANTOR", "LEGAL_REP", "SPOUSE", "SPOUSE", "SUBJECT"], (
        "a claim brings the people it names"
    )


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (replace(SHOP, people=(contract.PartyInput("OPERATOR", OTHER, None),)), "up to 20 people"),
        (replace(SHOP, people=(contract.PartyInput("SUBJECT", OTHER, None),)), "up to 20 people"),
        (replace(SHOP, people=(replace(SPOUSE, since=TODAY + timedelta(days=1)),)), "in the future"),
        (replace(SHOP, people=(SPOUSE, SPOUSE)), "named twice"),
        (replace(SHOP, people=(SPOUSE,) * 21), "up to 20 people"),
        (replace(SHOP, people=(replace(SPOUSE, person=replace(OTHER, resident_id="340524800101001")),)), "15 digits"),
        (contract.CreateCustomer("PERSON", PERSON.name, None, PERSON, None, (contract.PartyInput("CONTROLLER", OTHER, None),)), "up to 20"),
    ],
)
async def test_people_that_cannot_be(desk: Desk, asked: contract.CreateCustomer, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        await make(desk, "partner-app", asked)


async def test_one_person_answers_at_a_time_and_platforms_hear_of_him(desk: Desk) -> None:
    made = await make(desk, "partner-app", FIRM)
    identity, old = desk.services.identity, await party_of(desk, made, "LEGAL_REP")
    with pytest.raises(InvalidInput, match="Another person is LEGAL_REP"):
        await identity.add_party(desk.call(), added(made, "LEGAL_REP"))
    ended = contract.EndParty(made, old, date(2026, 1, 10), "a new representative was registered")
    await identity.end_party(desk.call(), ended)
    await identity.end_party(desk.call(), ended)
    with pytest.raises(InvalidInput, match="Another person is LEGAL_REP"):
        await identity.add_party(desk.call(), added(made, "LEGAL_REP", since=date(2026, 1, 9)))
    await identity.add_party(desk.call(), added(made, "LEGAL_REP", since=date(2026, 1, 10)))
    assert await parties(desk, made) == [
        ("LEGAL_REP", None, date(2026, 1, 10)), ("LEGAL_REP", date(2026, 1, 10), None), ("SUBJECT", None, None),
    ]  # fmt: skip
    async with desk.runtime.database.work() as tx:
        told = {
            day: (await load_subject(tx, desk.runtime.vault, CustomerId(UUID(made)), day)).resident_id for day in (date(2026, 1, 9), TODAY)
        }
    assert told == {date(2026, 1, 9): PERSON.resident_id, TODAY: OTHER.resident_id}
    assert await events(desk) == [
        ("PARTY_ENDED", "partner-app", "a new representative was registered", NOW), ("PARTY_ADDED", "partner-app", None, NOW),
    ]  # fmt: skip


async def test_an_evaluation_knows_the_parties_that_were_known_then(desk: Desk) -> None:
    """As of a day, and as known at an instant: a change that was told later leaves what was decided explainable."""
    made = await make(desk, "partner-app", FIRM)
    await desk.services.identity.end_party(
        desk.call(), contract.EndParty(made, await party_of(desk, made, "LEGAL_REP"), date(2026, 1, 10), "left")
    )
    await desk.services.identity.add_party(desk.call(), added(made, "LEGAL_REP", since=date(2026, 1, 10)))
    first, second = desk.runtime.blind.hash("identifier", PERSON.resident_id), desk.runtime.blind.hash("identifier", OTHER.resident_id)
    found = {}
    async with desk.runtime.database.work() as tx:
        for as_of in (date(2026, 1, 9), TODAY):
            for known_at in (NOW - timedelta(days=1), NOW):
                (subject,) = (await load_subjects(tx, [CustomerId(UUID(made))], as_of, known_at)).values()
                found[as_of.day, known_at == NOW] = subject.profile.responsible_hash
    assert found == {(9, False): first, (9, True): first, (20, False): first, (20, True): second}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"until": date(2026, 1, 21)}, "not in the future"),
        ({"until": date(2026, 1, 18)}, "after its beginning"),
        ({"reason": " "}, "A reason has"),
        ({"reason": "x" * 501}, "A reason has"),
    ],
)
async def test_an_end_that_cannot_be(desk: Desk, changes: dict[str, Any], says: str) -> None:
    made = await make(desk, "partner-app", SHOP)
    added_one = await desk.services.identity.add_party(desk.call(), added(made, "SPOUSE", since=date(2026, 1, 19)))
    asked = contract.EndParty(made, added_one.party_id, None, "a divorce")
    with pytest.raises(InvalidInput, match=says):
        await desk.services.identity.end_party(desk.call(), replace(asked, **changes))
    with pytest.raises(InvalidInput, match="subject"):
        await desk.services.identity.end_party(desk.call(), replace(asked, party_id=await party_of(desk, made, "SUBJECT")))
    await desk.services.identity.end_party(desk.call(), asked)
    with pytest.raises(InvalidInput, match="on another day"):
        await desk.services.identity.end_party(desk.call(), replace(asked, until=date(2026, 1, 19)))


async def test_parties_of_others_are_not_there(desk: Desk) -> None:
    theirs, mine = await make(desk, "other-app", SHOP), await make(desk, "partner-app", FIRM)
    party = await party_of(desk, theirs, "OPERATOR")
    for customer, one in ((theirs, party), (mine, party), (mine, str(uuid4())), (mine, "x"), ("x", party)):
        with pytest.raises(NotFound):
            await desk.services.identity.end_party(desk.call(), contract.EndParty(customer, one, None, "r"))
    with pytest.raises(NotFound):
        await desk.services.identity.add_party(desk.call(), added(theirs, "SPOUSE"))
    with pytest.raises(InvalidInput, match="Nobody can be OPERATOR"):
        await desk.services.identity.add_party(desk.call(), added(mine, "OPERATOR"))
