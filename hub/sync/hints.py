"""What a platform's push does to a connection: it is due now, and the days that were touched are read again. Never more.

A connection is found by the keyed hash of what pushes call its authorisation by (``connection.account_hash``, kept with the grant). Its row is locked first, as
everybody does who writes under it, so that a claim, a page or an end comes wholly before a hint or wholly after it. Days are only noted; the next plan opens their windows, so
that no run loses a window under its hands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text, update

from hub.connect import Connector, Grant
from hub.connect.webhook import account
from hub.domain.identifiers import CustomerId
from hub.store.database import Write
from hub.store.pages import Run
from hub.store.tables import connection
from hub.vault import Blind

FAMILY = "connection.account"

_FIND = text("""
    SELECT customer_id, connection_id FROM connection
    WHERE connector = :connector AND account_hash = :reference AND status = 'ACTIVE' ORDER BY customer_id, connection_id FOR UPDATE
""")
_TOUCH = text("""
    INSERT INTO touched_days (customer_id, connection_id, stream, first_day, last_day)
    SELECT :customer, :connection, s.stream, :first, :last FROM unnest(CAST(:streams AS text[])) AS s(stream) ON CONFLICT DO NOTHING
""")
# A connection that is due and waits for a worker is not doubled. One whose run goes on is due once more after it: what the run has read already may be what has
# changed. A run that has just begun may not be seen yet: then it counts as not marked.
_CHANGED = text("""
    UPDATE connection c SET due_at = greatest(clock_timestamp(), :earliest)
    WHERE c.customer_id = :customer AND c.connection_id = :connection AND (
        c.due_at IS NULL OR c.due_at > greatest(clock_timestamp(), :earliest) OR (c.lease_until > clock_timestamp() AND c.due_at <= coalesce(
            (SELECT r.started_at FROM sync_run r WHERE r.customer_id = c.customer_id AND r.connection_id = c.connection_id AND r.epoch = c.epoch), 'infinity')))
    RETURNING c.due_at
""")
# What was ordered is ready: only who stands parked is woken. A run that goes on asks by itself.
_READY = text("""
    UPDATE connection c SET due_at = greatest(clock_timestamp(), :earliest)
    WHERE c.customer_id = :customer AND c.connection_id = :connection AND c.last_verdict = 'PARKED' AND c.due_at > greatest(clock_timestamp(), :earliest)
        AND coalesce(c.lease_until, '-infinity') < clock_timestamp()
    RETURNING c.due_at
""")
# A window whose scope is another one than the plan's is read anew, from its beginning; so is one without a scope.
_REOPEN = text("""
    WITH taken AS (
        DELETE FROM touched_days WHERE customer_id = :customer AND connection_id = :connection RETURNING stream, first_day, last_day
    )
    UPDATE sync_window w SET scope_hash = ''
    FROM taken t WHERE w.customer_id = :customer AND w.connection_id = :connection
        AND w.stream = t.stream AND w.first_day <= t.last_day AND w.last_day >= t.first_day
""")


@dataclass(frozen=True, slots=True)
class Meant:
    """A connection that a hint is about."""

    customer_id: CustomerId
    connection_id: UUID


def reference_hash(blind: Blind, connector: str, reference: str) -> str:
    return blind.hash(FAMILY, f"{connector}\n{reference}")


async def name_account(tx: Write, blind: Blind, mine: Meant, connector: Connector, grant: Grant) -> None:
    """Notes what pushes call this authorisation by, so that they find it. Nothing where the connector cannot name it."""
    reference = (connector.webhook.reference if connector.webhook else account)(grant)
    hashed = reference_hash(blind, connector.manifest.name, reference) if reference else None
    where = (connection.c.customer_id == mine.customer_id, connection.c.connection_id == mine.connection_id)
    await tx.execute(update(connection).where(*where).values(account_hash=hashed))


async def find(tx: Write, connector: str, reference: str) -> list[Meant]:
    """The active connections of that hashed reference, held until the transaction ends. Always in the same order: two hints must not wait for each other."""
    found = await tx.execute(_FIND, {"connector": connector, "reference": reference})
    return [Meant(CustomerId(row.customer_id), row.connection_id) for row in found]


async def touch(tx: Write, mine: Meant, streams: tuple[str, ...], first: date, last: date) -> None:
    """Notes days that are to be read again."""
    values = {"customer": mine.customer_id, "connection": mine.connection_id, "streams": list(streams), "first": first, "last": last}
    await tx.execute(_TOUCH, values)


async def make_due(tx: Write, mine: Meant, kind: str, earliest: datetime) -> datetime | None:
    """When the connection is due now, ``earliest`` at the soonest; None: it was due already, or nothing waits."""
    values = {"customer": mine.customer_id, "connection": mine.connection_id, "earliest": earliest}
    found: datetime | None = (await tx.execute(_READY if kind == "READY" else _CHANGED, values)).scalar()
    return found


async def reopen(tx: Write, run: Run) -> None:
    """Makes the plan at hand read anew what pushes named since the last one. Part of its transaction, before it opens windows."""
    await tx.execute(_REOPEN, {"customer": run.customer_id, "connection": run.connection_id})
