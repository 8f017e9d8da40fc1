"""The keys that sign tokens follow one another without a token that does not open, and without a process that has to be told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet as Published
from sqlalchemy import text

from hub.access import keys
from hub.access.jose import peek_header
from hub.access.keys import PUBLISHED_BEFORE, SigningKeys, list_keys, rotate
from hub.store.database import Database
from tests.hub.access.side import Api, Side

QUERY = "{ customers { totalCount } }"


async def later(database: Database, by: timedelta) -> None:
    """Time passes for the keys."""
    async with database.work() as tx:
        await tx.execute(text("update signing_key set created_at = created_at - :by, retired_at = retired_at - :by"), {"by": by})


async def states(database: Database) -> list[str]:
    async with database.work() as tx:
        return [key.state for key in await list_keys(tx)]


async def rotated(api: Api, database: Database, *, compromised: bool = False) -> keys.Rotation:
    async with database.work() as tx:
        return await rotate(tx, api.runtime.keys, compromised=compromised)


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that reads the keys each time, as if a minute had passed."""
    monkeypatch.setattr(keys, "_CACHED", -1.0)


async def signed_by(side: Side) -> str:
    assert (await side.login()).status_code == 200
    return str(peek_header(side.token)["kid"])


@pytest.mark.usefixtures("forgetful")
async def test_a_key_is_published_before_it_signs_and_verifies_after(api: Api, database: Database) -> None:
    partner = api.sides["partner-app"]
    first, old = await signed_by(partner), partner.token
    made = await rotated(api, database)
    assert made.signs_from - datetime.now(UTC) > PUBLISHED_BEFORE - timedelta(seconds=10) and await states(database) == ["NEXT", "SIGNING"]
    jwks = (await partner.http.get("/oauth/jwks")).json()
    assert {key["kid"] for key in jwks["keys"]} == {first, made.kid}, "whoever reads the JWKS knows it before the first token comes"
    assert await signed_by(partner) == first
    await later(database, PUBLISHED_BEFORE + timedelta(seconds=1))
    assert await states(database) == ["SIGNING", "VERIFYING"]
    assert await signed_by(partner) == made.kid
    assert jwt.decode(partner.token, Published.import_key_set(jwks), algorithms=["ES256"]).claims["client_id"] == "partner-app"
    for token in (old, partner.token):
        partner.token = token
        assert (await partner.ask(QUERY)).status_code == 200, "tokens of both open"
    await later(database, keys.KEPT_AFTER)
    assert await states(database) == ["SIGNING", "RETIRED"]
    partner.token = old
    assert (await partner.ask(QUERY)).status_code == 401
    assert [key["kid"] for key in (await partner.http.get("/oauth/jwks")).json()["keys"]] == [made.kid]


@pytest.mark.usefixtures("forgetful")
async def test_keys_that_are_in_wrong_hands_end_with_their_tokens(api: Api, database: Database) -> None:
    partner = api.sides["partner-app"]
    first = await signed_by(partner)
    following = await rotated(api, database)
    made = await rotated(api, database, compromised=True)
    assert await states(database) == ["SIGNING", "RETIRED", "RETIRED"]
    refused = await partner.ask(QUERY)
    assert refused.status_code == 401 and 'error="invalid_token"' in refused.headers["www-authenticate"]
    assert await signed_by(partner) == made.kid not in (first, following.kid)
    assert (await partner.ask(QUERY)).status_code == 200


@pytest.mark.usefixtures("forgetful")
async def test_one_rotation_after_the_other_keeps_its_order(api: Api, database: Database) -> None:
    partner = api.sides["partner-app"]
    first = await signed_by(partner)
    second, third = await rotated(api, database), await rotated(api, database)
    assert await states(database) == ["NEXT", "NEXT", "SIGNING"] and await signed_by(partner) == first
    await later(database, PUBLISHED_BEFORE + timedelta(seconds=1))
    assert await signed_by(partner) == third.kid != second.kid
    assert (await states(database))[0] == "SIGNING"


async def test_a_process_that_knows_the_old_keys_opens_a_token_of_the_new_one(api: Api, database: Database) -> None:
    """Its cache is a minute old, or its clock is: the key's id makes it look again."""
    partner = api.sides["partner-app"]
    await signed_by(partner)
    made = await rotated(api, database)
    await later(database, PUBLISHED_BEFORE + timedelta(seconds=1))
    here = SigningKeys(database, api.runtime.keys)
    assert (await here.current()).signing.kid == made.kid
    found = await here.knowing("unknown")
    assert found is await here.knowing("unknown"), "at most once a second"


async def test_control_a_key_that_signs_before_it_is_known_is_noticed(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "PUBLISHED_BEFORE", timedelta(seconds=-1))
    monkeypatch.setattr(keys, "_CACHED", -1.0)
    partner = api.sides["partner-app"]
    jwks = (await partner.http.get("/oauth/jwks")).json()
    await rotated(api, database)
    assert await signed_by(partner) not in {key["kid"] for key in jwks["keys"]}
