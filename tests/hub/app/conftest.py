"""The services of a wired hub on a database of the test's own, with one connector configured and nothing listening."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from hub.access.clients import NewClient, make_client_keys, register_client
from hub.app.services import HubServices
from hub.cli.runtime import Runtime, open_runtime
from hub.domain.caller import Caller
from hub.domain.clock import Clock
from hub.domain.enums import Purpose, SourceKind
from hub.settings import Settings
from hub.store.embedded import Urls
from schema import services as contract
from schema.access import AUDIENCES
from tests.listing import listing

NOW = datetime(2026, 1, 20, 2, 0, tzinfo=UTC)
ORIGIN = "https://hub.example:8443"
BACK = "https://partner.example/back"
PERSON = contract.PersonInput("沈知夏", "339998198709170425", "宁波市")
SHOP = contract.CreateCustomer("ORG", "宁波晚屋茶器店", "92330203MA2DEMKX0M", PERSON)


@dataclass
class Desk:
    """The services, and calls by different clients with keys of their own."""

    runtime: Runtime
    services: HubServices
    keys: Any

    def call(self, client: str = "partner-app", key: str | None = None, digest: str = "d") -> contract.Call:
        audience = "INTERNAL" if client == "risk-desk" else "PARTNER"
        caller = Caller(client, audience, AUDIENCES[audience], "CREDIT_APPROVAL")
        return contract.Call(caller, key or f"key-{next(self.keys)}", digest)

    async def shop(self, client: str = "partner-app") -> str:
        return await self.services.identity.create_customer(self.call(client), SHOP)


@pytest.fixture
async def desk(urls: Urls, tmp_path: Path) -> AsyncIterator[Desk]:
    configs = {"cn_tax": {"base_url": "http://127.0.0.1:9"}}
    async with open_runtime(Settings(home=tmp_path, grantee="样例银行"), urls, clock=Clock.frozen(NOW), configs=configs) as runtime:
        await runtime.publish()
        async with runtime.database.work() as tx:
            for name, audience in (("partner-app", "PARTNER"), ("other-app", "PARTNER"), ("risk-desk", "INTERNAL")):
                scopes, jwks = tuple(AUDIENCES[audience]), make_client_keys()[1]
                await register_client(
                    tx,
                    NewClient(
                        name, name, audience, scopes, ("CREDIT_APPROVAL", "POST_LOAN"), jwks, (BACK,), documents="OPEN", **listing(audience)
                    ),
                    AUDIENCES,
                )
        yield Desk(runtime, HubServices(runtime.equipment, runtime.links(ORIGIN)), count())


def link_for(customer_id: str, **changes: Any) -> contract.CreateLinkSession:
    asked = contract.CreateLinkSession(customer_id, (SourceKind.TAX, SourceKind.DEVICE), ("S03",), Purpose.CREDIT_APPROVAL, BACK)
    return replace(asked, **changes)
