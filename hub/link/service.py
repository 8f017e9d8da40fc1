"""What the link pages do: ask for consents, bind the link to a browser, send the customer to a platform, take the grant, go back.

State of the dialogue with a platform (``state``, PKCE verifier) lives in a row bound to the browser's link session and the customer, used once
within ten minutes (trust rules, section a).
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.engine import RowMapping

from hub.consent import grants, handing, refusals
from hub.consent.refusals import Asking, No
from hub.consent.terms import Handing, Offer, day_of_asking
from hub.domain.clock import Clock
from hub.domain.enums import ConnectionStatus, ConsentStatus, SourceKind
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import CustomerMustAct, GrantRevoked, HubError, InvalidInput
from hub.link import sessions
from hub.link.platforms import Platforms
from hub.link.progress import connected
from hub.link.sessions import Kind, State
from hub.link.sessions import hashed as _hash
from hub.link.view import HandedTo, Item, LinkView, offer_of, platform_view, titles
from hub.store.database import Database, Write
from hub.store.tables import authorisation_attempt, connection, customer, link_session

__all__ = ["LinkRequest", "LinkService", "LinkView"]

LINK_LIFE = timedelta(hours=1)
ATTEMPT_LIFE = timedelta(minutes=10)
PARTNER_APP = "partner_app"
"""Connector name of sources that a partner app sends by itself (DEVICE): nothing to authorise at a platform."""


Consented = RowMapping | Mapping[str, Any]
"""A row of ``consent``."""


@dataclass(frozen=True, slots=True)
class Ticked:
    """Ids of consents: those that the customer gives, and those whose data the app of the link may have, too."""

    consents: Sequence[str]
    apps: Sequence[str] = ()

    @property
    def all(self) -> frozenset[str]:
        return frozenset((*self.consents, *self.apps))


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """What a partner asks a link for."""

    client_id: str
    customer_id: CustomerId
    sources: tuple[SourceKind, ...]
    scenarios: tuple[str, ...]
    purpose: str
    return_url: str
    renew: bool = False


class LinkService:
    """See the module. ``nudge`` wakes a worker for a connection that has just become ACTIVE.

    ``token_of`` makes a link's secret from its id and a key of the hub, so that it need not be kept anywhere to be said again."""

    def __init__(
        self,
        database: Database,
        platforms: Platforms,
        clock: Clock,
        *,
        grantee: str,
        origin: str,
        nudge: Callable[[CustomerId, UUID], Awaitable[None]],
        token_of: Callable[[UUID], str],
    ) -> None:
        self.database, self.platforms, self.clock = database, platforms, clock
        self.grantee, self.origin, self.nudge, self.token_of = grantee, origin, nudge, token_of

    def redirect_uri(self, connector: str) -> str:
        """One redirect URI per connector, registered exactly."""
        return f"{self.origin}/link/callback/{connector}"

    async def create(self, tx: Write, request: LinkRequest) -> UUID:
        """A link session with the consents it asks for. Returns its id; its URL opens once. Raises CustomerDeclined, for the whole of it: see
        :mod:`hub.consent.refusals`."""
        now, link_id = self.clock.now(), new_id()
        asking = Asking(request.sources, self.grantee, request.purpose, request.client_id, request.renew)
        await refusals.insist(tx, request.customer_id, asking, now)
        for source in request.sources:
            connector = self._connector_of(source)
            offer = self._offer(source, connector, request)
            await grants.ask(tx, request.customer_id, connector, offer, now, request.client_id, renew=request.renew)
            await self._ensure_connection(tx, request.customer_id, connector)
        await tx.execute(insert(link_session), self._session_row(request, link_id, self.token_of(link_id)))
        return link_id

    def url_of(self, link_id: UUID) -> str:
        """The address for the customer's browser."""
        return f"{self.origin}/link/s/{self.token_of(link_id)}"

    async def bind(self, token: str, *browsers: str) -> sessions.Bound:
        """Binds a link of either kind to the first browser that opens it (:func:`hub.link.sessions.bind`)."""
        async with self.database.work() as tx:
            return await sessions.bind(tx, token, *browsers)

    async def view(self, browser: str) -> LinkView:
        """What the page shows, also for a while after its end."""
        async with self.database.work() as tx:
            session = await sessions.current(tx, browser, Kind.LINK, finished=True)
            rows = await self._offered(tx, session)
            states = await connected(tx, CustomerId(session.customer_id))
            whose = (await tx.execute(select(customer.c.name_masked).where(customer.c.customer_id == session.customer_id))).scalar_one()
        platforms: dict[str, list[Item]] = {}
        for row in sorted(rows, key=lambda row: list(SourceKind).index(SourceKind(row["source"]))):
            platforms.setdefault(row["connector"], []).append(self._item_on(session, row))
        known = self.platforms.connectors
        shown = tuple(platform_view(name, known.get(name), tuple(items), states.get(name)) for name, items in platforms.items())
        return LinkView.of(session, browser, whose, shown, self.platforms.origins(), sessions.way_back(session, _end_of(rows)))

    async def agree(self, browser: str, connector: str, shown: str, ticked: Ticked, evidence: Mapping[str, str]) -> str:
        """Gives the ticked consents and returns where to send the browser: the platform's own page. ``shown`` is the offer that the page made: an app may have asked
        for something else under the same consent since, which nobody has read yet."""
        async with self.database.work() as tx:
            session = await self._session(tx, browser)
            customer_id = CustomerId(session.customer_id)
            rows = [row for row in await self._offered(tx, session) if row["connector"] == connector]
            items = {item.consent_id: item for item in [self._item_on(session, row) for row in rows]}
            _check(ticked, items, shown)
            anew = await self._give(tx, session, ticked, rows, {**evidence, "link_id": str(session.link_id)})
            target = await self._ensure_connection(tx, customer_id, connector)
            if not anew and await self._is_active(tx, customer_id, target):
                return f"{self.origin}/link/"  # The form was sent before: its page says how far things are.
            if connector == PARTNER_APP:
                await self._activate(tx, customer_id, target, due=False)
                return f"{self.origin}/link/"
            text_hash = items[(*ticked.consents, *ticked.apps)[0]].text_hash
            state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
            sealed = await self.platforms.seal_verifier(tx, customer_id, target, verifier)
            attempt = self._attempt_row(session, target, state, sealed)
            await tx.execute(insert(authorisation_attempt), attempt)
        async with self._noting(customer_id, target):
            return await self.platforms.begin(customer_id, target, self.redirect_uri(connector), state, verifier, text_hash)

    async def _give(self, tx: Write, session: Row[Any], ticked: Ticked, rows: Sequence[Consented], evidence: Mapping[str, str]) -> bool:
        """The ticked consents first, then to hand what they bring to the app. Whether any consent was given that had not been."""
        customer_id, now = CustomerId(session.customer_id), self.clock.now()
        asked = {str(row["consent_id"]): row for row in rows if row["status"] == ConsentStatus.PENDING}
        anew = [one for one in ticked.consents if one in asked]
        for consent_id in anew:
            read = asked[consent_id]
            await grants.insist_as_offered(tx, customer_id, UUID(consent_id), read["connector"], self._offer_of(read), now)
            await grants.give(tx, customer_id, UUID(consent_id), evidence, now)
        for row in await grants.consents_of(tx, customer_id):
            if str(row["consent_id"]) in anew:
                await refusals.lift(tx, customer_id, No.of(row, session.client_id), now)
            if str(row["consent_id"]) in ticked.apps:
                words = Handing(self._offer_of(row), _app_of(session))
                await handing.hand_over(tx, customer_id, row["consent_id"], session.client_id, words, evidence, now)
                await refusals.lift(tx, customer_id, No.of(row, session.client_id, session.client_id), now)
        return bool(anew)

    async def complete(self, browser: str, connector: str, query: Mapping[str, str]) -> None:
        """The platform's callback: the state must be ours, unused and this browser's; then the grant is fetched and kept."""
        async with self.database.work() as tx:
            session = await self._session(tx, browser)
            attempt = await self._use_attempt(tx, session, query.get("state", ""), connector)
            customer_id, target = CustomerId(session.customer_id), attempt.connection_id
            verifier = await self.platforms.open_verifier(tx, customer_id, target, attempt.verifier)
        try:
            async with self._noting(customer_id, target):
                grant = await self.platforms.complete(customer_id, target, self.redirect_uri(connector), verifier, query)
        except GrantRevoked:
            return
        async with self.database.work() as tx:
            await self.platforms.keep(tx, customer_id, target, grant)
            await sessions.let_in(tx, session, attempt.state_hash)
            await self._activate(tx, customer_id, target, due=True)
        await self.nudge(customer_id, target)

    @asynccontextmanager
    async def _noting(self, customer_id: CustomerId, connection_id: UUID) -> AsyncIterator[None]:
        """What kept an authorisation from coming about stands on the connection, for the operator."""
        try:
            yield
        except HubError as fault:
            async with self.database.work() as tx:
                mine = (connection.c.customer_id == customer_id, connection.c.connection_id == connection_id)
                said = {"last_fault": type(fault).__name__, "last_fault_detail": fault.message}
                await tx.execute(update(connection).where(*mine).values(**said))
            raise

    async def finish(self, browser: str) -> str:
        """Closes the link for good and returns the partner's URL, which says whether anything was agreed to. What is left unticked then was refused. Once more,
        it only returns it again."""
        async with self.database.work() as tx:
            session = await sessions.current(tx, browser, Kind.LINK, finished=True)
            rows = await self._offered(tx, session)
            if session.status == State.OPEN:
                for no in _refused(session, rows):
                    await refusals.note(tx, CustomerId(session.customer_id), no, self.clock.now())
                await sessions.close(tx, session)
        return sessions.way_back(session, _end_of(rows))

    async def _session(self, tx: Write, browser: str) -> Row[Any]:
        return await sessions.current(tx, browser, Kind.LINK)

    async def _offered(self, tx: Write, session: Row[Any]) -> list[Consented]:
        """What the page shows and takes an answer to: open consents to what this link asks for. One that has ended is history.

        A link that a version before this one made does not say its sources: it asks for all of its purpose.
        """
        rows = await grants.consents_of(tx, CustomerId(session.customer_id))
        use = (session.purpose, session.grantee)
        asked = [row for row in rows if not session.sources or row["source"] in session.sources]
        found = [row for row in asked if (row["purpose"], row["grantee"]) == use and row["status"] in grants.OPEN]
        renewed = {row["supersedes"]: row for row in found if row["status"] == ConsentStatus.PENDING}
        before = {renewed[row["consent_id"]]["consent_id"]: row for row in found if row["consent_id"] in renewed}
        shown = [row for row in found if row["consent_id"] not in renewed]
        return [{**row, "apps": [*row["apps"], *_going_on(before.get(row["consent_id"]), row)]} for row in shown]

    async def _is_active(self, tx: Write, customer_id: CustomerId, connection_id: UUID) -> bool:
        mine = (connection.c.customer_id == customer_id, connection.c.connection_id == connection_id)
        return (await tx.execute(select(connection.c.status).where(*mine))).scalar() == ConnectionStatus.ACTIVE

    async def _use_attempt(self, tx: Write, session: Row[Any], state: str, connector: str) -> Row[Any]:
        table = authorisation_attempt.c
        mine = (table.customer_id == session.customer_id, table.state_hash == _hash(state), table.link_id == session.link_id)
        found = (await tx.execute(select(authorisation_attempt).where(*mine).with_for_update())).first()
        if found is None or found.used_at is not None or found.expires_at <= datetime.now(UTC):
            raise CustomerMustAct(
                "This authorisation was not started here, is used or has expired.", remedy="Go back to the page and start it again."
            )
        name = (
            await tx.execute(
                select(connection.c.connector).where(
                    connection.c.customer_id == session.customer_id, connection.c.connection_id == found.connection_id
                )
            )
        ).scalar()
        if name != connector:
            raise CustomerMustAct(
                "The answer came from another platform than the one that was asked.", remedy="Start the authorisation again."
            )
        await tx.execute(update(authorisation_attempt).where(*mine).values(used_at=datetime.now(UTC)))
        return found

    async def _ensure_connection(self, tx: Write, customer_id: CustomerId, connector: str) -> UUID:
        mine = (connection.c.customer_id == customer_id, connection.c.connector == connector)
        found: UUID | None = (await tx.execute(select(connection.c.connection_id).where(*mine))).scalar()
        if found is not None:
            return found
        row = {
            "customer_id": customer_id,
            "connection_id": new_id(),
            "connector": connector,
            "status": ConnectionStatus.LINKING,
            "created_at": self.clock.now(),
        }
        await tx.execute(insert(connection), row)
        return UUID(str(row["connection_id"]))

    async def _activate(self, tx: Write, customer_id: CustomerId, connection_id: UUID, *, due: bool) -> None:
        mine = (connection.c.customer_id == customer_id, connection.c.connection_id == connection_id)
        values = {
            "status": ConnectionStatus.ACTIVE,
            # The database's clock, as it stands now: a run that is just going on must see that this came after it began.
            "due_at": func.clock_timestamp() if due else None,
            "last_fault": None,
            "last_fault_detail": None,
        }
        await tx.execute(update(connection).where(*mine).values(**values))

    def _connector_of(self, source: SourceKind) -> str:
        if source is SourceKind.DEVICE:
            return PARTNER_APP
        for name, connector in self.platforms.connectors.items():
            if source in connector.manifest.sources:
                return name
        raise InvalidInput(
            f"No connector of this hub serves {source}.", remedy="`hub connectors list` prints which sources can be connected."
        )

    def _offer(self, source: SourceKind, connector: str, request: LinkRequest) -> Offer:
        title, title_zh = self._titles(connector)
        return Offer(source, title, title_zh, self.grantee, request.purpose, request.scenarios, self.clock.today())

    def item_of(self, row: Consented) -> Item:
        """A consent as it was asked: what is shown is what was hashed, also on a later day."""
        return Item.of(row, self._offer_of(row))

    def _item_on(self, session: Row[Any], row: Consented) -> Item:
        """The same on the page of a session: a partner's app asks to be handed what it brings (PIPL 23)."""
        offer = self._offer_of(row)
        inside = session.audience in handing.INSTITUTION
        handed = None if inside else HandedTo.of(Handing(offer, _app_of(session)), given=session.client_id in row["apps"])
        return Item.of(row, offer, handed)

    def _offer_of(self, row: Consented) -> Offer:
        """The offer a consent row was made from."""
        title, title_zh = self._titles(row["connector"])
        shown = row["offer"] or {"scenarios": row["scenarios"], "day": day_of_asking(row["data_to"], row["text_version"]).isoformat()}
        asked, use = date.fromisoformat(shown["day"]), (row["grantee"], row["purpose"], tuple(shown["scenarios"]))
        return Offer(SourceKind(row["source"]), title, title_zh, *use, asked, row["text_version"])

    def _titles(self, connector: str) -> tuple[str, str]:
        return titles(self.platforms.connectors.get(connector))

    def _session_row(self, request: LinkRequest, link_id: UUID, token: str) -> dict[str, object]:
        return {
            "customer_id": request.customer_id,
            "link_id": link_id,
            "token_hash": _hash(token),
            "client_id": request.client_id,
            "grantee": self.grantee,
            "purpose": request.purpose,
            "scenarios": list(request.scenarios),
            "return_url": request.return_url,
            "status": State.OPEN,
            "expires_at": datetime.now(UTC) + LINK_LIFE,
            "created_at": self.clock.now(),
            "kind": Kind.LINK,
            "sources": [source.value for source in request.sources],
        }

    def _attempt_row(self, session: Row[Any], connection_id: UUID, state: str, sealed: bytes) -> dict[str, object]:
        return {
            "customer_id": session.customer_id,
            "state_hash": _hash(state),
            "link_id": session.link_id,
            "connection_id": connection_id,
            "verifier": sealed,
            "expires_at": datetime.now(UTC) + ATTEMPT_LIFE,
        }


def _app_of(session: Row[Any]) -> str:
    """The app's name, as the page tells it."""
    return str(session.app or session.client_id)


def _going_on(before: RowMapping | None, renewal: RowMapping) -> list[str]:
    return grants.carried(before, renewal) if before is not None else []


def _check(ticked: Ticked, items: Mapping[str, Item], shown: str) -> None:
    """Raises InvalidInput for what the page did not show, for nothing, and for a source that the app alone shall have."""
    if offer_of(item.shown for item in items.values()) != shown:
        raise InvalidInput("What is asked for has changed since the page was shown.", remedy="Read it anew.", told="changed")
    if not ticked.all or not ticked.all <= items.keys() or any(items[one].handed is None for one in ticked.apps):
        raise InvalidInput(
            "Nothing that this platform offers was ticked.", remedy="Tick at least one item and try again.", told="nothing_ticked"
        )
    if any(one not in ticked.consents and items[one].status not in grants.GIVEN for one in ticked.apps):
        raise InvalidInput("The app cannot have what the institution may not.", remedy="Tick both, or neither.", told="app_alone")


def _refused(session: Row[Any], rows: Sequence[Consented]) -> Iterator[No]:
    """What the page asked for and was not given: a consent, else that the app may have what a given one brings."""
    for row in rows:
        if row["status"] == ConsentStatus.PENDING:
            yield No.of(row, session.client_id)
        elif session.audience not in handing.INSTITUTION and session.client_id not in row["apps"]:
            yield No.of(row, session.client_id, session.client_id)


def _end_of(rows: Sequence[Consented]) -> str:
    """What a partner app is told: whether the customer agreed to anything."""
    return "done" if any(row["status"] == ConsentStatus.ACTIVE for row in rows) else "declined"
