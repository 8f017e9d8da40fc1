"""An API over the small world, with registered clients and a client side for each, over ASGI without sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp

from hub.access.caller import ClientSide
from hub.access.clients import NewClient, make_client_keys, register_client
from hub.app import AppRuntime, build_app
from hub.domain.clock import Clock
from hub.store.database import Database
from hub.store.view import ViewSettings
from hub.vault import FileKeys
from schema.access import AUDIENCES
from schema.services import Services
from tests.hub.view.world import GRANTEE, KNOWN, World, build
from tests.listing import listing

ORIGIN = "https://hub.example:8443"


async def _unserved(*_: Any) -> Any:
    raise AssertionError("this test does not call services")


NO_SERVICES = Services(**dict.fromkeys((one.name for one in fields(Services)), _unserved))


@dataclass
class Side:
    """A client with its transport. ``sent`` counts requests."""

    http: httpx.AsyncClient
    client: ClientSide
    token: str = ""
    sent: int = field(default=0)

    async def form(self, path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> httpx.Response:
        return await self.http.post(path, data=dict(form), headers=dict(headers or {}))

    async def login(self, scope: str | None = None) -> httpx.Response:
        """Asks for a token, once more when the server asks for its nonce."""
        for _ in range(2):
            proof = {"DPoP": self.client.proof("POST", self.client.token_url)}
            answer = await self.form("/oauth/token", self.client.token_form(scope), proof)
            if not self.client.heard(answer.headers, answer.json()):
                break
        self.token = answer.json().get("access_token", "")
        return answer

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None) -> httpx.Response:
        body = {"query": query, "variables": dict(variables or {})}
        return await self.http.post("/graphql", json=body, headers={**self.client.headers(self.token), **(headers or {})})


@dataclass
class Api:
    app: ASGIApp
    world: World
    runtime: AppRuntime
    sides: dict[str, Side]


CLIENTS = {"partner-app": ("PARTNER", False), "risk-desk": ("INTERNAL", True), "another": ("INTERNAL", False), "admin": ("ADMIN", False)}


@asynccontextmanager
async def open_api(
    database: Database, home: Path, services: Services = NO_SERVICES, origin: str = ORIGIN, **changes: Any
) -> AsyncIterator[Api]:
    world = await build(database)
    runtime = AppRuntime(database, FileKeys(home / "keys.json"), Clock.frozen(KNOWN), services, ViewSettings(GRANTEE, {}), origin)
    app = build_app(replace(runtime, **changes))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=origin) as http:
        sides = {}
        for name, (audience, bearer) in CLIENTS.items():
            private, public = make_client_keys()
            new = NewClient(
                name,
                name,
                audience,
                tuple(AUDIENCES[audience]),
                ("CREDIT_APPROVAL",),
                public,
                ("https://partner.example/back",),
                bearer,
                "OPEN",
                **listing(audience),
            )
            async with database.work() as tx:
                await register_client(tx, new, AUDIENCES)
            sides[name] = Side(http, ClientSide(name, private, origin))
        yield Api(app, world, runtime, sides)
