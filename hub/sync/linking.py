"""The engine's side of the link pages: begins and completes an authorisation, keeps its grant. Implements :class:`hub.link.platforms.Platforms`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select

from hub.connect import Connector, Context, Grant
from hub.domain.identifiers import CustomerId
from hub.errors import CustomerMustAct, SecretMissing
from hub.http import HostNotAllowed
from hub.store.database import Write
from hub.store.tables import connection
from hub.sync import grants
from hub.sync.approved import addresses, is_approved
from hub.sync.calls import Calls
from hub.sync.context import Equipment, Subjected, load
from hub.sync.hints import Meant, name_account
from hub.sync.holders import note_holder
from hub.vault import Place, Vault


class Linking:
    """See the module."""

    def __init__(self, equipment: Equipment, calls: Calls) -> None:
        self.equipment, self.calls = equipment, calls

    @property
    def connectors(self) -> Mapping[str, Connector]:
        return {name: connector for name, connector in self.equipment.connectors.items() if name in self.equipment.configs}

    @property
    def vault(self) -> Vault:
        return self.equipment.vault

    def origins(self) -> tuple[str, ...]:
        """Where a browser may be sent: every address that an operator approved, as an origin."""
        urls = {url for name in self.connectors for url in addresses(self.equipment.configs[name])}
        return tuple(sorted({"{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in urls}))

    async def seal_verifier(self, tx: Write, customer_id: CustomerId, connection_id: UUID, verifier: str) -> bytes:
        place = await self._verifier(tx, customer_id, connection_id)
        return (await self.equipment.vault.sealer(tx, customer_id)).seal(place, verifier.encode())

    async def open_verifier(self, tx: Write, customer_id: CustomerId, connection_id: UUID, sealed: bytes) -> str:
        """Raises CustomerMustAct where the platform is another one now than when the login began."""
        sealer, place = await self.equipment.vault.sealer(tx, customer_id), await self._verifier(tx, customer_id, connection_id)
        try:
            return sealer.open(place, sealed).decode()
        except SecretMissing:
            raise CustomerMustAct(
                "The platform has changed since this authorisation began.", remedy="Start the authorisation again."
            ) from None

    async def _verifier(self, tx: Write, customer_id: CustomerId, connection_id: UUID) -> Place:
        """Where a verifier belongs: to a connection, and to whom it was about to be shown to. Sealed for one issuer it does not open for another."""
        mine = (connection.c.customer_id == customer_id, connection.c.connection_id == connection_id)
        name = (await tx.execute(select(connection.c.connector).where(*mine))).scalar_one()
        return verifier_place(connection_id, self.equipment.config(name))

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
        if not _is_issuer(found.context, callback.get("iss")):
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
        mine = Meant(customer_id, connection_id)
        await name_account(tx, self.equipment.blind, mine, found.connector, grant)
        await note_holder(tx, self.equipment.blind, mine, found.connector, grant)

    async def _load(self, customer_id: CustomerId, connection_id: UUID) -> Subjected:
        async with self.equipment.database.work() as tx:
            found = await load(self.equipment, tx, customer_id, connection_id)
        return replace(found, context=self.calls.current(found.connector, found.context))


def verifier_place(connection_id: UUID, config: Mapping[str, str]) -> Place:
    """Of an attempt at a connection with whoever these settings name."""
    return Place("authorisation_attempt", "verifier", f"{connection_id}|{config.get('issuer') or config['base_url']}")


def _is_issuer(context: Context, said: str | None) -> bool:
    """Whether an answer comes from whom was asked (RFC 9207). An operator who knows the issuer names it in the connector's settings (``issuer``): then it must be
    said, exactly. Where none is known a platform may say nothing, or its own address; not one that always names its issuer.
    """
    config = context.config
    if config.get("issuer"):
        return said == config["issuer"]
    if context.oauth.names_issuer:
        return False
    base = config["base_url"].rstrip("/")
    return said is None or said.rstrip("/") in (base, "{0.scheme}://{0.netloc}".format(urlsplit(base)))
