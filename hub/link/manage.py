"""What a customer sees of everything that was given: to whom, who read what, and how each consent ends.

A customer comes in by a session of the kind MANAGE: a partner app asks for one (createManageSession), or the browser that walked a link opens one from
that link. How far it reaches is told in :mod:`hub.link.reach`: a session that is not the customer's own may be open before the partner's eyes. What is shown is on the access
log before it is answered (ADR 27).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, any_, insert, literal, select
from sqlalchemy.engine import RowMapping

from hub.access.audit import AccessLog
from hub.connect import Connector
from hub.consent import grants, handing, refusals
from hub.consent.refusals import No
from hub.domain.audit import Accessed
from hub.domain.enums import ConnectionStatus, ConsentStatus
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import InvalidInput
from hub.link import sessions
from hub.link.objections import SHOWN as OBJECTIONS
from hub.link.objections import Held, Objected, held, objected
from hub.link.progress import Connected, connected
from hub.link.reach import OWNER, Bound, Scope, Tokens, scope_of
from hub.link.readings import Reading, readings
from hub.link.service import LinkService
from hub.link.sessions import Kind, State, hashed
from hub.link.view import Item, csrf_of, titles
from hub.store.database import Read, Write
from hub.store.disputes import KindObjection, object_to_kind
from hub.store.tables import client, customer, customer_client, link_session

MANAGE_LIFE = timedelta(minutes=20)
CUSTOMER = "customer"
"""Who looked, on the access log, where it was the customer himself."""
_CONSENTS, _APPS, _READINGS = "Consent.status", "Consent.apps", "AccessRecord.fields"
"""Coordinates of the contract for what the page shows."""


@dataclass(frozen=True, slots=True)
class ManageRequest:
    """What a partner asks a manage session for."""

    client_id: str
    customer_id: CustomerId
    purpose: str
    return_url: str


@dataclass(frozen=True, slots=True)
class App:
    """An app that the data of a consent may be handed to; or might, until it ``ended``."""

    client_id: str
    name: str
    since: datetime | None
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class Given:
    """A consent that was given, and the platform it reaches. ``shared``: other consents still need that platform's authorisation. ``every_app`` it was handed to."""

    item: Item
    connector: str
    title: str
    title_zh: str
    remote: bool
    given_at: datetime
    platform_state: str
    shared: bool
    every_app: tuple[App, ...] = ()

    @property
    def apps(self) -> tuple[App, ...]:
        """Those that may have it now."""
        return tuple(app for app in self.every_app if app.ended is None)

    @property
    def ends(self) -> bool:
        """Whether it can be withdrawn."""
        return self.item.status in grants.OPEN


@dataclass(frozen=True, slots=True)
class Own:
    """What only the customer himself is shown: what was ``held`` of him, and what he ``objected`` to. ``once`` is new with each form."""

    held: tuple[Held, ...]
    objected: tuple[Objected, ...]
    once: UUID = field(default_factory=new_id)

    @property
    def coordinates(self) -> tuple[str, ...]:
        return (*(one.coordinate for one in self.held), *(OBJECTIONS if self.objected else ()))


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
    purpose: str
    bound: Bound | None
    """Why the session is bound to its ``purpose``; None: it shows everything."""
    own: Own

    @property
    def standing(self) -> tuple[Given, ...]:
        return tuple(one for one in self.given if one.ends)

    @property
    def ended(self) -> tuple[Given, ...]:
        return tuple(one for one in self.given if not one.ends)


class ManageService:
    """See the module. ``links`` knows the platforms, the clock and the link sessions."""

    def __init__(self, links: LinkService, log: AccessLog) -> None:
        self.links, self.log, self.database, self.tokens = links, log, links.database, Tokens(links.token_of)

    async def create(self, tx: Write, request: ManageRequest) -> UUID:
        """A session for a partner's customer. Returns its id; :meth:`LinkService.url_of` is the address, which opens once."""
        link_id = new_id()
        row = self._row(request, link_id) | {"token_hash": hashed(self.links.token_of(link_id))}
        await tx.execute(insert(link_session), row)
        return link_id

    async def open_from_link(self, browser: str) -> str:
        """A session for the browser of a link, open or just finished: whoever may give here may see and withdraw here; and everything that was given, once
        it is known that the customer logged in on the way. Returns its secret."""
        async with self.database.work() as tx:
            link = await sessions.current(tx, browser, Kind.LINK, finished=True)
            request = ManageRequest(link.client_id, CustomerId(link.customer_id), link.purpose, link.return_url)
            secret = secrets.token_urlsafe(32)
            link_id, own = new_id(), link.status == State.DONE and await sessions.was_let_in(tx, link)
            token = (self.tokens.own if own else self.tokens.here)(link_id, link.link_id)
            opened = {"token_hash": hashed(token), "browser_hash": hashed(secret), "from_link": link.link_id}
            await tx.execute(insert(link_session), self._row(request, link_id) | opened)
        return secret

    async def view(self, browser: str, before: UUID | None = None) -> ManageView:
        """What the page shows, with the look-ups that lie before ``before``."""
        async with self.database.work() as tx:
            session = await sessions.current(tx, browser, Kind.MANAGE)
            scope = await self._scope(tx, session)
            whose = (await tx.execute(select(customer.c.name_masked).where(customer.c.customer_id == session.customer_id))).scalar_one()
            given, readers = await self._given(tx, scope), await _readers(tx, scope)
            found, older = await readings(tx, scope.parts, before, scope.eyes)
            own = await self._own(tx, scope)
        looked = (*([OWNER] if scope.derived else []), *own.coordinates)
        await self._note(scope, "managePage", _CONSENTS, _APPS, _READINGS, *looked)
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
            purpose=scope.purpose,
            bound=scope.bound,
            own=own,
        )

    async def withdraw(self, browser: str, consent_ids: Sequence[str], apps: Sequence[str] = ()) -> None:
        """Withdraws what was ticked: consents, and ``apps`` (``consent client``) that alone shall have it no more. What has been withdrawn already stays so.
        Raises InvalidInput for nothing, and for what this session does not reach."""
        async with self.database.work() as tx:
            session = await sessions.current(tx, browser, Kind.MANAGE)
            scope = await self._scope(tx, session)
            known = {str(row["consent_id"]): row for part in scope.parts for row in await grants.consents_of(tx, part)}
            handed = [one for part in scope.parts for one in (await handing.handings(tx, part)).values()]
            mine = {name for name, row in known.items() if scope.reaches(row)}
            lost = {name for name, row in known.items() if scope.has_just_lost(row, handed)}
            pairs = [one.partition(" ")[::2] for one in apps]
            foreign = {*consent_ids} - mine | {one for one, client_id in pairs if one not in mine | lost or not scope.names(client_id)}
            if not (consent_ids or pairs) or foreign:
                raise InvalidInput("No consent of this customer was ticked.", remedy="Tick one and try again.", told="nothing_to_withdraw")
            now = self.links.clock.now()
            for consent_id in dict.fromkeys(consent_ids):
                row = known[consent_id]
                if row["status"] in grants.OPEN:
                    await grants.withdraw(tx, row["customer_id"], row["consent_id"], now)
                    await refusals.note(tx, row["customer_id"], No.of(row, session.client_id), now)
            for consent_id, client_id in pairs:
                row = known[consent_id]
                if client_id in row["apps"]:
                    await handing.take_back(tx, row["customer_id"], row["consent_id"], client_id, now)
                    await refusals.note(tx, row["customer_id"], No.of(row, session.client_id, client_id), now)

    async def withdrawn(
        self, browser: str, consent_ids: Sequence[str], apps: Sequence[str] = ()
    ) -> tuple[tuple[Given, ...], tuple[tuple[Given, App], ...]]:
        """Those of the named consents that have been withdrawn, and those of the named apps that have it no more."""
        async with self.database.work() as tx:
            session = await sessions.current(tx, browser, Kind.MANAGE)
            scope = await self._scope(tx, session)
            given = await self._given(tx, scope, lost=True)
        await self._note(scope, "withdrawnPage", _CONSENTS, _APPS, *([OWNER] if scope.derived else []))
        ended = tuple(one for one in given if one.item.consent_id in consent_ids and one.item.status == ConsentStatus.REVOKED)
        every = [(one, app) for one in given for app in one.every_app if f"{one.item.consent_id} {app.client_id}" in apps]
        return ended, tuple((one, app) for one, app in every if app.ended is not None)

    async def object(self, browser: str, once: str, kind: str, statement: str) -> None:
        """Takes an objection to a kind of facts, in the customer's own session. Raises InvalidInput."""
        async with self.database.work() as tx:
            session = await sessions.current(tx, browser, Kind.MANAGE)
            scope = await self._scope(tx, session)
            await tx.execute(select(link_session.c.link_id).where(*sessions.this(session)).with_for_update())
            try:
                said = KindObjection(kind, statement.replace("\r\n", "\n"), UUID(once))
                if not scope.own:
                    raise ValueError("not his own")
                await object_to_kind(tx, self.links.platforms.vault, scope.parts, said, CUSTOMER, self.links.clock.now())
            except (InvalidInput, ValueError) as fault:
                raise InvalidInput(
                    "The objection was not taken.", remedy="Choose a kind, and say what is wrong.", told="not_objected"
                ) from fault
        await self._note(scope, "objection", "Mutation.raiseDispute")

    async def _own(self, tx: Read | Write, scope: Scope) -> Own:
        """What only the customer himself is shown."""
        if not scope.own:
            return Own((), ())
        return Own(await held(tx, scope.parts), await objected(tx, self.links.platforms.vault, scope.parts))

    async def leave(self, browser: str) -> str:
        """Ends the session and returns the partner app's address."""
        async with self.database.work() as tx:
            session = await sessions.current(tx, browser, Kind.MANAGE, finished=True)
            if session.status == State.OPEN:
                await sessions.close(tx, session)
        return sessions.way_back(session, "closed")

    async def _scope(self, tx: Write, session: Row[Any]) -> Scope:
        return await scope_of(tx, session, self.tokens, self.links.clock.now())

    async def _note(self, scope: Scope, operation: str, *fields: str) -> None:
        """That the page was shown, of each part it shows, durable before it is answered."""
        who = CUSTOMER if scope.own else scope.client_id
        await self.log.write([Accessed(part, who, scope.purpose, operation, "", fields) for part in scope.parts])

    async def _given(self, tx: Read | Write, scope: Scope, *, lost: bool = False) -> tuple[Given, ...]:
        """The newest first, of all parts. ``lost``: also what this client's app has just lost."""
        known, found = self.links.platforms.connectors, []
        for part in scope.parts:
            rows = [row for row in await grants.consents_of(tx, part) if row["starts_at"] is not None]
            states, apps = await connected(tx, part), await handing.handings(tx, part)
            told = [row for row in rows if scope.reaches(row) or (lost and scope.has_just_lost(row, apps.values()))]
            mine = [self._one(row, rows, known.get(row["connector"]), states.get(row["connector"])) for row in told]
            found += [replace(one, every_app=_apps_of(UUID(one.item.consent_id), apps, scope)) for one in mine]
        return tuple(sorted(found, key=lambda one: (one.item.changed_at, one.item.consent_id), reverse=True))

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


def _apps_of(consent_id: UUID, handed: Mapping[tuple[UUID, str], RowMapping], scope: Scope) -> tuple[App, ...]:
    rows = [row for (of, client_id), row in handed.items() if of == consent_id and scope.names(client_id)]
    return tuple(App(row["client_id"], row["name"], row["given_at"], row["ended_at"]) for row in rows)


async def _readers(tx: Read | Write, scope: Scope) -> tuple[tuple[str, str], ...]:
    """Name and audience of every client that may ask for the customer, for this purpose where the session is bound to one; an app is not told who else asks."""
    joined = customer_client.join(client, client.c.client_id == customer_client.c.client_id)
    mine: list[ColumnElement[bool]] = [customer_client.c.customer_id.in_(scope.parts), client.c.disabled_at.is_(None)]
    if not scope.own:
        mine.append(literal(scope.purpose) == any_(client.c.purposes) if scope.inside else client.c.client_id == scope.client_id)
    columns = (client.c.client_id, client.c.name, client.c.audience)
    found = await tx.execute(select(*columns).distinct().select_from(joined).where(*mine).order_by(client.c.name))
    return tuple((row.name, row.audience) for row in found)
