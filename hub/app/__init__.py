"""The API process: GraphQL, the partners' OAuth server, the link pages, health. A composition root: it may see every room.

Decisions are made on ``scope["path"]``; the Host header is compared whole with the configured origin before anything else, and nothing is ever
built from it (trust rules, section f).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope
from starlette.websockets import WebSocket
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from hub.access.audit import AccessLog, ChainKeys
from hub.access.challenges import challenge as challenge_of
from hub.access.challenges import status_of
from hub.access.documents import Documents
from hub.access.guard import Guard
from hub.access.keys import SigningKeys
from hub.access.meter import Meter
from hub.access.nonces import Nonces
from hub.access.server import AuthorizationServer
from hub.app import unserved
from hub.app.explorer import explorer
from hub.app.readiness import Readiness
from hub.domain.caller import Caller
from hub.domain.clock import Clock
from hub.errors import TokenInvalid
from hub.store.database import STORE_ERRORS, Database, is_away
from hub.store.view import CATALOGUE, Pulse, Reader, ViewSettings
from hub.store.view.looking import Rules
from hub.vault import Blind, KeyService
from schema.access import SCOPES
from schema.contract import HubSchema, build_schema
from schema.endpoint import Endpoint
from schema.services import Services

GRAPHQL = "/graphql"


@dataclass(frozen=True, slots=True)
class AppRuntime:
    """What the API works with. ``origin`` is the public one (scheme, host and port); ``hosts`` are further Host values to answer to, ``watching``
    bounds subscriptions; ``federated``: it is a subgraph, too. ``now`` is real time, which tokens, proofs and assertions live by.
    """

    database: Database
    keys: KeyService
    clock: Clock
    services: Services
    view: ViewSettings
    origin: str
    hosts: frozenset[str] = frozenset()
    link_app: ASGIApp | None = None
    watching: Rules | None = None
    webhooks: Sequence[Route] = ()
    log: AccessLog | None = None
    federated: bool = False
    now: Callable[[], float] = time.time
    explorer: bool = False


def build_app(runtime: AppRuntime) -> ASGIApp:
    """The ASGI application, guarded by the Host check."""
    signing, nonces = SigningKeys(runtime.database, runtime.keys), Nonces(runtime.keys.blind)
    server = AuthorizationServer(runtime.database, signing, nonces, runtime.origin, tuple(SCOPES), runtime.now)
    guard = Guard(runtime.database, signing, nonces, runtime.origin, runtime.now)
    endpoint = _endpoint(runtime, guard, server)
    handler = Handler(endpoint)
    routes: list[BaseRoute] = [
        Route(GRAPHQL, handler),
        WebSocketRoute(GRAPHQL, endpoint.socket),
        *server.routes(),
        Route("/healthz", _healthy),
        Route("/readyz", Readiness(runtime.database).answer),
        *runtime.webhooks,
    ]
    if runtime.explorer:
        routes.append(explorer())
    if runtime.link_app is not None:
        routes.append(Mount("/link", runtime.link_app))
    app = Starlette(routes=routes, exception_handlers={404: unserved.not_found, 405: unserved.other_method})
    return HostCheck(Straight(handler, _told_by_proxies(app)), runtime.origin, runtime.hosts)


def _told_by_proxies(app: Any) -> Any:
    """The pages write down which address a customer agreed from: as a proxy forwards it, if it is one of those that uvicorn trusts. GraphQL asks for nobody's address."""
    return ProxyHeadersMiddleware(app, os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1,::1"))


def _endpoint(runtime: AppRuntime, guard: Guard, server: AuthorizationServer) -> Endpoint:
    def courtesy() -> Mapping[str, str]:
        return {"DPoP-Nonce": server.nonces.current(server.now())}

    def challenge(error: TokenInvalid) -> tuple[int, Mapping[str, str]]:
        return status_of(error), {"WWW-Authenticate": challenge_of(error, runtime.origin), **courtesy()}

    blind = Blind(runtime.keys.blind)

    def tag(caller: Caller, digest: str) -> str:
        """Keyed, and each client's own: from a bare digest a small answer could be guessed."""
        return blind.hash("graphql.etag", f"{caller.client_id}|{caller.purpose}|{digest}")

    log = runtime.log or AccessLog(runtime.database, ChainKeys.of(runtime.keys))
    reader = Reader(runtime.database, CATALOGUE, runtime.view, runtime.clock, log)
    pulse = Pulse(runtime.database, runtime.clock, runtime.watching, runtime.now)
    meter, trusted = Meter(runtime.database), Documents(runtime.database)
    ways = (guard.admitted, challenge, courtesy, tag, STORE_ERRORS, is_away)
    return Endpoint(_contract(runtime.federated), reader, pulse, runtime.services, meter, trusted, *ways)


@cache
def _contract(federated: bool) -> HubSchema:
    """One for the process: it knows nothing of any runtime, and is large."""
    return build_schema(federated=federated)


class Handler:
    """An ASGI endpoint that hears every method, so that the endpoint itself answers 405."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        response = await self.endpoint(Request(scope, receive))
        await response(scope, receive, send)


class Straight:
    """What nearly every request asks for is answered before the routes of ``others`` are looked through."""

    def __init__(self, handler: ASGIApp, others: ASGIApp) -> None:
        self.handler, self.others = handler, others

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        found = self.handler if scope["type"] == "http" and scope["path"] == GRAPHQL else self.others
        await found(scope, receive, send)


async def _healthy(request: Request) -> Response:
    """Up, and nothing else."""
    return PlainTextResponse("up")


class HostCheck:
    """Refuses a request unless it has exactly one Host header, which is that of ``origin`` or one of ``hosts`` (name and port)."""

    def __init__(self, app: ASGIApp, origin: str, hosts: frozenset[str] = frozenset()) -> None:
        self.app, self.hosts = app, frozenset(host.encode("ascii") for host in {urlsplit(origin).netloc, *hosts})
        self.origin = origin

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        found = [value.lower() for name, value in scope["headers"] if name == b"host"]
        if len(found) != 1 or found[0] not in self.hosts:
            refusal = unserved.misdirected(self.origin)
            if scope["type"] == "websocket":
                await WebSocket(scope, receive, send).send_denial_response(refusal)
            else:
                await refusal(scope, receive, send)
            return
        await self.app(scope, receive, send)
