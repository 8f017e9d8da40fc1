"""The engine's side of the link pages: begins and completes an authorisation, keeps its grant. Implements :class:`hub.link.platforms.Platforms`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import UUID

from hub.connect import Connector, Grant
from hub.domain.identifiers import CustomerId
from hub.errors import CustomerMustAct
from hub.http import HostNotAllowed
from hub.store.database import Write
from hub.sync import grants
from hub.sync.approved import addresses, is_approved
from hub.sync.calls import Calls
from hub.sync.context import Equipment, Subjected, load
from hub.sync.hints import Meant, name_account
from hub.vault import Place


class Linking:
    """See the module."""

    def __init__(self, equipment: Equipment, calls: Calls) -> None:
        self.equipment, self.calls = equipment, calls

    @property
    def connectors(self) -> Mapping[str, Connector]:
        return {name: connector for name, connector in self.equipment.connectors.items() if name in self.equipment.configs}

    def origins(self) -> tuple[str, ...]:
        """Where a browser may be sent: every address that an operator approved, as an origin."""
        urls = {url for name in self.connectors for url in addresses(self.equipment.configs[name])}
        return tuple(sorted({"{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in urls}))

    async def seal_verifier(self, tx: Write, customer_id: CustomerId, connection_id: UUID, verifier: str) -> bytes:
        return (await self.equipment.vault.sealer(tx, customer_id)).seal(_verifier(connection_id), verifier.encode())

    async def open_verifier(self, tx: Write, customer_id: CustomerId, connection_id: UUID, sealed: bytes) -> str:
        return (await self.equipment.vault.sealer(tx, customer_id)).open(_verifier(connection_id), sealed).decode()

    async def begin(
        self, customer_id: CustomerId, connection_id: UUID, redirect_uri: str, state: str, verifier: str, text_hash: str
    ) -> str:
        found = await self._load(customer_id, connection_id)
        dialogue = found.connector.authorisation.begin(
            found.context, redirect_uri=redirect_uri, state=state, verifier=verifier, text_hash=text_hash
        )
        page = await self.calls.converse(found.connector, found.context, dialogue)
        if not is_approved(self.equipment.configs[found.connector.manifest.name], page):
            raise HostNotAllowed(
                f"{found.connector.manifest.title}: the page to authorise on is not below an address that connectors.json names."
            )
        return page

    async def complete(
        self, customer_id: CustomerId, connection_id: UUID, redirect_uri: str, verifier: str, callback: Mapping[str, str]
    ) -> Grant:
        found = await self._load(customer_id, connection_id)
        if not _is_issuer(found.context.config, callback.get("iss")):
            raise CustomerMustAct(
                "The answer names another issuer than the platform that was asked.", remedy="Start the authorisation again."
            )
        dialogue = found.connector.authorisation.complete(found.context, redirect_uri=redirect_uri, verifier=verifier, callback=callback)
        return await self.calls.converse(found.connector, found.context, dialogue)

    async def keep(self, tx: Write, customer_id: CustomerId, connection_id: UUID, grant: Grant) -> None:
        found = await load(self.equipment, tx, customer_id, connection_id)
        context = replace(found.context, grant=grant, now=datetime.now(UTC))
        lasting = grants.refreshable(found.connector, context)
        await grants.keep(self.equipment, tx, customer_id, connection_id, grant, refreshable=lasting)
        await name_account(tx, self.equipment.blind, Meant(customer_id, connection_id), found.connector, grant)

    async def _load(self, customer_id: CustomerId, connection_id: UUID) -> Subjected:
        async with self.equipment.database.work() as tx:
            found = await load(self.equipment, tx, customer_id, connection_id)
        return replace(found, context=self.calls.current(found.connector, found.context))


def _is_issuer(config: Mapping[str, str], said: str | None) -> bool:
    """Whether an answer comes from whom was asked (RFC 9207). An operator who knows the issuer names it in the connector's settings (``issuer``): then it must be
    said, exactly. Where none is known a platform may say nothing, or its own address.
    """
    if "issuer" in config:
        return said == config["issuer"]
    base = config["base_url"].rstrip("/")
    return said is None or said.rstrip("/") in (base, "{0.scheme}://{0.netloc}".format(urlsplit(base)))


def _verifier(connection_id: UUID) -> Place:
    return Place("authorisation_attempt", "verifier", str(connection_id))
