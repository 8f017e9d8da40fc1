"""One page, one transaction: fence, raw page, window and run in one statement; then its facts and its quarantine.

The fence renews the lease of the connection only while the epoch is the run's own, and demands an active consent, which it holds (FOR SHARE) until the page is
committed: a withdrawal comes before the page or after it, never in between. The window moves only from the cursor the page was asked with. If either misses, nothing of
the page is written (trust rules, section k).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
import zstandard
from sqlalchemy import insert

from hub.connect import Interval, Json
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import ConsentMissing, LeaseLost
from hub.store.database import Write
from hub.store.facts import Counts, PageScope, write_facts
from hub.store.tables import quarantine
from hub.vault import Blind, Place, Sealer

LEASE_SECONDS = 60.0
"""How long a run may be silent before another worker may take its connection over."""


@dataclass(frozen=True, slots=True)
class Run:
    """A claimed connection: whoever holds another epoch writes nothing. ``lease`` in seconds."""

    customer_id: CustomerId
    connection_id: UUID
    run_id: UUID
    epoch: int
    lease: float = LEASE_SECONDS


@dataclass(frozen=True, slots=True)
class RawPage:
    """An answer as received, and the unsigned request that asked for it."""

    page_id: UUID
    request: dict[str, Any]
    status: int
    content_type: str | None
    sha256: str
    body: bytes
    fetched_at: datetime


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
    figures, so that a record that got lost makes the figures of the window unequal.
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


_COMMIT = """
WITH fence AS (
    UPDATE connection SET lease_until = now() + make_interval(secs => %(lease)s)
    WHERE customer_id = %(customer)s AND connection_id = %(connection)s AND epoch = %(epoch)s RETURNING 1
), allowed AS (
    SELECT 1 FROM consent WHERE customer_id = %(customer)s AND consent_id = %(consent)s AND status = 'ACTIVE' AND (expires_at IS NULL OR expires_at > %(business)s)
    FOR SHARE
), page AS (
    INSERT INTO raw_page (customer_id, page_id, connection_id, consent_id, run_id, stream, first_day, request, status, content_type, fetched_at, sha256, size, body)
    SELECT %(customer)s, %(page)s, %(connection)s, %(consent)s, %(run)s, %(stream)s, %(first_day)s, %(request)s::jsonb, %(status)s, %(content_type)s, %(fetched_at)s,
           %(sha256)s, %(size)s, %(body)s FROM fence, allowed
)
SELECT (SELECT count(*) FROM fence) AS fenced, (SELECT count(*) FROM allowed) AS allowed
"""

_MOVE = """
WITH moved AS (
    UPDATE sync_window SET cursor = %(next)s::jsonb, pages = pages + 1, fetched = fetched + %(fetched)s, stored = stored + %(stored)s, unchanged = unchanged + %(unchanged)s,
        quarantined = quarantined + %(quarantined)s, rejected = rejected + %(rejected)s, declared_total = coalesce(%(total)s, declared_total),
        state = coalesce(%(end)s::text, state), covered = coalesce(%(covered)s::datemultirange, covered),
        completed_at = CASE WHEN %(end)s::text IS NULL THEN completed_at ELSE %(business)s END, reason = coalesce(%(reason)s, reason)
    WHERE customer_id = %(customer)s AND connection_id = %(connection)s AND stream = %(stream)s AND first_day = %(first_day)s AND state = 'OPEN'
        AND cursor IS NOT DISTINCT FROM %(cursor)s::jsonb RETURNING 1
), counted AS (
    UPDATE sync_run SET requests = requests + 1, fetched = fetched + %(fetched)s, stored = stored + %(stored)s, unchanged = unchanged + %(unchanged)s,
        quarantined = quarantined + %(quarantined)s, rejected = rejected + %(rejected)s, windows_done = windows_done + CASE WHEN %(end)s::text IS NULL THEN 0 ELSE 1 END
    WHERE customer_id = %(customer)s AND run_id = %(run)s
)
SELECT count(*) FROM moved
"""


@dataclass(frozen=True, slots=True)
class PageCommit:
    """Everything one page brings."""

    run: Run
    consent_id: UUID
    raw: RawPage
    step: Step
    facts: Sequence[tuple[int, object]]
    refused: Sequence[Refused]
    business: datetime


async def commit_page(tx: Write, sealer: Sealer, blind: Blind, page: PageCommit) -> Counts:
    """Writes a page whole. Raises LeaseLost or ConsentMissing, whereupon the transaction must not commit."""
    values = _values(page, sealer)
    held = (await tx.exec_driver_sql(_COMMIT, values)).one()
    if not held.fenced:
        raise LeaseLost("Another run had the connection when this page came.", kind="page")
    if not held.allowed:
        raise ConsentMissing("The consent ended while its data was being fetched.")
    scope = PageScope(page.run.customer_id, page.run.connection_id, page.consent_id, page.raw.page_id, page.business)
    counts = await write_facts(tx, scope, page.facts, blind)
    if page.refused:
        await tx.execute(insert(quarantine), [_quarantined(page, sealer, one) for one in page.refused])
    figures = {"stored": counts.stored, "unchanged": counts.unchanged + page.step.silent, "quarantined": len(page.refused)}
    if not (await tx.exec_driver_sql(_MOVE, {**values, **figures})).scalar():
        raise LeaseLost("The window moved under this page.", kind="cursor")
    return counts


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
        "page": raw.page_id,
        "stream": step.stream,
        "first_day": step.first_day,
        "request": orjson.dumps(raw.request).decode(),
        "status": raw.status,
        "content_type": raw.content_type,
        "fetched_at": raw.fetched_at,
        "sha256": raw.sha256,
        "size": len(raw.body),
        "body": body,
        "cursor": _json(step.cursor),
        "next": _json(step.next),
        "end": step.end,
        "fetched": step.fetched,
        "rejected": step.rejected,
        "total": step.total,
        "covered": multirange(step.covered),
        "reason": step.reason,
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
