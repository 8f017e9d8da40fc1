"""One page, one transaction: fence, raw page, window and run in one statement; then its facts and its quarantine.

The fence renews the lease of the connection only while the epoch is the run's own, and demands an active consent, which it holds (FOR SHARE) until the page is
committed: a withdrawal comes before the page or after it, never in between. The window moves only from the cursor the page was asked with. If either misses, nothing of
the page is written (trust rules, section k).
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, partial
from typing import Any, Literal
from uuid import UUID

import orjson
import zstandard

from hub.connect import Interval, Json
from hub.consent.bounds import Bounds
from hub.domain.identifiers import CustomerId, new_id
from hub.domain.periods import china_day
from hub.errors import ConsentMissing, HubError, LeaseLost
from hub.store.arrays import literal
from hub.store.database import Write, driver_of, told
from hub.store.driver import Answers, Statements, pipelined
from hub.store.facts import Batch, Counts, batch_of, parameters, parts
from hub.store.keys import digests, doubles
from hub.vault import Blind, Place, Sealer

LEASE_SECONDS = 60.0
"""How long a run may be silent before another worker may take its connection over."""
DUPLICATE_KEY = "DUPLICATE_KEY"


@dataclass(frozen=True, slots=True)
class Run:
    """A claimed connection: whoever holds another epoch writes nothing. ``lease`` in seconds; ``windows`` is the table whose windows the run moves."""

    customer_id: CustomerId
    connection_id: UUID
    run_id: UUID
    epoch: int
    lease: float = LEASE_SECONDS
    windows: Literal["sync_window", "backfill_window"] = "sync_window"


@dataclass(frozen=True, slots=True)
class RawPage:
    """An answer as received, and the unsigned request that asked for it. ``extract``: the body is what was kept of its records, ``size`` that of the answer."""

    page_id: UUID
    request: dict[str, Any]
    status: int
    content_type: str | None
    sha256: str
    body: bytes
    fetched_at: datetime
    extract: bool = False
    size: int | None = None

    @property
    def received(self) -> int:
        return len(self.body) if self.size is None else self.size


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that could not be read: where, why, and itself."""

    position: int
    path: str
    reason: str
    record: Any


@dataclass(frozen=True, slots=True)
class Step:
    """How a window moves with a page: from a cursor to the next, or to its end (DONE, NOT_SERVED).

    ``silent`` of the ``fetched`` records carry no fact by the connector's own word; they count as unchanged. It is said, not derived from the other
    figures, so that a record that got lost makes the figures of the window unequal. ``restart``: what the window gave before comes again, from this page on.
    ``keyed`` keeps which facts it brings, though it be the only page: absence will mean deletion.
    """

    stream: str
    first_day: date
    cursor: Json | None
    next: Json | None
    end: str | None
    fetched: int
    rejected: int = 0
    total: int | None = None
    covered: tuple[Interval, ...] | None = None
    reason: str | None = None
    silent: int = 0
    restart: bool = False
    keyed: bool = False

    @property
    def alone(self) -> bool:
        """The only page of its window: nothing can move while it is read."""
        return self.cursor is None and self.end is not None


_COMMIT = """
WITH fence AS (
    UPDATE connection SET lease_until = now() + make_interval(secs => %(lease)s)
    WHERE customer_id = %(customer)s AND connection_id = %(connection)s AND epoch = %(epoch)s RETURNING 1
), allowed AS (
    SELECT data_life_days FROM consent
    WHERE customer_id = %(customer)s AND consent_id = %(consent)s AND status = 'ACTIVE' AND (expires_at IS NULL OR expires_at > %(business)s)
        AND (%(from)s::date IS NULL OR (data_from <= %(from)s::date AND data_to >= %(to)s::date AND (kinds IS NULL OR kinds @> %(kinds)s::text[]))) FOR SHARE
), page AS (
    INSERT INTO raw_page (customer_id, page_id, connection_id, consent_id, run_id, stream, first_day, request, status, content_type, fetched_at, sha256, size, body, life_ends_on, life_days)
    SELECT %(customer)s, %(page)s, %(connection)s, %(consent)s, %(run)s, %(stream)s, %(first_day)s, %(request)s::jsonb, %(status)s, %(content_type)s, %(fetched_at)s,
           %(sha256)s, %(size)s, %(body)s, %(day)s::date + data_life_days, data_life_days FROM fence, allowed
)
SELECT (SELECT count(*) FROM fence) AS fenced, (SELECT count(*) FROM allowed) AS allowed
"""

# Beside the window and the run: which keys the page brought, while its window is not read to its end (hub.sync.passes).
_ANEW = """
before AS (
    DELETE FROM window_keys WHERE customer_id = %(customer)s AND connection_id = %(connection)s AND windows = 'sync_window' AND stream = %(stream)s
        AND first_day = %(first_day)s
), """
_MOVE = """
noted AS (
    INSERT INTO window_keys (customer_id, connection_id, windows, stream, first_day, page_id, records, facts)
    SELECT %(customer)s, %(connection)s, 'sync_window', %(stream)s, %(first_day)s, %(page)s, %(records)s::bytea, %(keys)s::bytea WHERE %(records)s::bytea IS NOT NULL
), moved AS (
    UPDATE sync_window SET cursor = %(next)s::jsonb, pages = pages + 1, fetched = fetched + %(fetched)s, stored = stored + figures.new, unchanged = unchanged + %(known)s - figures.new,
        quarantined = quarantined + %(quarantined)s, rejected = rejected + %(rejected)s, declared_total = coalesce(%(total)s, declared_total),
        repeated = repeated + %(repeated)s, moved = NOT %(restart)s AND (moved OR coalesce(%(total)s::bigint < declared_total, false)),
        state = coalesce(%(end)s::text, state), covered = coalesce(%(covered)s::datemultirange, covered),
        completed_at = CASE WHEN %(end)s::text IS NULL THEN completed_at ELSE %(business)s END, reason = coalesce(%(reason)s, reason)
    FROM figures WHERE customer_id = %(customer)s AND connection_id = %(connection)s AND stream = %(stream)s AND first_day = %(first_day)s AND state = 'OPEN'
        AND cursor IS NOT DISTINCT FROM %(cursor)s::jsonb RETURNING 1
), counted AS (
    UPDATE sync_run SET requests = requests + 1, fetched = fetched + %(fetched)s, stored = stored + figures.new, unchanged = unchanged + %(known)s - figures.new,
        quarantined = quarantined + %(quarantined)s, rejected = rejected + %(rejected)s, windows_done = windows_done + CASE WHEN %(end)s::text IS NULL THEN 0 ELSE 1 END
    FROM figures WHERE customer_id = %(customer)s AND run_id = %(run)s
)
SELECT figures.new FROM figures WHERE insist((SELECT count(*) FROM page) = 1 AND (SELECT count(*) FROM moved) = 1)
"""
"""A page that is not there or a window that did not move fails the statement: whatever was sent behind it, the commit among it, is then skipped by the server."""
NOT_SO = "HUB01"
"""The SQLSTATE of what ``insist()`` found not to be so."""
_ASIDE = """
INSERT INTO quarantine (customer_id, record_id, page_id, position, stream, path, reason, body, at)
VALUES (%(customer_id)s, %(record_id)s, %(page_id)s, %(position)s, %(stream)s, %(path)s, %(reason)s, %(body)s, %(at)s)
"""


@dataclass(frozen=True, slots=True)
class PageCommit:
    """Everything one page brings. ``records`` by position, for those that turn out to be doubles. ``bounds`` is what the consent held when records were held
    against it, ``outside`` the facts that are not kept."""

    run: Run
    consent_id: UUID
    raw: RawPage
    step: Step
    facts: Batch | Sequence[tuple[int, object]]
    refused: Sequence[Refused]
    business: datetime
    records: Sequence[Any] = ()
    bounds: Bounds | None = None
    outside: Batch = field(default_factory=Batch)


@dataclass(frozen=True, slots=True)
class Ready:
    """A page as the parameters of its statements. Made before anything is locked."""

    kinds: tuple[type, ...]
    windows: str
    values: dict[str, Any]
    aside: Sequence[dict[str, Any]]


def ready(sealer: Sealer, blind: Blind, page: PageCommit) -> Ready:
    """Compresses, seals and encodes. Raises Unreadable for a fact that PostgreSQL would refuse."""
    batch = page.facts if isinstance(page.facts, Batch) else batch_of(page.facts, blind)
    twice = doubles(batch)
    refused = [*page.refused, *(double_of(page.records, position) for position in sorted(twice.other))]
    known = len(batch.positions) - len(twice.other) + page.step.silent
    figures = {"known": known, "quarantined": len(refused), "repeated": twice.same + doubles(page.outside).same}
    values = {**_values(page, sealer), **figures, **_keys(page.step, batch, page.outside), **_bounded(page.bounds), **parameters(batch)}
    return Ready(tuple(batch.kinds), page.run.windows, values, [_quarantined(page, sealer, one) for one in refused])


async def commit_page(tx: Write, sealer: Sealer, blind: Blind, page: PageCommit) -> Counts:
    """Writes a page whole. Raises LeaseLost or ConsentMissing, whereupon the transaction must not commit."""
    driver = await driver_of(tx)
    return await write_page(partial(pipelined, driver), (), ready(sealer, blind, page))


Exchange = Callable[[Statements], Awaitable[Answers]]
"""Sends statements in one go: :func:`hub.store.driver.pipelined` over a connection, or :meth:`hub.store.lanes.Lanes.exchange`."""


async def write_page(exchange: Exchange, first: Statements, page: Ready, last: Statements = ()) -> Counts:
    """Sends everything in one go, between the statements that come ``first`` and ``last``, and looks at the answers afterwards: see :func:`commit_page`.

    Each statement counts on the one before. Where the fence or the consent is missed there is no raw page, so no facts, which fails the statement:
    a commit that was sent behind it is skipped.
    """
    move = _ANEW + _MOVE if page.values["restart"] else _MOVE
    own = ((_COMMIT, page.values), (_write(page.kinds, page.windows, move), page.values), *((_ASIDE, record) for record in page.aside))
    rows, error = await exchange((*first, *own, *last))
    if error is not None and error.sqlstate == NOT_SO:
        raise _missed(rows[len(first)])
    if error is not None:
        raise told(error) from error
    ((stored,),) = rows[len(first) + 1]
    return Counts(stored, page.values["known"] - stored)


def _missed(fence: list[tuple[int, int]]) -> HubError:
    """What of a page's conditions did not hold."""
    ((fenced, allowed),) = fence
    if not fenced:
        return LeaseLost("Another run had the connection when this page came.", kind="page")
    if not allowed:
        return ConsentMissing("The consent ended or became narrower while its data was being fetched.")
    return LeaseLost("The window moved under this page.", kind="cursor")


@cache
def _write(kinds: tuple[type, ...], windows: str, move: str) -> str:
    """Facts of these kinds, and the window and the run that count them: the live windows, or those of a backfill."""
    page = "SELECT 1 FROM raw_page WHERE customer_id = %(customer)s AND page_id = %(page)s"
    figures = "figures AS (SELECT count(*) AS new FROM changed)"
    return f"WITH page AS ({page}), {parts(kinds)}, {figures}, {move.replace('sync_window', windows)}"


def _keys(step: Step, batch: Batch, outside: Batch) -> dict[str, bytes | None]:
    """Which keys the page brought, where its window has others or absence means deletion. What is not kept came, too: its keys are gone with the end of the pass."""
    if step.alone and not step.keyed:
        return {"records": None, "keys": None}
    records, facts = (kept + rejected for kept, rejected in zip(digests(batch), digests(outside), strict=True))
    return {"records": records, "keys": facts if step.keyed else None}


def _bounded(bounds: Bounds | None) -> dict[str, Any]:
    """A consent that became narrower since holds the page no more: it is asked for again. None of ``kinds`` holds every kind, so no list does."""
    if bounds is None:
        return {"from": None, "to": None, "kinds": None}
    return {"from": bounds.first, "to": bounds.last, "kinds": None if bounds.kinds is None else literal(sorted(bounds.kinds))}


def double_of(records: Sequence[Any], position: int) -> Refused:
    """A record that cannot be kept beside another one of its page: the key does not tell them apart."""
    record = records[position] if position < len(records) else None
    return Refused(position, "", f"{DUPLICATE_KEY}: a later record of the page has the same key and another content", record)


def _values(page: PageCommit, sealer: Sealer) -> dict[str, Any]:
    run, raw, step = page.run, page.raw, page.step
    body = sealer.seal(Place("raw_page", "body", str(raw.page_id)), zstandard.compress(raw.body, 3))
    return {
        "lease": run.lease,
        "customer": run.customer_id,
        "connection": run.connection_id,
        "epoch": run.epoch,
        "run": run.run_id,
        "consent": page.consent_id,
        "business": page.business,
        "day": china_day(page.business),
        "page": raw.page_id,
        "stream": step.stream,
        "first_day": step.first_day,
        "request": orjson.dumps(raw.request | ({"extract": True} if raw.extract else {})).decode(),
        "status": raw.status,
        "content_type": raw.content_type,
        "fetched_at": raw.fetched_at,
        "sha256": raw.sha256,
        "size": raw.received,
        "body": body,
        "cursor": _json(step.cursor),
        "next": _json(step.next),
        "end": step.end,
        "fetched": step.fetched,
        "rejected": step.rejected,
        "total": step.total,
        "covered": multirange(step.covered),
        "reason": step.reason,
        "restart": step.restart,
    }


def _json(value: Json | None) -> str | None:
    return None if value is None else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def multirange(intervals: Sequence[Interval] | None) -> str | None:
    """Intervals as PostgreSQL writes a datemultirange."""
    return None if intervals is None else "{" + ",".join(f"[{i.first},{i.last}]" for i in intervals) + "}"


def _quarantined(page: PageCommit, sealer: Sealer, one: Refused) -> dict[str, Any]:
    record_id = new_id()
    return {
        "customer_id": page.run.customer_id,
        "record_id": record_id,
        "page_id": page.raw.page_id,
        "position": one.position,
        "stream": page.step.stream,
        "path": one.path,
        "reason": one.reason,
        # json, not orjson: a malformed record may hold what orjson refuses (a number beyond 64 bits, half a surrogate pair).
        "body": sealer.seal(Place("quarantine", "body", str(record_id)), json.dumps(one.record, default=str).encode()),
        "at": page.business,
    }
