"""Every way that a customer's data leaves, and what operators change, stand in the log."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from hub.access.audit import ChainKeys
from hub.access.audit.heads import Published
from hub.access.audit.verify import verify
from hub.access.clients import make_client_keys
from hub.domain.enums import Purpose, SourceKind
from hub.errors import ConsentMissing, NotFound
from hub.store.tables import access_log, audit_event
from schema import services as contract
from tests.hub.app.conftest import BACK, Desk, link_for


async def rows(desk: Desk, table: Any = access_log) -> list[Any]:
    async with desk.runtime.database.work() as tx:
        return list(await tx.execute(select(table).order_by(table.c.at, table.c.sequence)))


async def holds(desk: Desk) -> bool:
    keys = ChainKeys.of(desk.runtime.vault.keys)
    return (await verify(desk.runtime.database, keys, Published({}, []))).findings == []


async def test_a_mutation_about_a_customer_is_logged(desk: Desk) -> None:
    customer = await desk.shop()
    call = contract.Call(desk.call().caller, "k", "d", "Ask", "ab" * 32)
    await desk.services.create_link_session(call, link_for(customer))
    again = await desk.services.create_link_session(call, link_for(customer))
    found = [(str(row.customer_id), row.operation, row.document_sha256, row.fields, row.outcome) for row in await rows(desk)]
    asked = (customer, "Ask", "ab" * 32, ["Mutation.createLinkSession"], "ANSWERED")
    assert found == [(customer, "", "", ["Mutation.createCustomer"], "ANSWERED"), asked, asked], "also what is answered a second time"
    assert again.link_id and await holds(desk)


async def test_a_denial_is_logged_and_a_stranger_s_customer_is_not(desk: Desk) -> None:
    customer = await desk.shop()
    wanted = contract.WithdrawConsent(customer, SourceKind.TAX)
    with pytest.raises(ConsentMissing):
        await desk.services.consents.withdraw(desk.call(), wanted)
    with pytest.raises(NotFound):
        await desk.services.consents.withdraw(desk.call("other-app"), wanted)
    last = (await rows(desk))[1:]
    assert [(row.client_id, row.fields, row.outcome) for row in last] == [("partner-app", ["Mutation.withdrawConsent"], "DENIED")]


async def test_what_an_admin_registers_is_an_event(desk: Desk) -> None:
    new = contract.RegisterClient(
        "new-app", "New", "PARTNER", ("customers:read",), (Purpose.CREDIT_APPROVAL,), make_client_keys()[1], (BACK,), False
    )
    await desk.services.clients.register(desk.call("risk-desk", key="once"), new)
    await desk.services.clients.register(desk.call("risk-desk", key="once"), new)
    (event,) = [row for row in await rows(desk, audit_event) if row.action == "client.register"]
    assert (event.actor, event.subject, event.before) == ("risk-desk", "client:new-app", None)
    assert event.after == {
        "documents": "ONLY",
        "cost_per_minute": None,
        **dict.fromkeys(("listed_from", "listed_to", "listed_in")),
        "name": "New",
        "audience": "PARTNER",
        "scopes": ["customers:read"],
        "purposes": ["CREDIT_APPROVAL"],
        "keys": {kid: kid for kid in (new.jwks["keys"][0]["kid"],)},
        "return_urls": [BACK],
        "bearer": False,
    }
    published = {row.subject for row in await rows(desk, audit_event) if row.action == "policy.publish"}
    assert len(published) > 1 and all(one.startswith("policy:S") for one in published)
    assert await holds(desk)
