"""The link pages, listening, with a customer who is asked for two sources of the scripted platform; and a person's browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount

from connectors.sandbox.serve import bind
from hub.access.audit import AccessLog
from hub.access.audit.chain import ChainKeys
from hub.cli.browser import Form, forms_of
from hub.domain.enums import SourceKind
from hub.domain.identifiers import CustomerId
from hub.http import Http
from hub.link.pages import LinkPages
from hub.link.service import LinkRequest, LinkService
from hub.store.database import Database
from hub.sync.calls import Calls
from hub.sync.desk import Desks
from hub.sync.linking import Linking
from hub.sync.quota import Ledger
from tests.hub.sync.platform import Scripted, connector
from tests.hub.sync.server import Brief
from tests.hub.sync.world import GRANTEE, Time, World, equipment_of, new_customer

RETURN = "https://partner.example/back?from=hub"
BOTH = (SourceKind.SHOP, SourceKind.SETTLEMENT)


@dataclass
class Side:
    """Everything a link test looks at. ``nudged`` are the connections a worker was woken for."""

    world: World
    links: LinkService
    origin: str
    log: AccessLog
    nudged: list[UUID] = field(default_factory=list)

    async def link(self, sources: tuple[SourceKind, ...] = BOTH, customer_id: CustomerId | None = None) -> str:
        request = LinkRequest("partner", customer_id or self.world.customer_id, sources, ("S03",), "CREDIT_APPROVAL", RETURN)
        async with self.world.database.work() as tx:
            return self.links.url_of(await self.links.create(tx, request))

    async def rows(self, statement: str, **values: Any) -> list[Mapping[str, Any]]:
        return await self.world.rows(statement, **values)

    async def consents(self) -> dict[str, str]:
        rows = await self.rows("SELECT source, status FROM consent WHERE customer_id = :customer ORDER BY changed_at, consent_id")
        return {row["source"]: row["status"] for row in rows}

    async def status(self) -> str:
        (row,) = await self.rows("SELECT status FROM connection WHERE customer_id = :customer AND connector = 'scripted'")
        return str(row["status"])


class Person:
    """A browser that stops where a test wants to look: it follows no redirect by itself."""

    def __init__(self, client: httpx.AsyncClient, origin: str) -> None:
        self.client, self.origin = client, origin

    async def get(self, url: str, **headers: str) -> httpx.Response:
        return await self.client.get(self.origin + url if url.startswith("/") else url, headers=headers)

    async def post(self, form: Form | str, fields: list[tuple[str, str]]) -> httpx.Response:
        action = form if isinstance(form, str) else form.action
        return await self.client.post(self.origin + action, data=_grouped(fields))

    async def open(self, url: str) -> str:
        """Opens a link and returns the page."""
        assert (await self.get(url)).status_code == 303
        return (await self.get("/link/")).text

    async def agree(self, page: str, take: int | None = None) -> httpx.Response:
        """Ticks the first consents of the platform's form (by default all boxes, so that the app may have it, too) and submits it."""
        form = platform_form(page)
        ticked = form.boxes if take is None else consents_in(form)[:take]
        return await self.post(form, [*form.hidden.items(), *ticked])

    async def to_platform_and_back(self, agreed: httpx.Response) -> str:
        """Follows to the platform, which sends the browser back at once; returns the callback's URL without opening it."""
        assert agreed.status_code == 303, agreed.text
        return (await self.get(agreed.headers["location"])).headers["location"]


def _grouped(fields: list[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in fields:
        grouped.setdefault(name, []).append(value)
    return grouped


def consents_in(form: Form) -> list[tuple[str, str]]:
    """The boxes that give or withdraw a consent, without those that are about an app."""
    return [box for box in form.boxes if box[0] == "consent"]


def platform_form(page: str) -> Form:
    return next(form for form in forms_of(page) if form.hidden.get("connector") == "scripted")


@asynccontextmanager
async def opened(database: Database, home: Path) -> AsyncIterator[Side]:
    platform, listener = Scripted(), bind("127.0.0.1", 0)
    server = platform.server()
    await server.start()
    time = Time()
    equipment = equipment_of(database, home, time, connector(), server.origin)
    customer_id = await new_customer(equipment)
    calls = Calls(Http([server.origin]), Desks(Ledger(database, equipment.blind)))
    world = World(database, platform, server, equipment, calls, time, customer_id, customer_id, customer_id)
    origin = "http://{}:{}".format(*listener.getsockname()[:2])
    nudged: list[UUID] = []

    async def nudge(customer: CustomerId, connection: UUID) -> None:
        nudged.append(connection)

    links = LinkService(
        database,
        Linking(equipment, calls),
        equipment.clock,
        grantee=GRANTEE,
        origin=origin,
        nudge=nudge,
        token_of=lambda link_id: equipment.blind.hash("link.token", str(link_id)),
    )
    log = AccessLog(database, ChainKeys.of(equipment.vault.keys))
    pages = Brief(Starlette(routes=[Mount("/link", LinkPages(links, log).app())]), listener)
    await pages.start()
    yield Side(world, links, origin, log, nudged)
    await pages.stop()
    await server.stop()
    await calls.desks.close()
    await calls.http.close()


@asynccontextmanager
async def person(side: Side) -> AsyncIterator[Person]:
    async with httpx.AsyncClient(follow_redirects=False, trust_env=False, verify=False, timeout=20) as client:
        yield Person(client, side.origin)
