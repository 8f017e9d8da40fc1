"""What a customer sees of everything that was given: to whom, who read what, and how each consent ends.

A customer comes in by a session of the kind MANAGE: a partner app asks for one (createManageSession), or the browser that walked a link opens one from
that link. It shows every consent of the customer, whoever asked for it, and needs no partner.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.engine import RowMapping

from hub.connect import Connector
from hub.consent import grants
from hub.domain.enums import ConnectionStatus, ConsentStatus
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import InvalidInput
from hub.link import sessions
from hub.link.progress import Connected, connected
from hub.link.readings import Reading, readings
from hub.link.service import LinkService
from hub.link.sessions import Kind, State, hashed
from hub.link.view import Item, csrf_of, titles
from hub.store.database import Read, Write
from hub.store.tables import client, customer, customer_client, link_session

MANAGE_LIFE = timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class ManageRequest:
    """What a partner asks a manage session for."""

    client_id: str
    customer_id: CustomerId
    purpose: str
    return_url: str


@dataclass(frozen=True, slots=True)
class Given:
    """A consent that was given, and the platform it reaches. ``shared``: other consents still need that platform's authorisation."""

    item: Item
    connector: str
    title: str
    title_zh: str
    remote: bool
    given_at: datetime
    platform_state: str
    shared: bool

    @property
    def ends(self) -> bool:
        """Whether it can be withdrawn."""
        return self.item.status in grants.OPEN


@dataclass(frozen=True, slots=True)
class ManageView:
    """The page. ``readers`` are the names of the clients that may ask for this customer."""

    grantee: str
    app: str
    customer: str
    csrf: str
    until: datetime
    back: str
    readers: tuple[tuple[str, str], ...]
    given: tuple[Given, ...]
    readings: tuple[Reading, ...]
    older: UUID | None

    @property
    def standing(self) -> tuple[Given, ...]:
        return tuple(one for one in self.given if one.ends)

    @property
    def ended(self) -> tuple[Given, ...]:
        return tuple(one for one in self.given if not one.ends)


class ManageService:
    """See the module. ``links`` knows the platforms, the clock and the link sessions."""

    def __init__(self, links: LinkService) -> None:
        self.links, self.database = links, links.database

    async def create(self, tx: Write, request: ManageRequest) -> UUID:
        """A session for a partner's customer. Returns its id; :meth:`LinkService.url_of` is the address, which opens once."""
        link_id = new_id()
        row = self._row(request, link_id) | {"token_hash": hashed(self.links.token_of(link_id))}
        await tx.execute(insert(link_session), row)
        return link_id

    async def open_from_link(self, browser: str) -> str:
        """A session for the browser of a link, open or just finished: whoever may give here may see and withdraw here. Returns its secret."""
        async with self.database.work() as tx:
            link = await sessions.current(tx, browser, Kind.LINK, finished=True)
            request = ManageRequest(link.client_id, CustomerId(link.customer_id), link.purpose, link.return_url)
            secret = secrets.token_urlsafe(32)
            # Nobody has the token of this one: it is open in this browser already.
            opened = {"token_hash": hashed(secrets.token_urlsafe(32)), "browser_hash": hashed(secret)}
            await tx.execute(insert(link_session), self._row(request, new_id()) | opened)
        return secret

    async def view(self, browser: str, before: UUID | None = None) -> ManageView:
        """What the page shows, with the look-ups that lie before ``before``."""
        async with self.database.work() as tx:
            session = await sessions.current(tx, browser, Kind.MANAGE)
            customer_id = CustomerId(session.customer_id)
            whose = (await tx.execute(select(customer.c.name_masked).where(customer.c.customer_id == customer_id))).scalar_one()
            given, readers = await self._given(tx, customer_id), await _readers(tx, customer_id)
            found, older = await readings(tx, customer_id, before)
        return ManageView(
            grantee=session.grantee,
            app=session.app or session.client_id,
            customer=whose,
            csrf=csrf_of(browser),
            until=session.expires_at,
            back=str(session.return_url),
            readers=readers,
            given=given,
            readings=found,
            older=older,
        )

    async def withdraw(self, browser: str, consent_ids: Sequence[str]) -> None:
        """Withdraws what was ticked. What has been withdrawn already stays so. Raises InvalidInput for nothing, and for what is not this customer's."""
        async with self.database.work() as tx:
            session = await sessions.current(tx, browser, Kind.MANAGE)
            customer_id = CustomerId(session.customer_id)
            known = {str(row["consent_id"]): row["status"] for row in await grants.consents_of(tx, customer_id)}
            if not consent_ids or not set(consent_ids) <= known.keys():
                raise InvalidInput("No consent of this customer was ticked.", remedy="Tick one and try again.", told="nothing_to_withdraw")
            for consent_id in dict.fromkeys(consent_ids):
                if known[consent_id] in grants.OPEN:
                    await grants.withdraw(tx, customer_id, UUID(consent_id), self.links.clock.now())

    async def withdrawn(self, browser: str, consent_ids: Sequence[str]) -> tuple[Given, ...]:
        """Those of the named consents that have been withdrawn."""
        async with self.database.work() as tx:
            session = await sessions.current(tx, browser, Kind.MANAGE)
            given = await self._given(tx, CustomerId(session.customer_id))
        return tuple(one for one in given if one.item.consent_id in consent_ids and one.item.status == ConsentStatus.REVOKED)

    async def leave(self, browser: str) -> str:
        """Ends the session and returns the partner app's address."""
        async with self.database.work() as tx:
            session = await sessions.current(tx, browser, Kind.MANAGE, finished=True)
            if session.status == State.OPEN:
                await sessions.close(tx, session)
        return sessions.way_back(session, "closed")

    async def _given(self, tx: Read | Write, customer_id: CustomerId) -> tuple[Given, ...]:
        rows = [row for row in await grants.consents_of(tx, customer_id) if row["starts_at"] is not None]
        states = await connected(tx, customer_id)
        known = self.links.platforms.connectors
        return tuple(self._one(row, rows, known.get(row["connector"]), states.get(row["connector"])) for row in rows)

    def _one(self, row: RowMapping, rows: Sequence[RowMapping], connector: Connector | None, found: Connected | None) -> Given:
        others = [one for one in rows if one["connector"] == row["connector"] and one["consent_id"] != row["consent_id"]]
        state = found.status if found is not None else ConnectionStatus.DISCONNECTED
        shared = any(one["status"] == ConsentStatus.ACTIVE for one in others)
        return Given(
            self.links.item_of(row), row["connector"], *titles(connector), connector is not None, row["starts_at"], state.value, shared
        )

    def _row(self, request: ManageRequest, link_id: UUID) -> dict[str, Any]:
        return {
            "customer_id": request.customer_id,
            "link_id": link_id,
            "client_id": request.client_id,
            "grantee": self.links.grantee,
            "purpose": request.purpose,
            "scenarios": [],
            "sources": [],
            "return_url": request.return_url,
            "status": State.OPEN,
            "kind": Kind.MANAGE,
            "expires_at": datetime.now(UTC) + MANAGE_LIFE,
            "created_at": self.links.clock.now(),
        }


async def _readers(tx: Read | Write, customer_id: CustomerId) -> tuple[tuple[str, str], ...]:
    """Name and audience of every client that may ask for the customer."""
    joined = customer_client.join(client, client.c.client_id == customer_client.c.client_id)
    mine = (customer_client.c.customer_id == customer_id, client.c.disabled_at.is_(None))
    found = await tx.execute(select(client.c.name, client.c.audience).select_from(joined).where(*mine).order_by(client.c.name))
    return tuple((row.name, row.audience) for row in found)
