"""revealPersonalField: one value, to whoever sees the customer, on the access log each time, kept nowhere."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from hub.domain.enums import PersonalField
from hub.errors import NotFound
from schema import services as contract
from tests.hub.app.conftest import Desk

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
