"""The sessions of the hosted pages: one row per link, bound to the first browser that opens it.

A session of the kind LINK asks for consents, one of the kind MANAGE shows what was given and withdraws it. A browser proves itself with a secret of
its own per session, of which the row keeps the hash.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, select, update

from hub.errors import CustomerMustAct, NotFound
from hub.store.database import Read, Write
from hub.store.tables import authorisation_attempt, client, connection, link_session

LINGER = timedelta(minutes=15)
"""How long a finished session still shows its browser what became of it."""


class Kind(StrEnum):
    """What a session is for."""

    LINK = "LINK"
    MANAGE = "MANAGE"


class State(StrEnum):
    """Where a session stands. An EXPIRED one stays OPEN in its row."""

    OPEN = "OPEN"
    DONE = "DONE"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class Bound:
    """A session that was opened, and the secret with which its browser comes back."""

    kind: Kind
    browser: str


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def this(session: Row[Any]) -> tuple[ColumnElement[bool], ...]:
    return link_session.c.customer_id == session.customer_id, link_session.c.link_id == session.link_id


async def bind(tx: Write, token: str, *browsers: str) -> Bound:
    """Binds a session to the first browser that opens it. ``browsers`` are the secrets that this one brought.

    The secret is new for each session, whatever the browser brought: in a browser that two customers use, one must not act for the other.
    Raises NotFound for unknown, expired and used links alike.
    """
    found = (await tx.execute(select(link_session).where(link_session.c.token_hash == hashed(token)).with_for_update())).first()
    if found is None or state_of(found) is not State.OPEN:
        raise _gone()
    if found.browser_hash is not None:
        mine = next((browser for browser in browsers if hashed(browser) == found.browser_hash), None)
        if mine is None:
            raise _gone()
        return Bound(Kind(found.kind), mine)
    browser = secrets.token_urlsafe(32)
    await tx.execute(update(link_session).where(*this(found)).values(browser_hash=hashed(browser)))
    return Bound(Kind(found.kind), browser)


def _gone() -> NotFound:
    return NotFound(
        "This link does not exist, has expired or has been used.", remedy="Ask the app that sent you for a new one.", told="gone"
    )


def state_of(session: Row[Any]) -> State:
    if session.expires_at <= datetime.now(UTC):
        return State.EXPIRED
    return State(session.status)


async def of_browser(tx: Read | Write, browser: str, kind: Kind) -> Row[Any] | None:
    """The session of a browser in any state, with the ``app``'s name and its ``audience``."""
    joined = link_session.outerjoin(client, client.c.client_id == link_session.c.client_id)
    mine = (link_session.c.browser_hash == hashed(browser), link_session.c.kind == kind)
    return (await tx.execute(select(link_session, client.c.name.label("app"), client.c.audience).select_from(joined).where(*mine))).first()


async def current(tx: Read | Write, browser: str, kind: Kind, *, finished: bool = False) -> Row[Any]:
    """The session of a browser, which is open, or finished where that will do. Raises CustomerMustAct."""
    found = await of_browser(tx, browser, kind)
    if found is None:
        raise elsewhere()
    state = state_of(found)
    if state is State.EXPIRED:
        raise CustomerMustAct("This link has expired.", remedy="Ask the app that sent you for a new one.", told="expired")
    if state is State.DONE and not finished:
        raise CustomerMustAct("This link is finished.", remedy="Ask the app that sent you for a new one.", told="finished")
    return found


def elsewhere() -> CustomerMustAct:
    return CustomerMustAct(
        "This page was opened in another browser, or its cookie is gone.",
        remedy="Ask the app that sent you for a new link.",
        told="elsewhere",
    )


async def close(tx: Write, session: Row[Any]) -> None:
    """Finishes a session. Its browser may look at the end of it for a quarter of an hour."""
    until = min(session.expires_at, datetime.now(UTC) + LINGER)
    await tx.execute(update(link_session).where(*this(session)).values(status=State.DONE, expires_at=until))


async def let_in(tx: Write, session: Row[Any], state_hash: str) -> None:
    """A platform knew whoever walked the link. The verifier of that authorisation is of no use any more; that it is gone tells that this was so. The connection rests
    on this login from now on, and on no other link's."""
    table = authorisation_attempt.c
    mine = (table.customer_id == session.customer_id, table.link_id == session.link_id, table.state_hash == state_hash)
    target = update(authorisation_attempt).where(*mine).values(verifier=b"").returning(table.connection_id)
    at = connection.c
    connected = (at.customer_id == session.customer_id, at.connection_id == (await tx.execute(target)).scalar_one())
    await tx.execute(update(connection).where(*connected).values(holder_link=session.link_id))


async def was_let_in(tx: Read | Write, session: Row[Any]) -> bool:
    """Whether the browser of a link logged in at a platform on its way. Whoever only opens, ticks and finishes did not."""
    table = authorisation_attempt.c
    mine = (table.customer_id == session.customer_id, table.link_id == session.link_id, table.used_at.is_not(None), table.verifier == b"")
    return (await tx.execute(select(table.link_id).where(*mine).limit(1))).first() is not None


def way_back(session: Row[Any], status: str) -> str:
    """The partner app's address, with what it may know of the end."""
    url = str(session.return_url)
    return f"{url}{'&' if '?' in url else '?'}link={session.link_id}&status={status}"
