"""What is done to a client holds from its next request on: over HTTP, with tokens that are still good."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text, update

from hub.access import client_life
from hub.access.client_life import Change
from hub.access.clients import make_client_keys, thumbprint
from hub.errors import InvalidInput
from hub.store.database import Write
from hub.store.tables import client
from schema.access import AUDIENCES
from tests.hub.access.side import Api, Side

QUERY = "query Look($id: ID!) { customer(id: $id) { nameMasked } }"
FOUND = {"data": {"customer": {"nameMasked": "青*"}}}
Step = Callable[[Write], Awaitable[Any]]


async def done(api: Api, step: Step) -> None:
    async with api.runtime.database.work() as tx:
        await step(tx)


async def asks(api: Api, side: Side) -> int:
    answer = await side.ask(QUERY, {"id": api.world.id})
    if answer.status_code == 200:
        assert answer.json() == FOUND or answer.json()["errors"][0]["extensions"]["code"] == "NOT_ALLOWED"
    return answer.status_code


async def active(side: Side) -> bool:
    answer = await side.form("/oauth/introspect", side.client.token_form() | {"token": side.token})
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["active"])


async def test_ended_tokens_are_refused_at_once_and_new_ones_are_not(api: Api) -> None:
    partner, other = api.sides["partner-app"], api.sides["risk-desk"]
    for side in (partner, other):
        await side.login()
    assert await asks(api, partner) == 200 and await active(partner)
    await done(api, lambda tx: client_life.end_tokens(tx, "partner-app"))
    refused = await partner.ask(QUERY, {"id": api.world.id})
    assert refused.status_code == 401 and 'error="invalid_token"' in refused.headers["www-authenticate"]
    assert not await active(partner)
    assert await asks(api, other) == 200, "somebody else's are not touched"
    for _ in range(2):
        assert (await partner.login()).status_code == 200
        assert await asks(api, partner) == 200 and await active(partner), "also within the second in which the others ended"


async def test_control_without_the_look_at_it_an_ended_token_passes(api: Api) -> None:
    partner = api.sides["partner-app"]
    await partner.login()
    await done(api, lambda tx: client_life.end_tokens(tx, "partner-app"))
    await done(api, lambda tx: tx.execute(update(client).values(tokens_from=None)))
    assert await asks(api, partner) == 200


async def test_a_client_that_comes_back_comes_without_its_old_tokens(api: Api) -> None:
    partner = api.sides["partner-app"]
    await partner.login()
    await done(api, lambda tx: client_life.disable_client(tx, "partner-app"))
    assert await asks(api, partner) == 401
    told = await partner.login()
    assert (told.status_code, told.json()["error"]) == (401, "invalid_client")
    await done(api, lambda tx: client_life.enable_client(tx, "partner-app"))
    partner.token = partner.token or "x"
    assert await asks(api, partner) == 401
    assert (await partner.login()).status_code == 200 and await asks(api, partner) == 200


async def test_a_narrower_client_is_narrower_with_the_token_that_it_has(api: Api) -> None:
    partner = api.sides["partner-app"]
    await partner.login()
    change = Change(scopes=("enhancement:read", "links:write"))
    await done(api, lambda tx: client_life.update_client(tx, "partner-app", change, AUDIENCES))
    answer = (await partner.ask(QUERY, {"id": api.world.id})).json()
    assert answer["errors"][0]["extensions"]["code"] == "NOT_ALLOWED"
    told = await partner.form("/oauth/introspect", partner.client.token_form() | {"token": partner.token})
    assert told.json()["scope"] == "enhancement:read links:write purpose:CREDIT_APPROVAL"
    await done(api, lambda tx: client_life.update_client(tx, "partner-app", Change(purposes=("POST_LOAN",)), AUDIENCES))
    assert await asks(api, partner) == 401 and not await active(partner)


async def test_keys_follow_each_other_without_a_gap(api: Api) -> None:
    """Old key, both, new key: the client is never without a way in, and the old key is none at the end."""
    partner = api.sides["partner-app"]
    old, (private, public) = partner.client.key, make_client_keys()
    following = Side(partner.http, type(partner.client)("partner-app", private, partner.client.origin))
    assert (await following.login()).status_code == 401
    await done(api, lambda tx: client_life.add_key(tx, "partner-app", public["keys"][0]))
    for side in (partner, following):
        assert (await side.login()).status_code == 200 and await asks(api, side) == 200
    await done(api, lambda tx: client_life.retire_key(tx, "partner-app", thumbprint({k: v for k, v in old.items() if k != "d"})))
    assert (await partner.login()).status_code == 401
    assert (await following.login()).status_code == 200 and await asks(api, following) == 200


async def test_no_step_gives_back_what_an_operator_took(api: Api) -> None:
    """How a client may ask, and what for in a minute, is not what an update or an exchange of keys is about."""
    held = "select documents, cost_per_minute from client where client_id = 'partner-app'"
    await done(api, lambda tx: tx.execute(update(client).values(documents="ONLY", cost_per_minute=77)))
    key = make_client_keys()[1]["keys"][0]
    steps: list[Step] = [
        lambda tx: client_life.update_client(tx, "partner-app", Change(name="Another name"), AUDIENCES),
        lambda tx: client_life.add_key(tx, "partner-app", key),
        lambda tx: client_life.retire_key(tx, "partner-app", thumbprint(key)),
        lambda tx: client_life.disable_client(tx, "partner-app"),
        lambda tx: client_life.enable_client(tx, "partner-app"),
    ]
    for step in steps:
        await done(api, step)
        async with api.runtime.database.work() as tx:
            assert tuple((await tx.execute(text(held))).one()) == ("ONLY", 77)


async def test_admins_list_clients_with_their_keys_page_by_page(api: Api) -> None:
    admin, partner = api.sides["admin"], api.sides["partner-app"]
    for side in (admin, partner):
        await side.login()
    await done(api, lambda tx: client_life.disable_client(tx, "another"))
    asked = "clientId audience scopes purposes bearer returnUrls createdAt lastTokenAt disabledAt tokensFrom keys { thumbprint kid kind }"
    query = f"query ($after: String) {{ clients(first: 3, after: $after) {{ totalCount nodes {{ {asked} }} pageInfo {{ endCursor hasNextPage }} }} }}"
    first = (await admin.ask(query)).json()["data"]["clients"]
    second = (await admin.ask(query, {"after": first["pageInfo"]["endCursor"]})).json()["data"]["clients"]
    assert (first["totalCount"], len(first["nodes"]), len(second["nodes"])) == (4, 3, 1)
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)
    found = {one["clientId"]: one for one in (*first["nodes"], *second["nodes"])}
    for name, side in api.sides.items():
        public = {key: value for key, value in side.client.key.items() if key != "d"}
        assert found[name]["keys"] == [{"thumbprint": thumbprint(public), "kid": side.client.key["kid"], "kind": "EC"}]
    assert found["partner-app"]["lastTokenAt"] and found["risk-desk"]["lastTokenAt"] is None
    assert found["another"]["disabledAt"] and found["another"]["tokensFrom"] and found["partner-app"]["disabledAt"] is None
    for argument, expected in (("audience: ADMIN", {"admin"}), ("disabled: true", {"another"}), ('clientId: "risk-desk"', {"risk-desk"})):
        some = (await admin.ask(f"{{ clients({argument}) {{ nodes {{ clientId }} }} }}")).json()["data"]["clients"]["nodes"]
        assert {one["clientId"] for one in some} == expected
    refused = (await partner.ask("{ clients { totalCount } }")).json()
    assert refused["errors"][0]["extensions"]["code"] == "NOT_ALLOWED" and "data" not in refused


async def test_last_there_is_kept_to_the_minute(api: Api) -> None:
    partner = api.sides["partner-app"]
    seen = "select last_token_at from client where client_id = 'partner-app'"

    async def last() -> Any:
        async with api.runtime.database.work() as tx:
            return (await tx.execute(text(seen))).scalar_one()

    assert await last() is None
    await partner.login()
    once = await last()
    await partner.login()
    assert once is not None and await last() == once
    await done(api, lambda tx: tx.execute(text("update client set last_token_at = last_token_at - interval '61 seconds'")))
    await partner.login()
    assert await last() >= once


@pytest.mark.parametrize("name", ["end_tokens", "disable_client"])
async def test_hosts_whose_clocks_differ_do_not_save_a_token(api: Api, name: str) -> None:
    """The token was made by a host that is four seconds ahead."""
    partner = api.sides["partner-app"]
    await partner.login()
    await done(
        api, lambda tx: tx.execute(text("update client set tokens_from = now() + interval '4 seconds' where client_id = 'partner-app'"))
    )
    await partner.login()
    assert await asks(api, partner) == 200, "issued four seconds ahead"
    await done(api, lambda tx: getattr(client_life, name)(tx, "partner-app"))
    assert await asks(api, partner) == 401


async def test_who_was_shown_every_customer_becomes_no_partner(api: Api) -> None:
    """What an institution's own system was given to see it would go on seeing: a partner app is a client of its own."""
    scopes = tuple(sorted(AUDIENCES["PARTNER"]))
    with pytest.raises(InvalidInput, match="partner"):
        await done(
            api, lambda tx: client_life.update_client(tx, "risk-desk", Change(audience="PARTNER", scopes=scopes, bearer=False), AUDIENCES)
        )
    await done(api, lambda tx: client_life.update_client(tx, "risk-desk", Change(scopes=("customers:read",)), AUDIENCES))


OFFER = 'query Offer($id: ID!) { customer(id: $id) { nameMasked evaluation(scenario: "S03") { finalLimit allInCost } } }'


async def offered(api: Api, side: Side) -> bool:
    answer = (await side.ask(OFFER, {"id": api.world.id})).json()
    assert "errors" not in answer or (
        answer["errors"][0]["extensions"]["code"] == "NOT_ALLOWED" and "public list" in str(answer["errors"][0])
    ), answer
    return "errors" not in answer


@pytest.mark.law("助贷 2025-9: whitelist")
async def test_a_platform_that_is_not_on_the_public_list_gets_no_offers(api: Api) -> None:
    """With the token it has, from its next request on; the institution's own systems are on no list."""
    partner, own = api.sides["partner-app"], api.sides["risk-desk"]
    for side in (partner, own):
        await side.login()
    assert await offered(api, partner) and await offered(api, own)
    for change, may in (
        (Change(listed_to=date(2020, 12, 31)), False),
        (Change(listed_to=date(2099, 12, 31)), True),
        (Change(listed_from=date(2099, 1, 1)), False),
    ):
        await done(api, lambda tx, change=change: client_life.update_client(tx, "partner-app", change, AUDIENCES))  # type: ignore[misc]
        assert (await offered(api, partner), await asks(api, partner), await offered(api, own)) == (may, 200, True)
    await done(api, lambda tx: tx.execute(update(client).values(listed_from=None, listed_to=None, listed_in=None)))
    assert not await offered(api, partner), "who was never listed is not on the list"


@pytest.mark.parametrize("change", [Change(listed_in=" "), Change(listed_to=date(2019, 1, 1))])
async def test_a_listing_says_where_and_from_when(api: Api, change: Change) -> None:
    with pytest.raises(InvalidInput):
        await done(api, lambda tx: client_life.update_client(tx, "partner-app", change, AUDIENCES))
    listed = Change(listed_from=date(2026, 1, 1), listed_in="x")
    with pytest.raises(InvalidInput, match="list is of platforms"):
        await done(api, lambda tx: client_life.update_client(tx, "risk-desk", listed, AUDIENCES))
