"""How far a session of the customer's page reaches: everything, where it is the customer's own; else what its client may know of, or what was given on its link.

It is the customer's own when the browser of a finished link opened it, a platform let that browser in, and what the platforms tell of the accounts' owners says so:
nobody's is a stranger's, and one at least is the customer's or of a person who acts for him (ADR 27, 33). As long as nothing is told it is bound, and says why.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, update
from sqlalchemy.engine import RowMapping

from hub.consent.handing import INSTITUTION
from hub.domain.identifiers import CustomerId
from hub.domain.ownership import OwnerStanding
from hub.domain.periods import china_day
from hub.link import sessions
from hub.link.readings import Eyes
from hub.store.database import Write, driver_of
from hub.store.driver import send
from hub.store.merging import parts_seen_by
from hub.store.tables import link_session
from hub.store.view.ownership import LOGGED_IN

OWNER = "PlatformConnection.owner"
"""Coordinate of the contract for what was looked at to know whose page it is."""


class Bound(StrEnum):
    """Why a session is not the customer's own. INSIDE, APP: one of the institution's systems or an app asked for it. LINK: its link was not finished, or no platform let the
    browser in. UNKNOWN: no platform has told whose the account is. DIFFERS: one says that it is somebody else's.
    """

    INSIDE = "INSIDE"
    APP = "APP"
    LINK = "LINK"
    UNKNOWN = "UNKNOWN"
    DIFFERS = "DIFFERS"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a session reaches, of the customer's ``parts`` that its client sees. ``bound`` None: it is the customer's own. ``inside``: its client is the institution's.
    ``derived``: whose the accounts are was looked at."""

    parts: tuple[CustomerId, ...]
    client_id: str
    purpose: str
    inside: bool
    bound: Bound | None
    from_link: UUID | None
    since: datetime
    derived: bool = False

    @property
    def own(self) -> bool:
        return self.bound is None

    @property
    def eyes(self) -> Eyes | None:
        return None if self.own else Eyes(self.client_id, self.purpose if self.inside else None)

    def reaches(self, row: RowMapping) -> bool:
        """Whether a consent is shown and may be withdrawn. An app does not learn of what was handed to others alone (ADR 57); who gave it in this browser knows of it."""
        if self.own:
            return True
        here = self.from_link is not None and row["evidence"].get("link_id") == str(self.from_link)
        return row["purpose"] == self.purpose and (self.inside or here or self.client_id in row["apps"])

    def names(self, client_id: str) -> bool:
        """Whether an app is named where a consent has been handed to it."""
        return self.own or self.inside or client_id == self.client_id

    def has_just_lost(self, row: RowMapping, handed: Iterable[RowMapping]) -> bool:
        """Whether a consent was taken back from this client's app alone while the session stood: that much of it is told still."""
        mine = [one for one in handed if one["consent_id"] == row["consent_id"] and one["client_id"] == self.client_id]
        return row["purpose"] == self.purpose and any(one["ended_at"] is not None and one["ended_at"] >= self.since for one in mine)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The secrets of sessions that a link's browser opened, which nobody is told: their hash tells what such a session may become, and from which link. They are made of
    the hub's key, so that no statement can write one. ``token_of`` is the links'."""

    token_of: Callable[[UUID], str]

    def own(self, link_id: UUID, from_link: UUID) -> str:
        """Of a link that was finished, on which a platform let the browser in."""
        return f"{self.token_of(link_id)}|own|{from_link}"

    def here(self, link_id: UUID, from_link: UUID) -> str:
        """Of any other link."""
        return f"{self.token_of(link_id)}|here|{from_link}"

    def is_one(self, session: Row[Any], made: Callable[[UUID, UUID], str]) -> bool:
        if session.from_link is None:
            return False
        return secrets.compare_digest(session.token_hash, sessions.hashed(made(session.link_id, session.from_link)))


async def scope_of(tx: Write, session: Row[Any], tokens: Tokens, now: datetime) -> Scope:
    """How far a session reaches now. What was shown as the customer's own stays so while the session lasts, though the consent that told it be withdrawn on it; not
    where a stranger's account comes to light."""
    inside, parts = session.audience in INSTITUTION, await parts_seen_by(tx, CustomerId(session.customer_id), session.client_id)
    candidate = tokens.is_one(session, tokens.own)
    opened = candidate or tokens.is_one(session, tokens.here)
    said = await _said(tx, session, now) if candidate else None
    bound = _bound(session, said) if said is not None else Bound.LINK if opened else Bound.INSIDE if inside else Bound.APP
    if bound is None and session.own_at is None:
        await tx.execute(update(link_session).where(*sessions.this(session)).values(own_at=func.clock_timestamp()))
    link = session.from_link if opened else None
    return Scope(tuple(parts), session.client_id, session.purpose, inside, bound, link, session.created_at, candidate)


def _bound(session: Row[Any], said: OwnerStanding) -> Bound | None:
    if said is OwnerStanding.DIFFERS:
        return Bound.DIFFERS
    return Bound.UNKNOWN if said is OwnerStanding.UNKNOWN and session.own_at is None else None


async def _said(tx: Write, session: Row[Any], now: datetime) -> OwnerStanding:
    """What the platforms tell of who logged in on the session's link, by the consents in force for its purpose."""
    named = {"customer": session.customer_id, "link": session.from_link, "purpose": session.purpose, "grantee": session.grantee}
    values = {**named, "app": None, "now": now, "today": china_day(now)}
    row = await (await send(await driver_of(tx), LOGGED_IN, values)).fetchone()
    return OwnerStanding(row[0]) if row is not None else OwnerStanding.UNKNOWN
