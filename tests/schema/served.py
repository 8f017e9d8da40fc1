"""The API over the small world on a real socket, and bearer tokens for it: for clients that are not ours, and for requests that no client would send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.sandbox.serve import Server, bind
from hub.store.database import Database
from schema.services import Services
from tests.hub.access.side import NO_SERVICES, Api, open_api


@dataclass(frozen=True, slots=True)
class Served:
    """``url`` is where it listens; ``token`` an unbound one of an internal client that may introspect."""

    api: Api
    host: str
    port: int
    token: str

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/graphql"

    async def raw(self, request: bytes, patience: float = 5.0) -> bytes:
        """What comes back for these bytes, until the server closes or nothing more comes."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        writer.write(request)
        answer = b""
        try:
            async with asyncio.timeout(patience):
                await writer.drain()
                while chunk := await reader.read(65536):
                    answer += chunk
        except (TimeoutError, ConnectionError):
            pass
        writer.close()
        return answer


@asynccontextmanager
async def served(database: Database, home: Path, services: Services = NO_SERVICES, **changes: Any) -> AsyncIterator[Served]:
    listener = bind("127.0.0.1", 0)
    host, port = listener.getsockname()[:2]
    async with open_api(database, home, services, hosts=frozenset({f"{host}:{port}"}), **changes) as api:
        server = Server(api.app, listener)
        await server.start()
        try:
            yield Served(api, host, port, await bearer(api))
        finally:
            await server.stop()


async def bearer(api: Api, name: str = "risk-desk") -> str:
    """An unbound token: asked for without a proof."""
    side = api.sides[name]
    answer = await side.form("/oauth/token", side.client.token_form())
    return str(answer.json()["access_token"])
