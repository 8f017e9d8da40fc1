"""The engine against real simulated platforms: the project's own persona consents, authorises in a browser, and is synced twice."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import zstandard
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.routing import Mount

from connectors import registry
from connectors.sandbox.persona import Persona
from connectors.sandbox.platform import World
from connectors.sandbox.serve import Sandbox, Server, bind
from hub.access.audit import AccessLog
from hub.access.audit.chain import ChainKeys
from hub.cli.browser import authorise_everything
from hub.cli.runtime import Runtime, open_runtime
from hub.cli.sandbox import own_personas
from hub.domain.clock import Clock
from hub.domain.enums import Verdict
from hub.domain.identifiers import CustomerId
from hub.http import browser
from hub.link.pages import LinkPages
from hub.link.service import LinkRequest
from hub.settings import Settings
from hub.store.customers import NewCustomer, NewPerson, create_customer
from hub.store.embedded import Urls
from hub.sync.settings import Patience
from hub.vault import Place

NAMES = ("cn_public_records", "cn_credit_bureau", "alipay")


@dataclass
class Hub:
    """A wired hub, its platforms, and the customer who has authorised them."""

    runtime: Runtime
    world: World
    sandbox: Sandbox
    persona: Persona
    customer_id: CustomerId

    async def rows(self, statement: str, **values: Any) -> list[Mapping[str, Any]]:
        async with self.runtime.database.work() as tx:
            return [dict(row) for row in (await tx.execute(text(statement), {"customer": self.customer_id, **values})).mappings()]

    async def sync(self) -> dict[str, Verdict | None]:
        """Every connection once, all at the same time."""
        engine = self.runtime.engine(Patience.short())
        await self.rows("UPDATE connection SET due_at = clock_timestamp() WHERE customer_id = :customer RETURNING 1")
        rows = await self.rows("SELECT connector, connection_id FROM connection WHERE customer_id = :customer")
        ended = await asyncio.gather(*(engine.run(self.customer_id, UUID(str(row["connection_id"]))) for row in rows))
        return dict(zip([str(row["connector"]) for row in rows], ended, strict=True))


async def authorised(runtime: Runtime, stack: AsyncExitStack, origin: str, listener: Any, persona: Persona) -> CustomerId:
    log = AccessLog(runtime.database, ChainKeys.of(runtime.vault.keys))
    pages = Server(Starlette(routes=[Mount("/link", LinkPages(runtime.links(origin), log).app())]), listener)
    await pages.start()
    stack.push_async_callback(pages.stop)
    assert persona.business is not None
    person = NewPerson(persona.responsible.name, persona.responsible.resident_id)
    new = NewCustomer("ORG", persona.business.name, persona.business.uscc, person)
    sources = tuple(source for name in NAMES for source in registry.load(name).manifest.sources)
    async with runtime.database.work() as tx:
        customer_id = await create_customer(tx, runtime.vault, runtime.blind, new, ["partner"], runtime.clock.now())
        asked = LinkRequest("partner", customer_id, sources, ("S03",), "CREDIT_APPROVAL", "https://partner.example/")
        url = runtime.links(origin).url_of(await runtime.links(origin).create(tx, asked))
    async with browser() as acting:
        assert await authorise_everything(acting, url, login=persona.id, wants=lambda consent_id: True) == []
    return customer_id


@pytest.fixture
async def hub(urls: Urls, tmp_path: Path) -> AsyncIterator[Hub]:
    persona, listener = own_personas()[0], bind("127.0.0.1", 0)
    origin = "http://{}:{}".format(*listener.getsockname()[:2])
    world = World((persona,), tuple(f"{origin}/link/callback/{name}" for name in NAMES))
    sandbox = Sandbox({name: registry.simulate(name, world) for name in NAMES})
    async with AsyncExitStack() as stack:
        await sandbox.start()
        stack.push_async_callback(sandbox.stop)
        configs = {name: one.config() for name, one in sandbox.running.items()}
        clock = Clock.frozen(persona.known_at)
        runtime = await stack.enter_async_context(open_runtime(Settings(home=tmp_path), urls, clock=clock, configs=configs))
        customer_id = await authorised(runtime, stack, origin, listener, persona)
        yield Hub(runtime, world, sandbox, persona, customer_id)


async def test_three_platforms_twice(hub: Hub) -> None:
    assert await hub.sync() == dict.fromkeys(NAMES, Verdict.COMPLETE)
    facts = await hub.rows("SELECT kind, source_key, version, known_to FROM fact WHERE customer_id = :customer")
    assert len(facts) > 100
    assert {fact["version"] for fact in facts} == {1}
    await every_page_is_what_was_received(hub)
    assert await hub.sync() == dict.fromkeys(NAMES, Verdict.COMPLETE)
    again = await hub.rows("SELECT kind, source_key, version, known_to FROM fact WHERE customer_id = :customer")
    assert sorted(map(str, again)) == sorted(map(str, facts)), "unchanged data, no new version"
    await the_figures_add_up(hub)


async def every_page_is_what_was_received(hub: Hub) -> None:
    """Each page opens to the bytes whose hash it carries; nothing of the customer stands in its row in plain text."""
    assert hub.persona.business is not None
    pages = await hub.rows("SELECT page_id, request::text AS request, sha256, size, body FROM raw_page WHERE customer_id = :customer")
    known = [hub.persona.business.uscc, hub.persona.business.name, hub.persona.responsible.resident_id, hub.persona.responsible.name]
    async with hub.runtime.database.work() as tx:
        sealer = await hub.runtime.vault.sealer(tx, hub.customer_id)
    seen = b""
    for page in pages:
        body = zstandard.decompress(sealer.open(Place("raw_page", "body", str(page["page_id"])), bytes(page["body"])))
        assert (hashlib.sha256(body).hexdigest(), len(body)) == (page["sha256"], page["size"])
        assert [word for word in known if word in page["request"] or word.encode() in bytes(page["body"])] == []
        seen += body
    assert any(word.encode() in seen for word in known), "control: the words do occur in what was received"


async def the_figures_add_up(hub: Hub) -> None:
    runs = await hub.rows("SELECT * FROM sync_run WHERE customer_id = :customer")
    assert len(runs) == 6
    for run in runs:
        assert run["fetched"] == run["stored"] + run["unchanged"] + run["quarantined"] + run["rejected"]
    later = [run for run in runs if run["epoch"] == 2]
    assert {run["stored"] for run in later} == {0}


async def test_a_platform_that_is_down_costs_the_others_nothing(hub: Hub) -> None:
    hub.world.switches["cn_credit_bureau"] = {"down"}
    await hub.sandbox.stop("alipay")
    ended = await hub.sync()
    assert ended == {"cn_public_records": Verdict.COMPLETE, "cn_credit_bureau": Verdict.PARKED, "alipay": Verdict.FAILED}
    statuses = await hub.rows("SELECT DISTINCT status FROM connection WHERE customer_id = :customer")
    assert [row["status"] for row in statuses] == ["ACTIVE"], "a platform in trouble ends no connection"
    hub.world.switches.clear()
    ended = await hub.sync()
    assert (ended["cn_credit_bureau"], ended["alipay"]) == (Verdict.COMPLETE, Verdict.FAILED)
