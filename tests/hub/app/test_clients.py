"""What administrators do to clients: audited with old and new values, one effect per key, refused with a sentence."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from joserfc.jwk import ECKey
from sqlalchemy import select

from hub.access.clients import MOST_KEYS, RESERVED, make_client_keys, thumbprint
from hub.domain.enums import Purpose
from hub.errors import InvalidInput, KeyReused, NotFound
from hub.store.tables import audit_event, client
from schema import services as contract
from tests.hub.app.conftest import BACK, Desk
from tests.hub.app.test_access_log import holds

SAME = contract.UpdateClient("partner-app", None, None, None, None, None, None)
NEW = contract.RegisterClient("new-app", "New", "PARTNER", ("customers:read",), (Purpose.CREDIT_APPROVAL,), {}, (BACK,), False)


async def events(desk: Desk) -> list[Any]:
    async with desk.runtime.database.work() as tx:
        found = await tx.execute(select(audit_event).where(audit_event.c.action.like("client.%")).order_by(audit_event.c.sequence))
        return [(row.actor, row.action, row.subject, row.before, row.after) for row in found]


async def row(desk: Desk, client_id: str = "partner-app") -> Any:
    async with desk.runtime.database.work() as tx:
        return (await tx.execute(select(client).where(client.c.client_id == client_id))).one()


def jwk() -> dict[str, Any]:
    return dict(make_client_keys()[1]["keys"][0])


async def test_what_is_left_out_stays_and_what_changes_is_audited(desk: Desk) -> None:
    before = await row(desk)
    change = replace(SAME, name="Acme", scopes=("customers:read", "links:write"), purposes=(Purpose.POST_LOAN,), return_urls=())
    call = desk.call("risk-desk", key="once")
    assert [await desk.services.clients.update(call, change) for _ in range(2)] == ["partner-app"] * 2
    after = await row(desk)
    assert (after.name, after.scopes, after.purposes, after.return_urls) == ("Acme", ["customers:read", "links:write"], ["POST_LOAN"], [])
    assert (after.audience, after.jwks, after.bearer) == (before.audience, before.jwks, before.bearer)
    (event,) = await events(desk)
    assert event[:3] == ("risk-desk", "client.update", "client:partner-app")
    assert event[3] == {"name": "partner-app", "scopes": before.scopes, "purposes": ["CREDIT_APPROVAL", "POST_LOAN"], "return_urls": [BACK]}
    assert event[4] == {"name": "Acme", "scopes": after.scopes, "purposes": ["POST_LOAN"], "return_urls": []}
    with pytest.raises(KeyReused):
        await desk.services.clients.update(replace(call, request_sha256="other"), SAME)
    assert await holds(desk)


async def test_its_documents_and_its_budget_are_changed_like_the_rest(desk: Desk) -> None:
    await desk.services.clients.update(desk.call("risk-desk"), replace(SAME, documents="ONLY", cost_per_minute=77))
    after = await row(desk)
    assert (after.documents, after.cost_per_minute) == ("ONLY", 77)
    ((*_, before, now),) = await events(desk)
    assert (before, now) == ({"documents": "OPEN", "cost_per_minute": None}, {"documents": "ONLY", "cost_per_minute": 77})


@pytest.mark.law("助贷 2025-9: whitelist")
async def test_its_place_on_the_public_list_is_audited(desk: Desk) -> None:
    await desk.services.clients.update(desk.call("risk-desk"), replace(SAME, listed_to=date(2026, 2, 28), listed_in="notice 2026-3"))
    ((*_, before, now),) = await events(desk)
    assert before == {"listed_to": None, "listed_in": "the list of the tests"}
    assert now == {"listed_to": "2026-02-28", "listed_in": "notice 2026-3"}


@pytest.mark.parametrize(
    ("audience", "asked", "begins"),
    [
        ("PARTNER", None, "ONLY"),
        ("PARTNER", "AUDIT", "AUDIT"),
        ("PARTNER", "OPEN", "OPEN"),
        ("INTERNAL", None, "OPEN"),
        ("ADMIN", None, "OPEN"),
    ],
)
async def test_a_partner_begins_with_stored_documents(desk: Desk, audience: str, asked: str | None, begins: str) -> None:
    scopes = ("operations:read",) if audience != "PARTNER" else NEW.scopes
    new = replace(NEW, audience=audience, scopes=scopes, jwks=make_client_keys()[1], documents=asked)
    await desk.services.clients.register(desk.call("risk-desk"), new)
    assert (await row(desk, "new-app")).documents == begins
    ((*_, told),) = await events(desk)
    assert told["documents"] == begins


async def test_what_changes_nothing_is_nothing_to_tell(desk: Desk) -> None:
    await desk.services.clients.update(desk.call(), SAME)
    await desk.services.clients.enable(desk.call(), contract.EnableClient("partner-app", "r"))
    assert await events(desk) == []


@pytest.mark.parametrize(
    "change",
    [
        {"scopes": ()},
        {"scopes": ("facts:read",)},
        {"audience": "NOBODY"},
        {"audience": "ADMIN"},
        {"bearer": True},
        {"documents": "SOME"},
        {"cost_per_minute": 0},
        {"name": " "},
        {"name": "x" * 201},
        {"return_urls": ("http://partner.example/",)},
        {"purposes": ("FUN",)},
    ],
)
async def test_a_client_cannot_become_what_none_may_be(desk: Desk, change: dict[str, Any]) -> None:
    before = await row(desk)
    with pytest.raises(InvalidInput):
        await desk.services.clients.update(desk.call(), replace(SAME, **change))
    assert await row(desk) == before and await events(desk) == []


async def test_a_key_follows_another(desk: Desk) -> None:
    old, new = (await row(desk)).jwks["keys"][0], jwk()
    made = await desk.services.clients.add_key(desk.call(), contract.AddClientKey("partner-app", new))
    assert made == thumbprint(new) == ECKey.import_key(new).thumbprint()
    assert (await row(desk)).jwks["keys"] == [old, new]
    with pytest.raises(InvalidInput, match="one public key, or two"):
        await desk.services.clients.add_key(desk.call(), contract.AddClientKey("partner-app", jwk()))
    await desk.services.clients.retire_key(desk.call(), contract.RetireClientKey("partner-app", thumbprint(old)))
    assert (await row(desk)).jwks["keys"] == [new] and MOST_KEYS == 2
    for gone, error in ((thumbprint(old), NotFound), (thumbprint(new), InvalidInput)):
        with pytest.raises(error):
            await desk.services.clients.retire_key(desk.call(), contract.RetireClientKey("partner-app", gone))
    added, retired = await events(desk)
    kids = {one["kid"]: thumbprint(one) for one in (old, new)}
    assert (added[1], added[3], added[4]) == ("client.add_key", {"keys": {old["kid"]: kids[old["kid"]]}}, {"keys": kids})
    assert (retired[1], retired[3], retired[4]) == ("client.retire_key", {"keys": kids}, {"keys": {new["kid"]: kids[new["kid"]]}})


async def test_what_is_no_key_that_follows(desk: Desk) -> None:
    old = (await row(desk)).jwks["keys"][0]
    private = dict(make_client_keys()[0])
    twin = {**old, "kid": "another"}
    wrongs: tuple[Any, ...] = (
        old,
        twin,
        {**jwk(), "kid": old["kid"]},
        private,
        {},
        [],
        "x",
        {**jwk(), "kid": ""},
        {"kty": "oct", "k": "AA", "kid": "1"},
    )
    for wrong in wrongs:
        with pytest.raises(InvalidInput):
            await desk.services.clients.add_key(desk.call(), contract.AddClientKey("partner-app", wrong))
    assert (await row(desk)).jwks["keys"] == [old]


async def test_ends_have_a_reason_and_are_told(desk: Desk) -> None:
    clients = desk.services.clients
    for reason in ("", "  ", "x" * 501):
        with pytest.raises(InvalidInput):
            await clients.disable(desk.call(), contract.DisableClient("partner-app", reason))
    await clients.revoke_tokens(desk.call(), contract.RevokeClientTokens("partner-app", "lost a laptop"))
    for _ in range(2):
        await clients.disable(desk.call(), contract.DisableClient("partner-app", "contract ended"))
    assert (await row(desk)).disabled_at is not None
    await clients.enable(desk.call(), contract.EnableClient("partner-app", "a new contract"))
    assert (await row(desk)).disabled_at is None and (await row(desk)).tokens_from is not None, "its tokens stay ended"
    told = [(action, after["reason"]) for _, action, _, _, after in await events(desk)]
    assert told == [("client.revoke_tokens", "lost a laptop"), ("client.disable", "contract ended"), ("client.enable", "a new contract")]


async def test_nobody_can_be_changed_that_is_not_there(desk: Desk) -> None:
    clients, call = desk.services.clients, desk.call
    tries = (
        clients.update(call(), replace(SAME, client_id="nobody-here")),
        clients.add_key(call(), contract.AddClientKey("nobody-here", jwk())),
        clients.retire_key(call(), contract.RetireClientKey("nobody-here", "x")),
        clients.disable(call(), contract.DisableClient("nobody-here", "r")),
        clients.enable(call(), contract.EnableClient("nobody-here", "r")),
        clients.revoke_tokens(call(), contract.RevokeClientTokens("nobody-here", "r")),
    )
    for found in await asyncio.gather(*tries, return_exceptions=True):
        assert isinstance(found, NotFound), found


@pytest.mark.parametrize("name", sorted(RESERVED))
async def test_no_client_is_taken_for_somebody_of_the_hub_s_own(desk: Desk, name: str) -> None:
    with pytest.raises(InvalidInput, match="means somebody else"):
        await desk.services.clients.register(desk.call(), replace(NEW, client_id=name, jwks={"keys": [jwk()]}))


async def test_the_names_that_the_hub_acts_under_are_reserved() -> None:
    assert {"customer", "hub", "operator", "clock", "erasure"} <= RESERVED


async def test_two_administrators_do_not_undo_each_other(desk: Desk) -> None:
    """Twenty at the same time: each adds its own key, retires what it added, or changes the name. Nothing is lost, and there are never more keys than two."""

    async def exchange(n: int) -> None:
        mine = jwk()
        with suppress(InvalidInput):
            await desk.services.clients.add_key(desk.call(), contract.AddClientKey("partner-app", mine))
            await desk.services.clients.update(desk.call(), replace(SAME, name=f"name {n}"))
            await desk.services.clients.retire_key(desk.call(), contract.RetireClientKey("partner-app", thumbprint(mine)))

    first = (await row(desk)).jwks
    await asyncio.gather(*(exchange(n) for n in range(20)))
    assert (await row(desk)).jwks == first
    steps = [action for _, action, _, _, _ in await events(desk)]
    assert steps.count("client.add_key") == steps.count("client.retire_key") >= 1
    for _, _, _, before, after in await events(desk):
        assert before.keys() == after.keys() and all(len(one.get("keys", ())) <= MOST_KEYS for one in (before, after))
