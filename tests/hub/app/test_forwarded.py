"""Behind a proxy the pages see the customer's address, and a stranger cannot say another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from hub.store.database import Database
from tests.hub.access.side import ORIGIN, open_api


async def page(scope: Any, receive: Any, send: Any) -> None:
    client = Request(scope).client
    await PlainTextResponse(client.host if client else "")(scope, receive, send)


@pytest.mark.parametrize(
    ("peer", "trusted", "seen"),
    [
        ("127.0.0.1", None, "203.0.113.7"),
        ("198.51.100.9", None, "198.51.100.9"),
        ("198.51.100.9", "198.51.100.0/24", "203.0.113.7"),
        ("127.0.0.1", "198.51.100.0/24", "127.0.0.1"),
    ],
)
async def test_whose_word_is_taken(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, peer: str, trusted: str | None, seen: str
) -> None:
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    if trusted is not None:
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", trusted)
    async with open_api(database, tmp_path, link_app=page) as api:
        transport = httpx.ASGITransport(app=api.app, client=(peer, 50_000))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
            answer = await http.get("/link/ask", headers={"X-Forwarded-For": "203.0.113.7"})
    assert answer.text == seen
