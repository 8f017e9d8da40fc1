"""Who is let in as what, and what is told to those who are not: every part of both."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from starlette.requests import Request

from hub.access.guard import Guard
from hub.access.keys import SigningKeys
from hub.access.nonces import Nonces
from hub.domain.caller import Admitted, Caller
from hub.errors import TokenInvalid
from hub.store.database import Database
from tests.hub.access.forge import STRANGER, Forge, Headers, put
from tests.hub.access.side import ORIGIN, open_api


@pytest.fixture
async def forge(database: Database, tmp_path: Path) -> AsyncIterator[Forge]:
    async with open_api(database, tmp_path) as opened:
        await opened.sides["partner-app"].login()
        yield Forge(opened, (await SigningKeys(database, opened.runtime.keys).current()).signing)


def guard(forge: Forge) -> Guard:
    """Of a process that has seen nothing yet: it knows no signing key and no client."""
    database, keys = forge.api.runtime.database, forge.api.runtime.keys
    return Guard(database, SigningKeys(database, keys), Nonces(keys.blind), ORIGIN)


async def admitted(forge: Forge, headers: Headers) -> Admitted:
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers]
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": encoded}
    return await guard(forge).admitted(Request(scope))


async def refused(forge: Forge, headers: Headers) -> dict[str, Any]:
    with pytest.raises(TokenInvalid) as error:
        await admitted(forge, headers)
    return dict(error.value.facts)


async def test_a_caller_is_what_its_token_and_its_client_say_together(forge: Forge) -> None:
    """The rights are those that both name; documents and budget are the client's; how long it lasts is the token's."""
    async with forge.api.runtime.database.work() as tx:
        await tx.execute(
            text(
                "update client set documents = 'ONLY', cost_per_minute = 4321, tokens_from = now() - interval '1 hour' where client_id = 'partner-app'"
            )
        )
        scopes = (await tx.execute(text("select scopes from client where client_id = 'partner-app'"))).scalar_one()
    assert {"customers:read", "access:read"} <= set(scopes) and "policies:write" not in scopes
    now = int(time.time())
    token = forge.token(
        lambda header, claims: claims.update(
            scope="customers:read policies:write purpose:CREDIT_APPROVAL", jti="one", iat=now, exp=now + 77
        )
    )
    caller = Caller("partner-app", "PARTNER", frozenset({"customers:read"}), "CREDIT_APPROVAL", "ONLY", 4321)
    assert await admitted(forge, forge.headers(token)) == Admitted(caller, "one", now + 77, now)


async def test_what_was_wrong_is_told_in_the_scheme_that_was_used(forge: Forge) -> None:
    token = forge.token()
    used = forge.headers(token)
    await admitted(forge, used)
    assert await refused(forge, used) == {"error": "invalid_dpop_proof", "scheme": "dpop"}
    others = forge.proof(
        token, put("header", "jwk", {name: value for name, value in STRANGER.as_dict(private=False).items() if name != "kid"}), STRANGER
    )
    assert await refused(forge, forge.headers(token, others)) == {"error": "invalid_dpop_proof", "scheme": "dpop"}
    assert await refused(forge, forge.headers(token, forge.proof(token, put("payload", "htm", "GET")))) == {
        "error": "invalid_dpop_proof",
        "scheme": "dpop",
    }
    assert await refused(forge, [("Authorization", f"Bearer {token}")]) == {"scheme": "bearer"}
    assert await refused(forge, [("Authorization", "DPoP no token")]) == {"error": "invalid_request"}
    assert await refused(forge, []) == {"error": ""}


async def test_a_token_counts_from_the_instant_its_clients_tokens_count_from(forge: Forge) -> None:
    from_now = int(time.time()) - 5
    async with forge.api.runtime.database.work() as tx:
        await tx.execute(text("update client set tokens_from = to_timestamp(:at) where client_id = 'partner-app'"), {"at": from_now})
    token = forge.token(put("payload", "iat", from_now))
    assert (await admitted(forge, forge.headers(token))).issued_at == from_now
    assert await refused(forge, forge.headers(forge.token(put("payload", "iat", from_now - 1)))) == {"scheme": "dpop"}
