"""The whole way of a partner's app: assertion, proof, token, question, introspection, revocation."""

from __future__ import annotations

import time

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from sqlalchemy import text

from hub.access.client_life import disable_client
from hub.access.keys import SigningKeys
from hub.access.nonces import Nonces
from hub.store.database import Database
from tests.hub.access.side import ORIGIN, Api, Side

QUERY = "query Look($id: ID!) { customer(id: $id) { nameMasked } }"


async def test_a_partner_gets_a_token_and_an_answer(api: Api) -> None:
    partner = api.sides["partner-app"]
    answer = await partner.login("customers:read enhancement:read purpose:CREDIT_APPROVAL")
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("DPoP", 600)
    assert body["scope"] == "customers:read enhancement:read purpose:CREDIT_APPROVAL"
    found = await partner.ask(QUERY, {"id": api.world.id})
    assert (found.status_code, found.json()) == (200, {"data": {"customer": {"nameMasked": "青*"}}})


async def test_the_token_is_what_the_standard_says(api: Api) -> None:
    partner = api.sides["partner-app"]
    await partner.login()
    jwks = (await partner.http.get("/oauth/jwks")).json()
    assert [set(key) & {"d", "p", "q"} for key in jwks["keys"]] == [set()]
    opened = jwt.decode(partner.token, KeySet.import_key_set(jwks), algorithms=["ES256"])
    assert set(opened.header) == {"alg", "typ", "kid"} and opened.header["typ"] == "at+jwt"
    claims = opened.claims
    assert set(claims) == {"iss", "aud", "sub", "client_id", "scope", "iat", "exp", "jti", "cnf"}
    assert (claims["iss"], claims["aud"], claims["sub"]) == (ORIGIN, f"{ORIGIN}/graphql", "partner-app")
    assert claims["exp"] - claims["iat"] == 600 and abs(claims["iat"] - time.time()) < 10
    assert claims["cnf"] == {"jkt": ECKey.import_key(dict(partner.client.key)).thumbprint()}


async def test_the_first_proof_is_asked_for_the_nonce(api: Api) -> None:
    side = api.sides["partner-app"]
    answer = await side.form("/oauth/token", side.client.token_form(), {"DPoP": side.client.proof("POST", side.client.token_url)})
    assert (answer.status_code, answer.json()["error"]) == (400, "use_dpop_nonce")
    assert answer.headers["dpop-nonce"]
    await side.login()
    side.client.nonce = None
    answer = await side.ask(QUERY, {"id": api.world.id})
    assert answer.status_code == 401 and 'error="use_dpop_nonce"' in answer.headers["www-authenticate"]
    assert side.client.heard(answer.headers)
    assert (await side.ask(QUERY, {"id": api.world.id})).status_code == 200


async def test_a_bearer_client_may_leave_the_proof_out_and_no_other(api: Api) -> None:
    risk, partner = api.sides["risk-desk"], api.sides["partner-app"]
    answer = await risk.form("/oauth/token", risk.client.token_form())
    token = answer.json()["access_token"]
    assert answer.json()["token_type"] == "Bearer"
    body = {"query": QUERY, "variables": {"id": api.world.id}}
    found = await risk.http.post("/graphql", json=body, headers={"Authorization": f"Bearer {token}"})
    assert found.json() == {"data": {"customer": {"nameMasked": "青*"}}}
    refused = await partner.form("/oauth/token", partner.client.token_form())
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")


async def test_a_client_that_loses_bearer_loses_it_at_once(api: Api, database: Database) -> None:
    risk = api.sides["risk-desk"]
    token = (await risk.form("/oauth/token", risk.client.token_form())).json()["access_token"]
    async with database.work() as tx:
        await tx.execute(text("update client set bearer = false where client_id = 'risk-desk'"))
    found = await risk.http.post("/graphql", json={"query": QUERY}, headers={"Authorization": f"Bearer {token}"})
    assert found.status_code == 401


async def test_scopes_are_granted_within_the_registration(api: Api) -> None:
    partner = api.sides["partner-app"]
    for scope in (
        "facts:read",
        "customers:read purpose:POST_LOAN",
        "customers:read customers:read",
        "purpose:CREDIT_APPROVAL",
        "nothing",
        "",
    ):
        answer = await partner.login(scope or " ")
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope"), scope
    assert (await partner.login("customers:read")).json()["scope"] == "customers:read purpose:CREDIT_APPROVAL"


async def test_introspection_tells_the_owner_and_internal_clients(api: Api) -> None:
    partner, risk, admin = (api.sides[name] for name in ("partner-app", "risk-desk", "admin"))
    await partner.login("customers:read")

    async def introspect(side: Side) -> dict[str, object]:
        form = side.client.token_form() | {"token": partner.token}
        answer = await side.form("/oauth/introspect", form)
        found: dict[str, object] = answer.json()
        return found

    found = await introspect(partner)
    assert (found["active"], found["client_id"], found["scope"]) == (True, "partner-app", "customers:read purpose:CREDIT_APPROVAL")
    assert found["token_type"] == "DPoP" and found["cnf"]
    assert (await introspect(risk))["active"] is True
    assert await introspect(admin) == {"active": False}


async def test_revocation_ends_a_token_with_the_next_request(api: Api) -> None:
    partner, risk = api.sides["partner-app"], api.sides["risk-desk"]
    await partner.login()
    foreign = await risk.form("/oauth/revoke", risk.client.token_form() | {"token": partner.token})
    assert foreign.status_code == 200
    assert (await partner.ask(QUERY, {"id": api.world.id})).status_code == 200
    assert (await partner.form("/oauth/revoke", partner.client.token_form() | {"token": partner.token})).status_code == 200
    assert (await partner.ask(QUERY, {"id": api.world.id})).status_code == 401
    told = await partner.form("/oauth/introspect", partner.client.token_form() | {"token": partner.token})
    assert told.json() == {"active": False}


async def test_a_disabled_client_is_refused_with_its_next_request(api: Api, database: Database) -> None:
    partner = api.sides["partner-app"]
    await partner.login()
    async with database.work() as tx:
        await disable_client(tx, "partner-app")
    assert (await partner.ask(QUERY, {"id": api.world.id})).status_code == 401
    assert (await partner.login()).status_code == 401


async def test_keys_rotate_under_running_tokens(api: Api, database: Database) -> None:
    partner = api.sides["partner-app"]
    await partner.login()
    old = partner.token
    await SigningKeys(database, api.runtime.keys).rotate()
    assert (await partner.ask(QUERY, {"id": api.world.id})).status_code == 200
    fresh = SigningKeys(database, api.runtime.keys)
    keys = await fresh.current()
    assert len(keys.verifying) == 2 and old


async def test_private_keys_rest_sealed(api: Api, database: Database) -> None:
    await api.sides["partner-app"].login()
    async with database.work() as tx:
        rows = (await tx.execute(text("select sealed, public_jwk from signing_key"))).all()
    assert len(rows) == 1 and b'"d"' not in bytes(rows[0].sealed) and "d" not in rows[0].public_jwk


async def test_metadata_comes_from_configuration(api: Api) -> None:
    http = api.sides["admin"].http
    found = (await http.get("/.well-known/oauth-authorization-server")).json()
    assert (found["issuer"], found["token_endpoint"]) == (ORIGIN, f"{ORIGIN}/oauth/token")
    assert found["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert "HS256" not in str(found) and "none" not in str(found)
    resource = (await http.get("/.well-known/oauth-protected-resource/graphql")).json()
    assert (resource["resource"], resource["authorization_servers"]) == (f"{ORIGIN}/graphql", [ORIGIN])


def test_nonces_live_for_two_slots() -> None:
    nonces = Nonces(b"m" * 32)
    given = nonces.current(1_000_000_000)
    assert nonces.accepts(given, 1_000_000_000) and nonces.accepts(given, 1_000_000_300)
    assert not nonces.accepts(given, 1_000_000_000 + 900) and not nonces.accepts(given, 1_000_000_000 - 600)
    assert not Nonces(b"n" * 32).accepts(given, 1_000_000_000) and not nonces.accepts("", 1_000_000_000)
