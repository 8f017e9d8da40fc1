"""Clients who send one mutation with one key, over HTTP, and what is counted afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from hub.access.caller import ClientSide
from hub.access.clients import NewClient, make_client_keys, register_client
from hub.app.services import HubServices
from hub.cli.runtime import open_runtime
from hub.domain.clock import Clock
from hub.settings import Settings
from hub.store.embedded import Urls
from schema.access import AUDIENCES
from schema.examples import example
from tests.hub.access.side import Side
from tests.hub.app.conftest import BACK, NOW, Desk
from tests.listing import listing

GRANTEE = "样例银行"
CLIENTS = {"partner-app": "PARTNER", "risk-desk": "INTERNAL", "admin": "ADMIN"}
LOGS = {"access_log", "audit_anchor", "used_token_id", "signing_key", "cost_ledger"}
"""Of the reading, not of the effect: a repetition is written down, too."""
_TABLES = text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")


@dataclass
class Scene:
    """``desk`` makes the ground; ``sides`` ask."""

    desk: Desk
    sides: dict[str, Side]

    async def ask(self, mutation: str, client: str, asked: Mapping[str, Any], key: str) -> httpx.Response:
        return await self.sides[client].ask(example(mutation[0].upper() + mutation[1:]), {"input": dict(asked), "key": key})

    async def counts(self) -> dict[str, int]:
        """Rows by table, beside the logs'."""
        async with self.desk.runtime.database.work() as tx:
            names = sorted(set((await tx.execute(_TABLES)).scalars()) - LOGS - {"alembic_version"})
        # As the owner: the hub's own role does not see who is not its own, such as what is sealed.
        every = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM \"{name}\"" for name in names)
        async with self.owner() as tx:
            return {name: int(found) for name, found in await tx.execute(text(every))}

    @asynccontextmanager
    async def owner(self) -> AsyncIterator[Any]:
        engine = create_async_engine(self.desk.runtime.database.urls.admin or "")
        async with engine.connect() as connection:
            yield connection
        await engine.dispose()


def grown(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    return {name: more for name, found in after.items() if (more := found - before.get(name, 0))}


async def registered(desk: Desk, http: httpx.AsyncClient, origin: str) -> dict[str, Side]:
    sides = {}
    for name, audience in CLIENTS.items():
        private, public = make_client_keys()
        new = NewClient(
            name, name, audience, tuple(AUDIENCES[audience]), ("CREDIT_APPROVAL",), public, (BACK,), documents="OPEN", **listing(audience)
        )
        async with desk.runtime.database.work() as tx:
            await register_client(tx, new, AUDIENCES)
        sides[name] = Side(http, ClientSide(name, private, origin))
    return sides


@asynccontextmanager
async def grounded(urls: Urls, home: Path, origin: str) -> AsyncIterator[Desk]:
    """The services of a hub whose clients are not registered yet."""
    async with open_runtime(Settings(home=home, grantee=GRANTEE), urls, clock=Clock.frozen(NOW), configs={}) as runtime:
        await runtime.publish()
        yield Desk(runtime, HubServices(runtime.equipment, runtime.links(origin)), count())


@asynccontextmanager
async def opened(urls: Urls, home: Path, origin: str) -> AsyncIterator[Scene]:
    """The API without a socket."""
    async with grounded(urls, home, origin) as desk:
        transport = httpx.ASGITransport(app=desk.runtime.api(origin))
        async with httpx.AsyncClient(transport=transport, base_url=origin) as http:
            scene = Scene(desk, await registered(desk, http, origin))
            for side in scene.sides.values():
                await side.login()
            yield scene
