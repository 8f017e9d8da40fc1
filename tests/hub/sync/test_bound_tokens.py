"""Calls with a token that is bound to a key: the platform's nonce is learned on the way, and never taken for a token that has ended."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from hub.connect import Connector, Grant, OAuth, dpop
from hub.domain.enums import Verdict
from hub.sync import grants
from tests.hub.sync.platform import connector, page_of, raw, refund
from tests.hub.sync.world import World

PATH = "/refunds"
CHALLENGE = 'DPoP error="use_dpop_nonce", error_description="a nonce is wanted"'


def bound() -> Connector:
    one = connector()
    return replace(one, manifest=replace(one.manifest, oauth=OAuth(dpop=True)), sign=dpop.sign)


@pytest.fixture
async def mine(world: World) -> World:
    """A connection whose token is bound."""
    made = world.with_connector(bound())
    async with made.database.work() as tx:
        grant = Grant("access-0", "refresh-0", 7200, extra={dpop.KEY: dpop.new_key()})
        await grants.keep(made.equipment, tx, made.customer_id, made.connection_id, grant)
    return made


def wants(nonce: str) -> object:
    return raw(json.dumps({"error": "invalid_token"}), 401, www_authenticate=CHALLENGE, dpop_nonce=nonce)


def nonces(world: World) -> list[str | None]:
    """What the proofs of the calls for data said."""
    proofs = [heard["header:dpop"].split(".")[1] for heard in world.platform.asked(PATH)]
    return [json.loads(base64.urlsafe_b64decode(one + "=" * (-len(one) % 4))).get("nonce") for one in proofs]


async def test_a_call_that_only_lacks_the_nonce_is_made_once_more(mine: World) -> None:
    mine.platform.says(PATH, wants("n-1"), page_of([refund("1")], total=1))  # type: ignore[arg-type]
    assert await mine.sync() is Verdict.COMPLETE
    assert nonces(mine) == [None, "n-1"]
    assert mine.platform.asked("/oauth2/token") == [], "the token is as good as it was"
    assert all(heard["header:authorization"] == "DPoP access-0" for heard in mine.platform.asked(PATH))


async def test_a_nonce_is_kept_for_the_next_call_and_replaced_by_a_newer_one(mine: World) -> None:
    turned = page_of([refund("1")], 2, total=2)
    turned.headers["DPoP-Nonce"] = "n-2"
    mine.platform.says(PATH, wants("n-1"), turned, page_of([refund("2")], total=2))  # type: ignore[arg-type]
    assert await mine.sync() is Verdict.COMPLETE
    assert nonces(mine) == [None, "n-1", "n-2"]


async def test_a_platform_that_is_never_content_is_not_asked_for_ever(mine: World) -> None:
    mine.platform.says(PATH, *[wants(f"n-{at}") for at in range(20)])  # type: ignore[misc]
    await mine.sync()
    assert len(mine.platform.asked(PATH)) <= 4, "twice with the token, twice with a refreshed one"


async def test_control_a_platform_whose_manifest_says_nothing_of_it_is_told_no_nonce(world: World) -> None:
    """Its 401 is about the token, whatever else it says."""
    world.platform.says(PATH, wants("n-1"), page_of([refund("1")], total=1))  # type: ignore[arg-type]
    assert await world.sync() is Verdict.COMPLETE
    assert len(world.platform.asked("/oauth2/token")) == 1
    assert world.calls.nonces == {}
