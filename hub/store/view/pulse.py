"""Tells subscriptions that something has changed in what they watch: one statement a second for all of a process, none while nobody watches.

Asking beats being told here: a notification would cost every page of every run a little, and a pooler in transaction mode would lose it. The look also says
whether the watcher may still watch (its client, its token, whom it sees) and whether there still is a consent, so that neither outlives its withdrawal by
more than a second. What is shown is read by the watcher's own stored read, under row-level security.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from hub.domain.caller import Admitted
from hub.domain.clock import Clock
from hub.errors import ConsentMissing, InvalidInput, NotFound, TokenInvalid
from hub.store.database import Database
from hub.store.view.binding import bound_customer, bound_node
from hub.store.view.looking import Looks, Rules
from hub.store.view.profiles import Profiles

_LOOK = text("""
    SELECT w.place, count(c.connection_id) > 0 AS found,
        md5(string_agg(concat_ws('|', c.connection_id, c.epoch, c.status, c.last_verdict, c.due_at, r.requests, r.windows_done, r.verdict, e.event_id),
            ',' ORDER BY c.connection_id)) AS stamp,
        coalesce(bool_or(c.status = 'ACTIVE' AND (coalesce(c.due_at <= now(), false) OR coalesce(c.lease_until > now(), false))), false) AS active,
        coalesce(bool_or(EXISTS (SELECT 1 FROM consent k WHERE k.customer_id = c.customer_id AND k.connector = c.connector AND k.status = 'ACTIVE'
            AND (k.expires_at IS NULL OR k.expires_at > :business))), false) AS consented,
        EXISTS (SELECT 1 FROM client a WHERE a.client_id = w.client AND a.disabled_at IS NULL AND 'operations:read' = ANY (a.scopes)
            AND (a.tokens_from IS NULL OR a.tokens_from <= to_timestamp(w.issued)))
            AND NOT EXISTS (SELECT 1 FROM used_token_id u WHERE u.kind = 'REVOKED' AND u.issuer = w.client AND u.jti = w.token) AS admitted
    FROM unnest(CAST(:places AS int[]), CAST(:clients AS text[]), CAST(:tokens AS text[]), CAST(:issued AS float8[]), CAST(:operators AS bool[]), CAST(:customers AS uuid[]),
        CAST(:connections AS uuid[])) AS w(place, client, token, issued, operator, customer, connection)
    LEFT JOIN connection c ON c.customer_id = w.customer AND (w.connection IS NULL OR c.connection_id = w.connection)
        AND (w.operator OR EXISTS (SELECT 1 FROM customer_client v WHERE v.customer_id = c.customer_id AND v.client_id = w.client))
    LEFT JOIN LATERAL (SELECT s.run_id, s.requests, s.windows_done, s.verdict FROM sync_run s
        WHERE s.customer_id = c.customer_id AND s.connection_id = c.connection_id ORDER BY s.started_at DESC LIMIT 1) r ON true
    LEFT JOIN LATERAL (SELECT v.event_id FROM sync_event v WHERE v.customer_id = c.customer_id AND v.run_id = r.run_id
        ORDER BY v.event_id DESC LIMIT 1) e ON true
    GROUP BY w.place, w.client, w.token, w.issued
""")


@dataclass(frozen=True, slots=True)
class _Seen:
    """One look: ``stamp`` changes with what is watched, ``active`` while a run is under way or due."""

    found: bool
    stamp: str | None
    active: bool
    consented: bool
    admitted: bool


@dataclass(eq=False, slots=True)
class _Watcher:
    admitted: Admitted
    customer: UUID
    connection: UUID | None
    seen: _Seen | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def sees(self, seen: _Seen) -> None:
        if seen != self.seen:
            self.seen = seen
            self.news.set()


class Pulse(Looks[_Watcher]):
    """See the module."""

    def __init__(self, database: Database, clock: Clock, rules: Rules | None = None, now: Callable[[], float] = time.time) -> None:
        super().__init__(database, clock, rules, now)
        self._profiles = Profiles(database, clock, rules, now)

    def changes(self, admitted: Admitted, customer: str, after: str | None) -> AsyncIterator[Mapping[str, str]]:
        """As :meth:`Profiles.changes`."""
        return self._profiles.changes(admitted, customer, after)

    async def beats(self, admitted: Admitted, customer: str | None, connection: str | None) -> AsyncIterator[None]:
        """Yields at once, and then whenever something has changed; ends when nothing more is to come.

        Raises InvalidInput, NotFound (also for what the client may not see), ConsentMissing, TokenInvalid, TooManySubscriptions.
        """
        watcher = self._enter(_Watcher(admitted, *_watched(customer, connection)))
        try:
            await self._look([watcher])
            shown: str | None = None
            while True:
                watcher.news.clear()
                seen = self._allowed(watcher)
                if seen.stamp != shown:
                    shown = seen.stamp
                    yield
                if not watcher.news.is_set() and (not seen.active or not await self._news(watcher)):
                    return
        finally:
            self._leave(watcher)

    def _allowed(self, watcher: _Watcher) -> _Seen:
        """The last look, if it still says that the watcher may watch."""
        seen = watcher.seen
        if seen is None or not seen.found:
            raise NotFound("There is nothing to watch under this id.")
        if not seen.admitted or self.now() >= watcher.admitted.expires_at:
            raise TokenInvalid("The token has ended, or its client may no longer watch.", remedy="Subscribe again with a new token.")
        if not seen.consented:
            raise ConsentMissing("The customer has withdrawn: nothing is fetched any more.")
        return seen

    async def _news(self, watcher: _Watcher) -> bool:
        """Whether something happened, or the token ended, before it was idle for too long."""
        left = watcher.admitted.expires_at - self.now()
        try:
            async with asyncio.timeout(min(self.rules.idle, left)):
                await watcher.news.wait()
        except TimeoutError:
            return left <= self.rules.idle
        return True

    async def _look(self, watchers: Sequence[_Watcher]) -> None:
        """One statement for all of them."""
        async with self.database.work() as tx:
            rows = (await tx.execute(_LOOK, _values(watchers, self.clock.now()))).all()
        for row in rows:
            watchers[row.place].sees(_Seen(row.found, row.stamp, row.active, row.consented, row.admitted))


def _values(watchers: Sequence[_Watcher], business: datetime) -> dict[str, Any]:
    callers = [one.admitted.caller for one in watchers]
    return {
        "business": business,
        "places": list(range(len(watchers))),
        "clients": [caller.client_id for caller in callers],
        "operators": [caller.operates for caller in callers],
        "tokens": [one.admitted.token_id for one in watchers],
        "issued": [one.admitted.issued_at for one in watchers],
        "customers": [one.customer for one in watchers],
        "connections": [one.connection for one in watchers],
    }


def _watched(customer: str | None, connection: str | None) -> tuple[UUID, UUID | None]:
    """Customer and connection that are meant. Raises InvalidInput, NotFound; a malformed id is one that finds nothing."""
    if customer is None and connection is None:
        raise InvalidInput("Say what to watch: a customer or a connection.")
    of, found = None if customer is None else bound_customer(customer), None
    if connection is not None:
        kind, owner, found = bound_node(connection)
        fits = kind == "PlatformConnection" and found is not None and (customer is None or of == owner)
        of = owner if fits else None
    if of is None:
        raise NotFound("There is nothing to watch under this id.")
    return of, found
