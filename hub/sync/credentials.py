"""The row a grant is kept in: sealed, with its version and the times that its life sets. All times are the database's.

A grant is refreshed when most of its life is over, each at a moment of its own, so that what was linked together is not refreshed together.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import func, select, update

from hub.connect import Grant
from hub.domain.enums import ConnectionStatus
from hub.domain.identifiers import CustomerId
from hub.store.database import Write
from hub.store.tables import connection, credential
from hub.vault import Place, Sealer

EARLY = (0.70, 0.80)
"""Share of a life after which it is renewed."""
LEAST_LIFE, LEAST_KEPT = 60.0, 3600.0
"""Seconds that lie between two refreshes ahead of time at least, of an access token and of a refresh token: some platforms hand out what is left of a life instead of a
new one, and would be asked more and more often."""


@dataclass(frozen=True, slots=True)
class Life:
    """Seconds from now: until a run refreshes first, until a worker refreshes in any case, until the customer is needed. None: no such moment."""

    refresh: float | None
    keep_alive: float | None
    end: float | None

    @staticmethod
    def of(grant: Grant, *, refreshable: bool = True) -> Life:
        """``refreshable``: whether the connector can make a new access token of this grant, with or without a refresh token."""
        share = random.uniform(*EARLY)  # noqa: S311 -- spreads load
        kept = grant.refresh_expires_in if grant.refresh_token else None
        return Life(
            refresh=max(grant.expires_in * share, LEAST_LIFE) if grant.expires_in and refreshable else None,
            keep_alive=max(kept * share, LEAST_KEPT) if kept else None,
            end=grant.refresh_expires_in if refreshable else grant.expires_in,
        )


def place(connection_id: UUID, column: str = "sealed") -> Place:
    return Place("credential", column, str(connection_id))


def sealed(sealer: Sealer, connection_id: UUID, grant: Grant, column: str = "sealed") -> bytes:
    return sealer.seal(place(connection_id, column), orjson.dumps(asdict(grant)))


def opened(sealer: Sealer, connection_id: UUID, value: bytes, column: str = "sealed") -> Grant:
    return as_grant(sealer.open(place(connection_id, column), value))


def as_grant(document: bytes) -> Grant:
    found: Mapping[str, Any] = orjson.loads(document)
    return Grant(**{**found, "scopes": tuple(found["scopes"])})


def values(sealer: Sealer, connection_id: UUID, grant: Grant, life: Life) -> dict[str, Any]:
    """The columns of a grant that has just come."""
    return {
        "sealed": sealed(sealer, connection_id, grant),
        "state": "valid",
        "expires_at": later(grant.expires_in or None),
        "refreshed_at": func.now(),
        "refresh_at": later(life.refresh),
        "refresh_expires_at": later(grant.refresh_expires_in if grant.refresh_token else None),
        "keep_alive_at": later(life.keep_alive),
        "exchanging_since": None,
        "interrupted": 0,
        "failures": 0,
        "reason": None,
    }


def later(seconds: float | None) -> Any:
    """That many seconds from the beginning of this transaction, on the database's clock."""
    return None if seconds is None else func.now() + timedelta(seconds=seconds)


def inherited(new: Grant, old: Grant) -> Grant:
    """What an answer leaves out stays as it was: a refresh token that is not replaced stays good, a scope that is not repeated stays granted (RFC 6749, 5.1 and 6)."""
    kept = new.refresh_token or old.refresh_token
    return replace(new, refresh_token=kept, account=new.account or old.account, scopes=new.scopes or old.scopes)


def row_of(customer_id: CustomerId, connection_id: UUID) -> Any:
    """Selects a credential. ``refresh_in`` is in seconds; negative: it is high time."""
    waiting = func.extract("epoch", credential.c.refresh_at - func.clock_timestamp()).label("refresh_in")
    return select(credential, waiting).where(*_mine(customer_id, connection_id))


async def change(tx: Write, customer_id: CustomerId, connection_id: UUID, *, only: int | None = None, **changes: Any) -> bool:
    """Updates the credential, only while it is at version ``only`` if one is named. Whether it was there."""
    conditions = list(_mine(customer_id, connection_id))
    if only is not None:
        conditions.append(credential.c.epoch == only)
    return bool((await tx.execute(update(credential).where(*conditions).values(**changes))).rowcount)


async def note(tx: Write, customer_id: CustomerId, connection_id: UUID, *, ended: bool = False, **changes: Any) -> None:
    """Updates the connection of a credential, after the credential: everybody locks the two in this order. One that was disconnected stays as it is, unless ``ended``."""
    mine = [connection.c.customer_id == customer_id, connection.c.connection_id == connection_id]
    if not ended:
        mine.append(connection.c.status != ConnectionStatus.DISCONNECTED)
    await tx.execute(update(connection).where(*mine).values(**changes))


def _mine(customer_id: CustomerId, connection_id: UUID) -> tuple[Any, Any]:
    return credential.c.customer_id == customer_id, credential.c.connection_id == connection_id
