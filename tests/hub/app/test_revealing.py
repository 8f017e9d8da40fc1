"""revealPersonalField: one value, to whoever sees the customer, on the access log each time, kept nowhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest
from msgspec import structs
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from hub.domain.enums import PersonalField
from hub.errors import InvalidInput, NotAllowed, NotFound
from schema import services as contract
from tests.hub.app.conftest import SHOP, Desk
from tests.hub.app.test_claims import OTHER, make
from tests.hub.app.test_merging import merged
from tests.hub.app.test_parties import added, party_of

PLAIN = "339998198709170425"


def asked(customer: str, role: str = "OPERATOR", field: PersonalField = PersonalField.IDENTIFIER) -> contract.RevealPersonalField:
    return contract.RevealPersonalField(customer, role, field)


async def rows(desk: Desk, statement: str) -> list[dict[str, Any]]:
    async with desk.runtime.database.work() as tx:
        return [dict(row) for row in (await tx.execute(text(statement))).mappings()]


async def test_it_is_shown_and_logged_each_time(desk: Desk) -> None:
    made = await desk.shop()
    for _ in range(2):
        assert await desk.services.identity.reveal_personal_field(desk.call("risk-desk", "k-1"), asked(made)) == PLAIN
    assert (
        await desk.services.identity.reveal_personal_field(desk.call("risk-desk"), asked(made, "SUBJECT", PersonalField.NAME))
        == "宁波晚屋茶器店"
    )
    logged = await rows(
        desk, "SELECT customer_id::text, client_id, purpose, fields FROM access_log WHERE outcome = 'REVEALED' ORDER BY log_id"
    )
    same = {"customer_id": made, "client_id": "risk-desk", "purpose": "CREDIT_APPROVAL"}
    assert logged == [{**same, "fields": ["Party.identifier"]}] * 2 + [{**same, "fields": ["Party.name"]}]
    kept = [await rows(desk, f"SELECT * FROM {table}") for table in ("idempotency_key", "access_log")]
    assert all(kept) and PLAIN not in str(kept)


async def test_nothing_is_shown_without_a_purpose(desk: Desk) -> None:
    """A client of several purposes may have a token that names none: its line in the log would not say what for."""
    made, call = await desk.shop(), desk.call("risk-desk")
    with pytest.raises(NotAllowed, match="purpose"):
        await desk.services.identity.reveal_personal_field(replace(call, caller=structs.replace(call.caller, purpose="")), asked(made))
    assert await rows(desk, "SELECT 1 FROM access_log WHERE purpose = ''") == []
    assert await desk.services.identity.reveal_personal_field(call, asked(made)) == PLAIN


@pytest.mark.parametrize(("client", "role"), [("other-app", "OPERATOR"), ("risk-desk", "LEGAL_REP"), ("risk-desk", "")])
async def test_what_is_not_there_or_not_theirs_leaves_no_line(desk: Desk, client: str, role: str) -> None:
    made = await desk.shop()
    with pytest.raises(NotFound):
        await desk.services.identity.reveal_personal_field(desk.call(client), asked(made, role))
    assert await rows(desk, "SELECT 1 FROM access_log WHERE outcome = 'REVEALED'") == []


async def test_what_cannot_be_logged_is_not_shown(desk: Desk) -> None:
    """Its line is durable before anybody is answered."""
    made = await desk.shop()
    with psycopg.connect(desk.runtime.database.urls.owner.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("ALTER TABLE access_log ADD CONSTRAINT none_revealed CHECK (outcome <> 'REVEALED')")
    with pytest.raises(SQLAlchemyError):
        await desk.services.identity.reveal_personal_field(desk.call("risk-desk"), asked(made))


def named(customer: str, party_id: str, role: str = "OPERATOR") -> contract.RevealPersonalField:
    return replace(asked(customer, role), party_id=party_id)


async def revealed(desk: Desk, value: contract.RevealPersonalField) -> str:
    return await desk.services.identity.reveal_personal_field(desk.call("risk-desk"), value)


async def test_it_is_the_person_of_today(desk: Desk) -> None:
    """Who had the role before is told only to whoever names him."""
    made = await desk.shop()
    former = await party_of(desk, made, "OPERATOR")
    await desk.services.identity.end_party(desk.call(), contract.EndParty(made, former, date(2026, 1, 10), "the shop was sold"))
    with pytest.raises(NotFound):
        await revealed(desk, asked(made))
    await desk.services.identity.add_party(desk.call(), added(made, "OPERATOR", since=date(2026, 1, 10)))
    assert await revealed(desk, asked(made)) == OTHER.resident_id
    assert await revealed(desk, named(made, former)) == PLAIN
    with pytest.raises(NotFound):
        await revealed(desk, named(made, former, "SUBJECT"))


async def test_none_of_several_is_guessed(desk: Desk) -> None:
    made = await desk.shop()
    people = (OTHER, SHOP.person)
    ids = [
        (await desk.services.identity.add_party(desk.call(), added(made, "GUARANTOR", one))).party_id for one in people if one is not None
    ]
    with pytest.raises(InvalidInput, match="Several"):
        await revealed(desk, asked(made, "GUARANTOR"))
    assert [await revealed(desk, named(made, one, "GUARANTOR")) for one in ids] == [OTHER.resident_id, PLAIN]
    assert len(await rows(desk, "SELECT 1 FROM access_log WHERE outcome = 'REVEALED'")) == 2, "what was refused was shown to nobody"


async def test_whoever_sees_both_parts_of_a_merge_is_told_of_both(desk: Desk) -> None:
    false, true = await merged(desk)
    parties = {one: await party_of(desk, one, "OPERATOR") for one in (false, true)}
    for customer in (false, true):
        with pytest.raises(InvalidInput, match="Several"):
            await revealed(desk, asked(customer))
        assert await revealed(desk, named(customer, parties[false])) == OTHER.resident_id
        assert await revealed(desk, named(customer, parties[true])) == PLAIN
    logged = await rows(desk, "SELECT customer_id::text AS whose FROM access_log WHERE outcome = 'REVEALED' ORDER BY log_id")
    assert [one["whose"] for one in logged] == [false, true] * 2, "on the log of whom it was told of"


@pytest.mark.parametrize("party_id", ["x", "018f0000-0000-7000-8000-000000000000", "foreign"])
async def test_a_party_of_somebody_else_is_not_there(desk: Desk, party_id: str) -> None:
    made, other = await desk.shop(), await make(desk, "partner-app", replace(SHOP, person=OTHER))
    if party_id == "foreign":
        party_id = await party_of(desk, other, "OPERATOR")
    with pytest.raises(NotFound):
        await revealed(desk, named(made, party_id))
