"""The link pages' side of the platforms: begins and completes an authorisation through the engine, keeps grants in the vault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from hub.connect import Connector, Grant
from hub.domain.identifiers import CustomerId
from hub.store.database import Write
from hub.vault import Vault


class Platforms(Protocol):
    """What the link service needs of the engine. Implemented by :class:`hub.sync.linking.Linking`."""

    @property
    def connectors(self) -> Mapping[str, Connector]: ...

    @property
    def vault(self) -> Vault: ...

    def origins(self) -> tuple[str, ...]:
        """Scheme, host and port of every platform a form's answer may be redirected to."""
        ...

    async def seal_verifier(self, tx: Write, customer_id: CustomerId, connection_id: UUID, verifier: str) -> bytes: ...

    async def open_verifier(self, tx: Write, customer_id: CustomerId, connection_id: UUID, sealed: bytes) -> str: ...

    async def begin(
        self, customer_id: CustomerId, connection_id: UUID, redirect_uri: str, state: str, verifier: str, text_hash: str
    ) -> str:
        """The URL to send the browser to. Raises a HubError when the platform cannot be reached or refuses the hub."""
        ...

    async def complete(
        self, customer_id: CustomerId, connection_id: UUID, redirect_uri: str, verifier: str, callback: Mapping[str, str]
    ) -> Grant:
        """The grant for a callback. Raises GrantRevoked when the customer refused."""
        ...

    async def keep(self, tx: Write, customer_id: CustomerId, connection_id: UUID, grant: Grant) -> None:
        """Stores a grant, sealed."""
        ...
