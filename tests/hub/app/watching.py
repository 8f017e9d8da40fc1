"""A served hub with a scripted platform behind it, and clients that subscribe over both transports as somebody outside would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from connectors.sandbox.serve import bind
from hub.access.caller import ClientSide
from hub.access.clients import NewClient, make_client_keys, register_client
from hub.app import AppRuntime, build_app
from hub.store.database import Database
from hub.store.view import ViewSettings
from hub.store.view.looking import Rules
from hub.vault import FileKeys
from schema.access import AUDIENCES
from schema.socket import PROTOCOL
from tests.hub.access.side import NO_SERVICES, Side
from tests.hub.sync.platform import Scripted, connector
from tests.hub.sync.server import Brief
from tests.hub.sync.world import GRANTEE, World, build
from tests.listing import listing

CLIENTS = {"admin": "ADMIN", "test": "INTERNAL", "another": "INTERNAL", "partner-app": "PARTNER"}
"""``test`` is who made the customer known, and so may see it."""
WATCH = """subscription Watch($id: ID, $customer: ID) { syncProgress(connectionId: $id, customerId: $customer) {
    connector running lastVerdict run { verdict fetched windowsDone windowsPlanned }
    windows { nodes { fetched declaredTotal progress progressUnknown state } } } }"""
PATIENCE = 20.0
Message = Mapping[str, Any]


@dataclass
class Gate:
    """Holds the platform's answers back until they are let through, one by one."""

    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def before(self, _: Mapping[str, str]) -> None:
        await self.places.acquire()

    def open(self, answers: int = 1) -> None:
        for _ in range(answers):
            self.places.release()


@dataclass
class Hub:
    """See the module."""

    world: World
    server: Brief
    sides: dict[str, Side]
    gate: Gate

    @property
    def connection(self) -> str:
        return f"PlatformConnection:{self.world.customer_id}:{self.world.connection_id}"

    def variables(self) -> dict[str, str]:
        return {"id": self.connection}

    @asynccontextmanager
    async def socket(self, client: str = "admin", **changes: Any) -> AsyncIterator[ClientConnection]:
        """A socket whose handshake is proved, greeted already unless ``greet`` is False."""
        greet, uri = changes.pop("greet", True), changes.pop("uri", self.server.origin.replace("http", "ws") + "/graphql")
        side = self.sides[client]
        headers = {"Authorization": f"DPoP {side.token}", "DPoP": side.client.proof("GET", side.client.graphql_url, side.token)}
        given: dict[str, Any] = {"subprotocols": [PROTOCOL], "additional_headers": headers, "compression": None, "proxy": None, **changes}
        async with asyncio.timeout(PATIENCE), connect(uri, **given) as socket:
            if greet:
                await socket.send('{"type": "connection_init"}')
                assert json.loads(await socket.recv()) == {"type": "connection_ack"}
            yield socket

    @asynccontextmanager
    async def stream(self, client: str = "admin", query: str = WATCH, **variables: Any) -> AsyncIterator[httpx.Response]:
        side = self.sides[client]
        body = {"query": query, "variables": variables or self.variables()}
        headers = {**side.client.headers(side.token), "Accept": "text/event-stream"}
        async with asyncio.timeout(PATIENCE), side.http.stream("POST", "/graphql", json=body, headers=headers) as answer:
            yield answer


async def subscribe(socket: ClientConnection, name: str = "1", query: str = WATCH, **variables: Any) -> None:
    await socket.send(json.dumps({"id": name, "type": "subscribe", "payload": {"query": query, "variables": variables}}))


async def heard(socket: ClientConnection) -> AsyncIterator[Message]:
    """Messages up to the one that ends the only subscription."""
    async for text in socket:
        message: Message = json.loads(text)
        yield message
        if message["type"] in ("complete", "error"):
            return


async def events(answer: httpx.Response) -> AsyncIterator[Message]:
    """Events of a stream in the shape of the socket's messages."""
    name = ""
    async for line in answer.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data:"):
            data = line.removeprefix("data:").strip()
            yield {"type": name, "payload": json.loads(data)} if data else {"type": name}


@asynccontextmanager
async def served(database: Database, home: Path, rules: Rules) -> AsyncIterator[Hub]:
    platform, gate, listener = Scripted(), Gate(), bind("127.0.0.1", 0)
    platform_server = platform.server()
    await platform_server.start()
    world = await build(database, home, platform, platform_server, connector())
    origin = "http://{}:{}".format(*listener.getsockname()[:2])
    clock = world.equipment.clock
    runtime = AppRuntime(database, FileKeys(home / "keys.json"), clock, NO_SERVICES, ViewSettings(GRANTEE), origin, watching=rules)
    server = Brief(build_app(runtime), listener)
    await server.start()
    async with httpx.AsyncClient(base_url=origin, trust_env=False, verify=False, timeout=PATIENCE) as http:
        sides = {name: await _side(database, http, name, origin) for name in CLIENTS}
        platform.before = gate.before
        yield Hub(world, server, sides, gate)
    gate.open(1000)
    await world.calls.desks.close()
    await world.calls.http.close()
    await server.stop()
    await platform_server.stop()


async def _side(database: Database, http: httpx.AsyncClient, name: str, origin: str) -> Side:
    private, public = make_client_keys()
    scopes = tuple(AUDIENCES[CLIENTS[name]])
    async with database.work() as tx:
        await register_client(
            tx,
            NewClient(name, name, CLIENTS[name], scopes, ("CREDIT_APPROVAL",), public, documents="OPEN", **listing(CLIENTS[name])),
            AUDIENCES,
        )
    side = Side(http, ClientSide(name, private, origin))
    await side.login()
    assert side.token
    return side
