"""Nothing is watched for longer than the token lives, nor while nothing happens for long."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

import hub.access.guard as guard_module
from hub.access.client_life import disable_client, end_tokens
from hub.store.database import Database
from hub.store.view.looking import Rules
from hub.store.view.pulse import Pulse
from tests.hub.app.watching import Hub, events, heard, served, subscribe


@pytest.fixture
async def hub(database: Database, tmp_path: Path) -> AsyncIterator[Hub]:
    async with served(database, tmp_path, Rules(period=0.05, idle=1.5)) as found:
        await found.world.make_due()
        yield found


@pytest.fixture
def short_lived(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens that end in a moment."""
    real = guard_module.open_access_token
    monkeypatch.setattr(guard_module, "open_access_token", lambda *given: structs.replace(real(*given), expires_at=time.time() + 1.0))


async def test_idleness_ends_it(hub: Hub) -> None:
    async with hub.stream() as answer, hub.socket() as socket:
        await subscribe(socket, **hub.variables())
        assert [message["type"] async for message in events(answer)] == ["next", "complete"]
        assert [message["type"] async for message in heard(socket)] == ["next", "complete"]


@pytest.mark.usefixtures("short_lived")
async def test_a_stream_ends_with_its_token(hub: Hub) -> None:
    async with hub.stream() as answer:
        messages = [message async for message in events(answer)]
    assert [message["type"] for message in messages] == ["next", "next", "complete"]
    assert messages[1]["payload"]["errors"][0]["extensions"]["code"] == "TOKEN_INVALID"


@pytest.mark.usefixtures("short_lived")
async def test_a_socket_ends_with_its_token(hub: Hub) -> None:
    async with hub.socket() as socket:
        await subscribe(socket, **hub.variables())
        await socket.wait_closed()
        assert socket.close_code == 4403


@pytest.mark.parametrize("end", [end_tokens, disable_client])
async def test_a_stream_ends_when_its_client_s_tokens_do(hub: Hub, database: Database, end: Any) -> None:
    async with hub.stream() as answer:
        reading = events(answer)
        assert (await anext(reading))["type"] == "next"
        async with database.work() as tx:
            await end(tx, "admin")
        (error,) = (await anext(reading))["payload"]["errors"]
        assert error["extensions"]["code"] == "TOKEN_INVALID"
        assert (await anext(reading))["type"] == "complete"


async def test_a_look_that_fails_is_made_up_for_by_the_next(hub: Hub, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database that is away for a moment ends no subscription."""
    real, failed = Pulse.__dict__["_look"], 0

    async def failing(self: Pulse, watchers: Any) -> None:
        nonlocal failed
        if failed < 3:
            failed += 1
            raise OperationalError("select", {}, Exception("away"))
        await real(self, watchers)

    async with hub.stream() as answer:
        reading = events(answer)
        assert (await anext(reading))["type"] == "next"
        monkeypatch.setattr(Pulse, "_look", failing)
        async with database.work() as tx:
            await tx.execute(text("UPDATE connection SET epoch = epoch + 1"))
        assert (await anext(reading))["type"] == "next"
    assert failed == 3


async def test_an_error_nobody_expected_is_masked(hub: Hub, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    async def broken(self: Pulse, watchers: Any) -> None:
        raise ZeroDivisionError("canary-31")

    monkeypatch.setattr(Pulse, "_look", broken)
    async with hub.stream() as answer:
        messages = [message async for message in events(answer)]
    (error,) = messages[0]["payload"]["errors"]
    assert (error["message"], error["extensions"]["code"], messages[1]["type"]) == (
        "Something went wrong in the hub.",
        "INTERNAL",
        "complete",
    )
    async with hub.socket() as socket:
        await subscribe(socket, **hub.variables())
        (message,) = [message async for message in heard(socket)]
    assert message["payload"][0]["extensions"]["code"] == "INTERNAL"
    written = capfd.readouterr()
    assert "canary-31" not in written.out + written.err and "graphql.masked" in written.out
