"""Requests that ask at once are admitted by one statement, and a proof counts once all the same."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy.exc import SQLAlchemyError

from hub.access.admissions import Admissions, Waiting
from hub.access.clients import NewClient, make_client_keys, register_client
from hub.store.database import Database
from schema.access import AUDIENCES


async def known(database: Database) -> None:
    async with database.work() as tx:
        await register_client(tx, NewClient("desk", "Desk", "INTERNAL", ("facts:read",), (), make_client_keys()[1]), AUDIENCES)


def shown(proof: str | None, client: str = "desk") -> dict[str, Any]:
    ends = datetime.now(UTC) + timedelta(minutes=2)
    return {"client": client, "token": "t", "thumbprint": proof and "k", "proof": proof, "expires_at": proof and ends}


async def test_a_proof_that_is_shown_by_many_at_once_lets_one_in(database: Database) -> None:
    await known(database)
    here, there = Admissions(database), Admissions(database)
    found = await asyncio.gather(*(one.of(shown(f"p{number % 3}")) for number in range(30) for one in (here, there)))
    assert sum(one.fresh for one in found) == 3
    assert not (await here.of(shown("p0"))).fresh


async def test_twins_of_two_statements_at_once_let_one_in(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who show one proof go with different statements of one process, which do run at the same time."""
    await known(database)
    many, running, most = Admissions(database), 0, 0
    do = Database.do

    async def counted(*asked: Any) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return await do(*asked)
        finally:
            running -= 1

    monkeypatch.setattr(Database, "do", counted)
    found = await asyncio.gather(*(many.of(shown("p")) for _ in range(6)))
    assert (most, sum(one.fresh for one in found)) == (2, 1)


async def test_a_group_that_holds_a_proof_twice_would_let_two_in(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control."""

    def taken(self: Admissions) -> list[Waiting]:
        found, self._waiting = self._waiting, []
        return found

    await known(database)
    monkeypatch.setattr(Admissions, "_taken", taken)
    many = Admissions(database)
    assert sum(one.fresh for one in await asyncio.gather(*(many.of(shown("p")) for _ in range(30)))) > 1


async def test_each_is_told_of_its_own(database: Database) -> None:
    await known(database)
    many = Admissions(database)
    found = await asyncio.gather(many.of(shown("b")), many.of(shown("a", "nobody")), many.of(shown(None)), many.of(shown("c")))
    assert [(one.client and orjson.loads(one.client)["client_id"], one.fresh, one.revoked) for one in found] == [
        ("desk", True, False),
        (None, True, False),
        ("desk", False, False),
        ("desk", True, False),
    ]


async def test_without_the_store_nobody_is_let_in(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: Any) -> list[Any]:
        raise SQLAlchemyError

    monkeypatch.setattr(Database, "do", away)
    many = Admissions(database)
    found = await asyncio.gather(*(many.of(shown(f"p{number}")) for number in range(3)), return_exceptions=True)
    assert [type(one) for one in found] == [SQLAlchemyError] * 3
