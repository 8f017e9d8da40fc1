"""One account at a platform that two customers link is noticed, and nobody but who watches is told (ADR 23)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from hub.domain.identifiers import CustomerId
from hub.sync.revoking import disconnect
from tests.hub.link.side import Person, Side, person
from tests.hub.sync.platform import raw
from tests.hub.sync.world import new_customer

TWICE = "account_linked_twice"


async def links(side: Side, customer_id: CustomerId, account: str | None) -> tuple[int, list[dict[str, Any]]]:
    """A customer links an account. The status of her way back, and what was noted."""
    said = {"access_token": "t", "token_type": "Bearer", "expires_in": 3600, **({"subject": account} if account is not None else {})}
    side.world.platform.says("/oauth2/token", raw(json.dumps(said)))
    async with person(side) as me:
        callback = await me.to_platform_and_back(await me.agree(await me.open(await side.link(customer_id=customer_id))))
        with capture_logs() as logs:
            answer = await me.get(callback)
    return answer.status_code, [dict(one) for one in logs if one["event"] == TWICE]


async def again(side: Side, customer_id: CustomerId, account: str) -> list[dict[str, Any]]:
    """She authorises once more, at another account maybe."""
    await side.world.do("UPDATE connection SET status = 'REAUTHORISE' WHERE customer_id = :whose", whose=customer_id)
    return (await links(side, customer_id, account))[1]


async def holder(side: Side, customer_id: CustomerId) -> str | None:
    (row,) = await side.rows("SELECT holder_hash FROM connection WHERE customer_id = :whose", whose=customer_id)
    found: str | None = row["holder_hash"]
    return found


@pytest.fixture
async def two(side: Side) -> tuple[CustomerId, CustomerId]:
    return side.world.customer_id, await new_customer(side.world.equipment, "110101199003070003")


async def test_one_account_of_two_customers_is_linked_and_noted(side: Side, two: tuple[CustomerId, CustomerId]) -> None:
    account = f"shop-{two[0]}"
    assert await links(side, two[0], account) == (303, [])
    status, noted = await links(side, two[1], account)
    (row,) = await side.rows("SELECT connection_id, status FROM connection WHERE customer_id = :whose", whose=two[1])
    assert (status, row["status"]) == (303, "ACTIVE"), "the customer has proved whose it is; who watches decides what it means"
    expected = {"event": TWICE, "log_level": "warning", "connector": "scripted", "connection": str(row["connection_id"]), "count": 1}
    assert noted == [expected], "no name, no hash, no other customer"
    first, second = [await holder(side, one) for one in two]
    assert first == second is not None and account not in str(first)


async def test_two_accounts_are_two_and_nothing_is_known_of_one_that_is_not_told(side: Side, two: tuple[CustomerId, CustomerId]) -> None:
    assert (await links(side, two[0], f"one-{two[0]}"))[1] == [] == (await links(side, two[1], f"other-{two[0]}"))[1]
    assert await holder(side, two[0]) != await holder(side, two[1])
    for one in two:
        await side.world.do("UPDATE connection SET status = 'REAUTHORISE' WHERE customer_id = :whose", whose=one)
        assert (await links(side, one, None))[1] == []
        assert await holder(side, one) is None


async def test_what_is_authorised_anew_is_looked_at_anew(side: Side, two: tuple[CustomerId, CustomerId]) -> None:
    account = f"shop-{two[0]}"
    await links(side, two[0], account)
    assert len((await links(side, two[1], account))[1]) == 1
    assert await again(side, two[1], f"own-{two[0]}") == []
    assert len(await again(side, two[1], account)) == 1
    assert len(await again(side, two[0], account)) == 1, "it is seen from both sides"


async def test_an_account_whose_connection_was_ended_may_be_linked_by_another(side: Side, two: tuple[CustomerId, CustomerId]) -> None:
    account = f"shop-{two[0]}"
    await links(side, two[0], account)
    (row,) = await side.rows("SELECT connection_id FROM connection WHERE customer_id = :whose", whose=two[0])
    async with side.world.database.work() as tx:
        await disconnect(tx, two[0], row["connection_id"])
    assert (await links(side, two[1], account))[1] == []


async def test_the_customer_is_told_nothing_of_it(side: Side, me: Person, two: tuple[CustomerId, CustomerId]) -> None:
    account = f"shop-{two[0]}"
    await links(side, two[1], account)
    said = {"access_token": "t", "token_type": "Bearer", "expires_in": 3600, "subject": account}
    side.world.platform.says("/oauth2/token", raw(json.dumps(said)))
    callback = await me.to_platform_and_back(await me.agree(await me.open(await side.link())))
    answer = await me.get(callback)
    assert (answer.status_code, answer.headers["location"]) == (303, "/link/")
    page = (await me.get("/link/")).text
    assert not any(word in page for word in (account, str(two[1]), "twice"))
