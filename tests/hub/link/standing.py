"""The link pages of a hub with any connectors, listening; a customer who opens a link in a browser of her own, and goes to a platform and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from uuid import UUID

import httpx
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.routing import Mount

from connectors.sandbox.serve import bind
from hub.access.audit import AccessLog
from hub.access.audit.chain import ChainKeys
from hub.cli.browser import forms_of
from hub.connect import Connector
from hub.domain.clock import Clock
from hub.domain.enums import SourceKind
from hub.domain.identifiers import CustomerId
from hub.http import Http
from hub.link.pages import LinkPages
from hub.link.service import LinkRequest, LinkService
from hub.store.database import Database
from hub.sync.calls import Calls
from hub.sync.context import Equipment
from hub.sync.desk import Desks
from hub.sync.linking import Linking
from hub.sync.quota import Ledger
from hub.vault import Blind, FileKeys, Vault
from tests.hub.sync.server import Brief
from tests.hub.sync.world import GRANTEE, Time, new_customer

RETURN = "https://partner.example/back"
MOST_STEPS = 12


@dataclass
class Standing:
    """``linking`` is what the link service asks of the engine."""

    equipment: Equipment
    calls: Calls
    links: LinkService
    linking: Linking
    origin: str

    async def customer(self, number: str = "11010519491231002X") -> CustomerId:
        return await new_customer(self.equipment, number)

    async def link(self, customer_id: CustomerId, *sources: SourceKind) -> str:
        request = LinkRequest("partner", customer_id, sources, ("S03",), "CREDIT_APPROVAL", RETURN)
        async with self.equipment.database.work() as tx:
            return self.links.url_of(await self.links.create(tx, request))

    async def rows(self, statement: str, **values: Any) -> list[Mapping[str, Any]]:
        async with self.equipment.database.work() as tx:
            return [dict(row) for row in (await tx.execute(text(statement), values)).mappings()]

    async def connection(self, customer_id: CustomerId, connector: str) -> Mapping[str, Any]:
        """The customer's connection, and whether it holds a grant."""
        (found,) = await self.rows(
            "SELECT c.*, EXISTS (SELECT 1 FROM credential k WHERE k.connection_id = c.connection_id) AS granted FROM connection c "
            "WHERE c.customer_id = :customer AND c.connector = :connector",
            customer=customer_id,
            connector=connector,
        )
        return found


@asynccontextmanager
async def standing(
    database: Database, home: Path, connectors: Sequence[Connector], configs: Mapping[str, Mapping[str, str]]
) -> AsyncIterator[Standing]:
    keys, listener = FileKeys(home / "keys.json"), bind("127.0.0.1", 0)
    named = {one.manifest.name: one for one in connectors}
    equipment = Equipment(database, Vault(keys), Blind(keys.blind), Clock(Time().now), GRANTEE, named, configs)
    calls = Calls(Http([config["base_url"] for config in configs.values()]), Desks(Ledger(database, equipment.blind)))
    linking, origin = Linking(equipment, calls), "http://{}:{}".format(*listener.getsockname()[:2])

    async def nudge(customer: CustomerId, connection: UUID) -> None:
        return

    links = LinkService(
        database,
        linking,
        equipment.clock,
        grantee=GRANTEE,
        origin=origin,
        nudge=nudge,
        token_of=lambda link_id: equipment.blind.hash("link.token", str(link_id)),
    )
    log = AccessLog(database, ChainKeys.of(equipment.vault.keys))
    pages = Brief(Starlette(routes=[Mount("/link", LinkPages(links, log).app())]), listener)
    await pages.start()
    yield Standing(equipment, calls, links, linking, origin)
    await pages.stop()
    await calls.desks.close()
    await calls.http.close()


class Visitor:
    """A browser that follows redirects until a test's own eyes are wanted: at the hub's callback."""

    def __init__(self, client: httpx.AsyncClient, origin: str) -> None:
        self.client, self.origin = client, origin

    async def get(self, url: str) -> httpx.Response:
        return await self.client.get(urljoin(self.origin, url))

    async def agree(self, connector: str, link: str = "") -> httpx.Response:
        """Opens the link, or the page as it stands, ticks everything of a platform and submits it."""
        if link:
            assert (await self.get(link)).status_code == 303
        page = (await self.get("/link/")).text
        form = next(form for form in forms_of(page) if form.hidden.get("connector") == connector)
        fields: dict[str, list[str]] = {}
        for name, value in (*form.hidden.items(), *form.boxes):
            fields.setdefault(name, []).append(value)
        return await self.client.post(self.origin + form.action, data=fields)

    async def to_callback(self, agreed: httpx.Response) -> str:
        """From the hub's answer through the platform's pages; the callback's URL, not opened."""
        assert agreed.status_code == 303, agreed.text
        url = agreed.headers["location"]
        for _ in range(MOST_STEPS):
            if url.startswith(f"{self.origin}/link/callback/"):
                return str(url)
            answer = await self.client.get(url)
            assert answer.is_redirect, answer.text
            url = urljoin(url, answer.headers["location"])
        raise AssertionError("the platform does not send the browser back")


@asynccontextmanager
async def visitor(standing: Standing) -> AsyncIterator[Visitor]:
    async with httpx.AsyncClient(follow_redirects=False, trust_env=False, verify=False, timeout=20) as client:
        yield Visitor(client, standing.origin)
