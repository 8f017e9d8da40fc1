"""The stage of a demo: simulated platforms, a whole hub and its clients on loopback, the business clock stopped at a persona's instant.

Everything is the production wiring (:mod:`hub.cli.runtime`); only the platforms are simulated and the clock is frozen.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select

from connectors import registry
from connectors.sandbox.persona import Persona
from connectors.sandbox.platform import World
from connectors.sandbox.serve import Sandbox, Server, bind
from hub.access.caller import ClientSide
from hub.access.clients import NewClient, make_client_keys, register_client
from hub.access.documents import add_document
from hub.cli.assessments import require_assessed, simulated
from hub.cli.caller import Caller, write_key, write_origin
from hub.cli.courier import courier, hooks_of
from hub.cli.runtime import Runtime, open_runtime, store_of
from hub.cli.sandbox import start_platforms
from hub.connect import Connector
from hub.credit.reference import Edge
from hub.domain.clock import Clock
from hub.domain.enums import Purpose, RelationType
from hub.domain.identifiers import CustomerId
from hub.http import browser
from hub.settings import Settings
from hub.store.database import Database
from hub.store.embedded import Urls
from hub.store.evaluations.reference import LENDER, keep_checked
from hub.store.migrate import migrate
from hub.store.relations import keep_graph
from hub.store.tables import evaluation
from hub.sync.settings import Patience
from hub.worker import work
from schema.access import AUDIENCES
from schema.contract import build_schema
from schema.examples import example, names

PARTNER, RISK = "partner-app", "risk-desk"
RETURN_URL = "https://partner.example/back"


@dataclass
class Stage:
    """See the module. ``world`` holds the failure switches of the platforms."""

    settings: Settings
    runtime: Runtime
    sandbox: Sandbox
    world: World
    origin: str
    partner: Caller
    risk: Caller
    patience: Patience = field(default_factory=Patience.short)
    _worker: asyncio.Task[None] | None = None

    example = staticmethod(example)
    browser = staticmethod(browser)

    @property
    def connectors(self) -> Mapping[str, Connector]:
        return self.runtime.connectors

    @property
    def database(self) -> Database:
        return self.runtime.database

    @property
    def clock(self) -> Clock:
        return self.runtime.clock

    def start_worker(self) -> asyncio.Task[None]:
        """One worker in this process, started at most once."""
        if self._worker is None:
            self._worker = asyncio.create_task(work(self.runtime, self.patience))
        return self._worker

    async def stop_worker(self) -> None:
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
            self._worker = None

    async def document_of(self, customer_id: CustomerId, name: str) -> dict[str, Any]:
        """The customer's latest evaluation in the shape of the expected format."""
        newest = (evaluation.c.created_at.desc(), evaluation.c.evaluation_id.desc())
        async with self.database.work() as tx:
            mine = select(evaluation.c.document).where(evaluation.c.customer_id == customer_id)
            document = (await tx.execute(mine.order_by(*newest).limit(1))).scalar_one()
        return {**document, "persona": name}


@asynccontextmanager
async def open_stage(chosen: Settings, personas: Sequence[Persona], *, database: str, urls: Urls | None = None) -> AsyncIterator[Stage]:
    """A stage with a database of its own, made anew, or on ``urls``: a migrated store without anybody's rows. The lender and the clock are those of the
    first persona.
    """
    lender = str(personas[0].reference["lender"])
    embedded = {"database_url": None, "app_database_url": None, "worker_database_url": None, "embedded_database": database}
    settings = chosen.model_copy(update={**embedded, "grantee": lender})
    async with AsyncExitStack() as stack:
        listener = bind(settings.host, settings.port)
        stack.callback(listener.close)
        if urls is None:
            urls = await stack.enter_async_context(store_of(settings, fresh=True))
            await migrate(urls)
        origin = "http://{}:{}".format(*listener.getsockname()[:2])
        redirects = tuple(f"{origin}/link/callback/{name}" for name in registry.NAMES)
        world = World(tuple(personas), redirects, hooks=hooks_of(origin))
        sandbox = start_platforms(world)
        await sandbox.start()
        stack.push_async_callback(sandbox.stop)
        configs = {name: one.config() for name, one in sandbox.running.items()}
        clock = Clock.frozen(personas[0].known_at)
        runtime = await stack.enter_async_context(open_runtime(settings, urls, clock=clock, configs=configs))
        await require_assessed(runtime, simulated(configs))
        await _furnish(runtime, personas)
        server = Server(runtime.api(origin), listener)
        await server.start()
        stack.push_async_callback(server.stop)
        await stack.enter_async_context(courier(world))
        partner, risk = [await _client(runtime, origin, name) for name in (PARTNER, RISK)]
        for caller in (partner, risk):
            stack.push_async_callback(caller.close)
        stage = Stage(settings, runtime, sandbox, world, origin, partner, risk)
        stack.push_async_callback(stage.stop_worker)
        yield stage


async def _furnish(runtime: Runtime, personas: Sequence[Persona]) -> None:
    """Publishes the policies and loads what the lender knows in the personas' case."""
    await runtime.publish()
    graph: dict[str, list[Edge]] = {}
    for persona in personas:
        if persona.relations and persona.business:
            own, parties = persona.business.uscc, persona.invoices.parties if persona.invoices else {}
            graph[own] = [Edge(own, parties[row.party].uscc, _type(row.type)) for row in persona.relations.related]
    async with runtime.database.work() as tx:
        await keep_checked(tx, LENDER, personas[0].reference, runtime.clock.now())
        await keep_graph(tx, graph, "persona", "operator", runtime.clock.now())


def _type(said: str) -> RelationType:
    """The format knows no closed list: what it names otherwise is control."""
    return RelationType(said) if said in RelationType.__members__ else RelationType.CONTROL


_CLIENTS: Mapping[str, tuple[str, str, tuple[str, ...], bool]] = {
    PARTNER: ("Partner app", "PARTNER", (RETURN_URL,), False),
    RISK: ("Risk desk", "INTERNAL", (), True),
}


async def _client(runtime: Runtime, origin: str, name: str) -> Caller:
    """Registers a client with the documents it needs, keeps its key in the home, and speaks for it."""
    title, audience, return_urls, bearer = _CLIENTS[name]
    private, public = make_client_keys()
    scopes = tuple(sorted(AUDIENCES[audience]))
    new = NewClient(name, title, audience, scopes, (Purpose.CREDIT_APPROVAL.value,), public, return_urls, bearer, **_listing(audience))
    async with runtime.database.work() as tx:
        await register_client(tx, new, AUDIENCES)
        for document in _documents(frozenset(scopes)) if new.documents == "ONLY" else ():
            await add_document(tx, name, document, "operator")
    write_key(runtime.settings.home, name, private, origin)
    write_origin(runtime.settings.home, origin)
    return Caller(ClientSide(name, private, origin), stored=new.documents == "ONLY")


def _listing(audience: str) -> dict[str, Any]:
    """The stage's platform is on the stage's list."""
    return {"listed_from": date(2020, 1, 1), "listed_in": "the stage's list of platforms"} if audience == "PARTNER" else {}


def _documents(scopes: frozenset[str]) -> Iterator[str]:
    """The examples of the contract that a client of these scopes may ask: what was reviewed for it."""
    known = build_schema().documents
    for text in map(example, names()):
        if set(known.plan(known.of(text, introspecting=False), None, {}).needs) <= scopes:
            yield text
