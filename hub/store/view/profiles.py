"""Tells subscriptions to ``profileChanged`` that something of a customer has changed, each change once.

The transaction that changes something leaves a row (``profile_change``). A watcher has been told everything up to a snapshot of the database; the next look asks for rows
whose transaction that snapshot did not see. So a transaction that began early and commits late is told of when it commits, none is told of twice, and whoever lost
the line goes on from the cursor of the last answer. What is shown is read by the watcher's own stored read, under row-level security and consents.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from hub.domain.caller import Admitted
from hub.errors import ConsentMissing, InvalidInput, NotFound, TokenInvalid
from hub.store.changes import KEPT
from hub.store.view.binding import bound_customer
from hub.store.view.catalogue import Argued, Column, Convert, Many, One, Rows, Scope, TypeView, plain
from hub.store.view.environment import PURPOSE
from hub.store.view.evaluations import still_readable
from hub.store.view.gate import in_force_now, of_this_use
from hub.store.view.looking import Looks
from hub.store.view.merged import WITH_PARTS, answering

# PostgreSQL knows how many changes a customer has on average, and would read and sort all of them: of one who has many, too many.
_BY_KEY = text("SELECT set_config('enable_sort', 'off', true), set_config('enable_bitmapscan', 'off', true)")
LATEST = 100
"""Of each customer a look asks the latest changes. One that was made long before and committed only now may be behind them: it is told with the next one, for what is
read then begins where the last answer ended."""
_LOOK = text(f"""
    SELECT w.place, pg_current_snapshot()::text AS until,
        EXISTS (SELECT 1 FROM customer_client v WHERE v.customer_id = w.customer AND v.client_id = w.client) AS found,
        EXISTS (SELECT 1 FROM client a WHERE a.client_id = w.client AND a.disabled_at IS NULL AND 'customers:read' = ANY (a.scopes)
            AND (a.tokens_from IS NULL OR a.tokens_from <= to_timestamp(w.issued)))
            AND NOT EXISTS (SELECT 1 FROM used_token_id u WHERE u.kind = 'REVOKED' AND u.issuer = w.client AND u.jti = w.token) AS admitted,
        EXISTS (SELECT 1 FROM consent k WHERE k.customer_id = ANY (p.parts) AND k.purpose = w.purpose AND k.status = 'ACTIVE'
            AND (k.expires_at IS NULL OR k.expires_at > :business)
            AND (w.client = ANY (k.apps) OR EXISTS (SELECT 1 FROM client a WHERE a.client_id = w.client AND a.audience <> 'PARTNER'))) AS consented,
        EXISTS (SELECT 1 FROM unnest(p.parts) AS c(part), LATERAL (
                SELECT n.xid FROM profile_change n WHERE n.customer_id = c.part ORDER BY n.change_id DESC LIMIT {LATEST}) n
            WHERE NOT pg_visible_in_snapshot(n.xid::text::xid8, CAST(w.since AS pg_snapshot))) AS changed
    FROM unnest(CAST(:places AS int[]), CAST(:clients AS text[]), CAST(:tokens AS text[]), CAST(:issued AS float8[]), CAST(:purposes AS text[]),
        CAST(:customers AS uuid[]), CAST(:sinces AS text[])) AS w(place, client, token, issued, purpose, customer, since),
    LATERAL (SELECT coalesce((SELECT m.into_id FROM customer_merge m WHERE m.customer_id = w.customer), w.customer) AS stays) s,
    LATERAL (SELECT array(SELECT m.customer_id FROM customer_merge m WHERE m.into_id = s.stays) || s.stays || w.customer AS parts) p
""")


@dataclass(frozen=True, slots=True)
class _Seen:
    """One look: ``changed`` since ``since``, as far as ``until`` sees."""

    since: str | None
    until: str
    found: bool
    admitted: bool
    consented: bool
    changed: bool


@dataclass(eq=False, slots=True)
class _Watcher:
    admitted: Admitted
    customer: UUID
    since: str | None
    seen: _Seen | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def sees(self, seen: _Seen) -> None:
        self.seen = seen
        # A look that was under way while the last answer was given speaks of what that answer told.
        if (seen.changed and seen.since == self.since) or not (seen.found and seen.admitted and seen.consented):
            self.news.set()


class Profiles(Looks[_Watcher]):
    """See the module."""

    async def changes(self, admitted: Admitted, customer: str, after: str | None) -> AsyncIterator[Mapping[str, str]]:
        """Yields what lies between ``since`` and ``until``, two snapshots: at once, and then whenever something has changed.

        Raises InvalidInput, NotFound (also for what the client may not see), ConsentMissing, TokenInvalid, TooManySubscriptions.
        """
        customer_id = bound_customer(customer)
        if customer_id is None:
            raise NotFound("There is nothing to watch under this id.")
        watcher = self._enter(_Watcher(admitted, customer_id, None if after is None else _gone_on_from(after, self.now())))
        try:
            await self._look([watcher])
            while True:
                watcher.news.clear()
                seen = self._allowed(watcher)
                yield {"since": watcher.since or seen.until, "until": seen.until}
                watcher.since = seen.until
                await self._news(watcher)
        finally:
            self._leave(watcher)

    def _allowed(self, watcher: _Watcher) -> _Seen:
        seen = watcher.seen
        if seen is None or not seen.found:
            raise NotFound("There is nothing to watch under this id.")
        if not seen.admitted or self.now() >= watcher.admitted.expires_at:
            raise TokenInvalid("The token has ended, or its client may no longer watch.", remedy="Subscribe again with a new token.")
        if not seen.consented:
            raise ConsentMissing("No consent of the customer is in force for this purpose.")
        return seen

    async def _news(self, watcher: _Watcher) -> None:
        """Until something happened, or the token ended."""
        try:
            async with asyncio.timeout(max(0.0, watcher.admitted.expires_at - self.now())):
                await watcher.news.wait()
        except TimeoutError:
            return

    async def _look(self, watchers: Sequence[_Watcher]) -> None:
        sinces = [one.since for one in watchers]
        async with self.database.work() as tx:
            await tx.execute(_BY_KEY)
            rows = (await tx.execute(_LOOK, _values(watchers, sinces, self.clock.now()))).all()
        for row in rows:
            seen = _Seen(sinces[row.place], row.until, row.found, row.admitted, row.consented, bool(row.changed))
            watchers[row.place].sees(seen)


def _values(watchers: Sequence[_Watcher], sinces: Sequence[str | None], business: datetime) -> dict[str, Any]:
    callers = [one.admitted.caller for one in watchers]
    return {
        "business": business,
        "places": list(range(len(watchers))),
        "clients": [caller.client_id for caller in callers],
        "tokens": [one.admitted.token_id for one in watchers],
        "issued": [one.admitted.issued_at for one in watchers],
        "purposes": [caller.purpose for caller in callers],
        "customers": [one.customer for one in watchers],
        "sinces": list(sinces),
    }


_CURSOR = re.compile(r"(\d{1,12})\|(\d{1,18}):(\d{1,18}):((?:\d{1,18},)*\d{1,18}|)")
_OLD = "Read the profile anew, and subscribe without `after`."


def _gone_on_from(after: str, now: float) -> str:
    """The snapshot behind a cursor. Raises InvalidInput for what is none, or too old."""
    try:
        found = _CURSOR.fullmatch(base64.b64decode(after, validate=True).decode("ascii"))
    except (ValueError, binascii.Error):
        found = None
    if found is None or not _is_snapshot(*found.groups()[1:]):
        raise InvalidInput("The cursor is not one of ours.", remedy=_OLD)
    if now - int(found[1]) > KEPT.total_seconds():
        raise InvalidInput(f"The cursor is older than {KEPT.days} days.", remedy=_OLD)
    return found[0].partition("|")[2]


def _is_snapshot(first: str, last: str, between: str) -> bool:
    """As PostgreSQL reads it: it refuses another one, and with it the look of everybody."""
    inside = [int(one) for one in between.split(",") if one]
    return 0 < int(first) <= int(last) and inside == sorted(set(inside)) and all(int(first) <= one < int(last) for one in inside)


def _told(t: str) -> str:
    """A change that lies between the two snapshots, for the purpose of the asking token; of facts and of a connection one whose connector a consent in force is for, of
    an evaluation one that may be read."""
    xid = f"{t}.xid::text::xid8"
    consent = " and ".join((f"k.customer_id = {t}.customer_id", f"k.connector = {t}.of", *of_this_use("k"), *in_force_now("k")))
    made = f"v.customer_id = {t}.customer_id and v.scenario = {t}.of and v.known_at = {t}.known_at"
    return (
        f"not pg_visible_in_snapshot({xid}, %(since)s::pg_snapshot) and pg_visible_in_snapshot({xid}, %(until)s::pg_snapshot)"
        f" and coalesce({t}.purpose = {PURPOSE}, true) and ({t}.kind not in ('FACTS', 'CONNECTION') or exists (select 1 from consent k where {consent}))"
        f" and ({t}.kind <> 'EVALUATION' or exists (select 1 from evaluation v where {made} and {still_readable('v')}))"
    )


def _changes(t: str, scope: Scope) -> Rows:
    """The last of each kind and thing: that it changed is said, not how often."""
    n = f"{t}_n"
    newer = (
        f"{n}.customer_id = {t}.customer_id and {n}.kind = {t}.kind and {n}.of = {t}.of and {n}.change_id > {t}.change_id and {_told(n)}"
    )
    is_last = f"not exists (select 1 from profile_change {n} where {newer})"
    return Rows(f"profile_change {t}", (f"{t}.customer_id = any({scope['ProfileNews']}.parts)", _told(t), is_last))


def _watched(t: str, scope: Scope) -> Rows:
    return Rows(f"{WITH_PARTS} {t}", ())


PROFILE_CHANGED = One(
    "ProfileNews",
    _watched,
    arguments={
        "customerId": Argued("uuid", f"{{t}}.customer_id = {answering('{p}')}", convert=Convert.CUSTOMER_ID),
        "since": Argued("pg_snapshot"),
        "until": Argued("pg_snapshot"),
    },
)
_POSITION = "date_part('epoch', now())::bigint || '|' || %(until)s::text"
PROFILE_TYPES = [
    TypeView(
        "ProfileNews",
        {
            "customerId": Column("{t}.customer_id"),
            "cursor": Column(f"translate(encode(convert_to({_POSITION}, 'UTF8'), 'base64'), E'\\n', '')"),
            "changes": Many("ProfileChange", _changes, "{t}.change_id", default=100),
        },
    ),
    TypeView("ProfileChange", plain("kind", "of", "knownAt", "at")),
]
