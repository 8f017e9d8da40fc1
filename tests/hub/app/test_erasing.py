"""eraseCustomer: once per key, by anybody who holds the scope, whether or not the customer is theirs."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from hub.errors import InvalidInput, KeyReused, NotFound, SecretMissing
from hub.store.database import Scope
from schema import services as contract
from tests.hub.app.conftest import Desk


async def rows(desk: Desk, statement: str) -> list[dict[str, Any]]:
    async with desk.runtime.database.work() as tx:
        return [dict(row) for row in (await tx.execute(text(statement))).mappings()]


async def test_it_is_done_once(desk: Desk) -> None:
    made = await desk.shop()
    asked = contract.EraseCustomer(made, "asked by letter")
    first = await desk.services.identity.erase_customer(desk.call("admin", "k-1"), asked)
    again = await desk.services.identity.erase_customer(desk.call("admin", "k-1"), asked)
    assert first == again == contract.CustomerErased(made, 1)
    with pytest.raises(KeyReused):
        await desk.services.identity.erase_customer(desk.call("admin", "k-1", "another body"), asked)
    (stone,) = await rows(desk, "SELECT reason, note, rows FROM tombstone")
    assert (stone["reason"], stone["note"]) == ("SUBJECT_ERASED", "admin: asked by letter")
    assert stone["rows"] == {"customer_client": 2, "data_key.wrapped": 1, "party": 2}
    async with desk.runtime.database.read(Scope("partner-app", "CREDIT_APPROVAL")) as tx:
        assert (await tx.execute(text("SELECT 1 FROM customer"))).all() == []
    (customer,) = await rows(desk, "SELECT customer_id, name_masked, uscc FROM customer")
    assert (customer["name_masked"], customer["uscc"]) == ("", None)
    with pytest.raises(SecretMissing):
        async with desk.runtime.database.work() as tx:
            await desk.runtime.vault.sealer(tx, customer["customer_id"])


@pytest.mark.parametrize("reason", ["", " ", "x" * 201])
async def test_a_reason_is_given(desk: Desk, reason: str) -> None:
    made = await desk.shop()
    with pytest.raises(InvalidInput):
        await desk.services.identity.erase_customer(desk.call("admin"), contract.EraseCustomer(made, reason))
    assert desk.runtime.vault.keys.destroyed == frozenset()


@pytest.mark.parametrize("wrong", ["01a21d38-1b87-7662-a388-27a88f374e9b", "no id", ""])
async def test_who_is_not_there_cannot_be_erased(desk: Desk, wrong: str) -> None:
    with pytest.raises(NotFound):
        await desk.services.identity.erase_customer(desk.call("admin"), contract.EraseCustomer(wrong, "because"))
