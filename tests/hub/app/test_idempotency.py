"""One key: one effect, one answer, also for twins and after a failure."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, text, update

from hub.errors import HubError, InvalidInput, KeyReused, TwinRunning
from hub.store import idempotency
from hub.store.database import Write
from hub.store.embedded import LIMITS
from hub.store.idempotency import Answer, OnceKey, once
from hub.store.tables import customer, idempotency_key
from tests.hub.app.conftest import SHOP, Desk

KEY = OnceKey("app", "k", "d")


async def test_twenty_twins_have_one_effect_and_one_answer(desk: Desk) -> None:
    call = desk.call(key="same")
    answers = await asyncio.gather(*(desk.services.identity.create_customer(call, SHOP) for _ in range(20)))
    assert len(set(answers)) == 1
    async with desk.runtime.database.work() as tx:
        assert (await tx.execute(select(func.count()).select_from(customer))).scalar() == 1
        assert (await tx.execute(select(idempotency_key.c.response))).scalar_one() == {"customer": answers[0]}


def counting(seen: list[int]) -> Callable[[], Awaitable[Answer]]:
    async def effect() -> Answer:
        seen.append(1)
        return {"made": len(seen)}

    return effect


async def test_the_answer_is_kept_and_another_body_is_refused(desk: Desk) -> None:
    seen: list[int] = []
    for expected in ({"made": 1}, {"made": 1}):
        async with desk.runtime.database.work() as tx:
            assert await once(tx, KEY, counting(seen)) == expected
    with pytest.raises(KeyReused):
        async with desk.runtime.database.work() as tx:
            await once(tx, OnceKey("app", "k", "other"), counting(seen))
    async with desk.runtime.database.work() as tx:
        assert await once(tx, OnceKey("another", "k", "other"), counting(seen)) == {"made": 2}


async def test_a_failure_leaves_no_key(desk: Desk) -> None:
    async def fails() -> Answer:
        raise InvalidInput("no")

    with pytest.raises(InvalidInput):
        async with desk.runtime.database.work() as tx:
            await once(tx, KEY, fails)
    async with desk.runtime.database.work() as tx:
        assert await once(tx, KEY, counting([])) == {"made": 1}


async def test_a_twin_does_not_wait_for_ever(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "TWIN_WAIT", "200ms")
    working, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> Answer:
        working.set()
        await go_on.wait()
        return {"made": 1}

    async def first() -> Answer:
        async with desk.runtime.database.work() as tx:
            return await once(tx, KEY, slow)

    one = asyncio.create_task(first())
    await working.wait()
    with pytest.raises(TwinRunning):
        async with desk.runtime.database.work() as tx:
            await once(tx, KEY, counting([]))
    go_on.set()
    assert await one == {"made": 1}


async def test_a_key_that_is_stored_by_itself_loses_the_effect(desk: Desk) -> None:
    """The control: with the key committed before the effect, a crash in between answers nothing for ever."""

    async def in_two_transactions(tx: Write) -> None:
        row = {"client_id": "app", "key": "k", "request_sha256": "d", "response": {}, "created_at": func.now()}
        await tx.execute(insert(idempotency_key).values(row))

    async with desk.runtime.database.work() as tx:
        await in_two_transactions(tx)
    async with desk.runtime.database.work() as tx:
        assert await once(tx, KEY, counting([])) == {}


async def test_the_lock_timeout_ends_with_the_key(desk: Desk) -> None:
    async with desk.runtime.database.work() as tx:
        await once(tx, KEY, counting([]))
        assert (await tx.execute(text("show lock_timeout"))).scalar() == LIMITS["hub_worker"]["lock_timeout"]


async def test_what_is_kept_of_an_input_is_keyed(desk: Desk) -> None:
    """A bare SHA-256 over names and numbers is found by trying them."""
    digest = hashlib.sha256(b"input").hexdigest()
    call = desk.call(key="k", digest=digest)
    made = await desk.services.identity.create_customer(call, SHOP)
    async with desk.runtime.database.work() as tx:
        kept = (await tx.execute(select(idempotency_key.c.request_sha256))).scalar_one()
        assert digest not in kept and kept == desk.runtime.blind.hash("idempotency.request", digest)
        await tx.execute(update(idempotency_key).values(request_sha256=digest))
    assert await desk.services.identity.create_customer(call, SHOP) == made, "a row of the version before is still known"
    with pytest.raises(KeyReused):
        await desk.services.identity.create_customer(desk.call(key="k", digest="other"), SHOP)


async def test_keys_are_forgotten_in_time(desk: Desk) -> None:
    database, seen = desk.runtime.database, list[int]()
    async with database.work() as tx:
        for key in ("old", "young"):
            await once(tx, OnceKey("app", key, "d"), counting(seen))
        mine = update(idempotency_key).where(idempotency_key.c.key == "old")
        await tx.execute(mine.values(created_at=func.now() - idempotency.KEPT - timedelta(minutes=1)))
    assert [await idempotency.forget_keys(database) for _ in range(2)] == [1, 0]
    async with database.work() as tx:
        assert (await tx.execute(select(idempotency_key.c.key))).scalars().all() == ["young"]


def test_its_problems_are_told_to_callers() -> None:
    assert issubclass(KeyReused, HubError)
    assert KeyReused().remedy == "Use a new key for a new request."
