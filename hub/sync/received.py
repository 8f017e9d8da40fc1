"""Records that a partner app sends by itself: a page like any other, only that it arrived by a mutation.

It is stored raw and sealed, its facts carry their lineage, the days it is complete for are covered; consent and epoch are checked by the same fence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select, text

from hub.connect import Interval
from hub.consent import grants
from hub.consent.bounds import Bounds
from hub.consent.gate import Ask, Use, decide
from hub.domain.enums import ConnectionStatus, SourceKind, Verdict
from hub.domain.identifiers import CustomerId, new_id
from hub.errors import ConsentMissing
from hub.store.database import Read, Write
from hub.store.facts import Counts
from hub.store.pages import LEASE_SECONDS, PageCommit, RawPage, Run, Step, commit_page
from hub.store.tables import connection
from hub.sync.claim import finish
from hub.sync.context import Equipment
from hub.sync.frequency import NEVER, fetched_before, note_fetch

_CLAIM = text("""
    UPDATE connection SET epoch = epoch + 1, lease_until = now() + make_interval(secs => :lease)
    WHERE customer_id = :customer AND connection_id = :connection RETURNING epoch
""")
_BEGIN = text("""
    INSERT INTO sync_run (customer_id, run_id, connection_id, epoch, started_at, windows_planned)
    VALUES (:customer, :run, :connection, :epoch, now(), 1)
""")
_OPEN = text("""
    INSERT INTO sync_window (customer_id, connection_id, run_id, stream, source, kinds, first_day, last_day, state)
    VALUES (:customer, :connection, :run, :stream, :source, :kinds, :first, :last, 'OPEN')
    ON CONFLICT (customer_id, connection_id, stream, first_day) DO UPDATE
    SET state = 'OPEN', cursor = NULL, last_day = excluded.last_day, run_id = excluded.run_id, covered = NULL, reason = NULL,
        completed_at = NULL, declared_total = NULL, pages = 0, fetched = 0, stored = 0, unchanged = 0, quarantined = 0, rejected = 0, repeated = 0,
        moved = false, passes = 1
""")


@dataclass(frozen=True, slots=True)
class Received:
    """What was sent: facts of one source, the days they are complete for, and the body as received."""

    customer_id: CustomerId
    connector: str
    source: SourceKind
    stream: str
    kinds: tuple[str, ...]
    facts: Sequence[object]
    first: date
    last: date
    purpose: str
    request: Mapping[str, Any]
    body: Any


async def receive(equipment: Equipment, tx: Write, received: Received) -> Counts:
    """Writes one page of facts that somebody sent. Raises ConsentMissing unless the customer consented to the source for this purpose."""
    run = await _begin(tx, received)
    # After the connection is held: two senders at once do not both count themselves the last.
    consent_id = await consent_for(equipment, tx, received)
    page = PageCommit(
        run=run,
        consent_id=consent_id,
        raw=_raw(received),
        step=Step(
            stream=received.stream,
            first_day=received.first,
            cursor=None,
            next=None,
            end="DONE",
            fetched=len(received.facts),
            covered=(Interval(received.first, received.last),),
        ),
        facts=list(enumerate(received.facts)),
        refused=(),
        business=equipment.clock.now(),
        bounds=Bounds(received.first, received.last, frozenset(received.kinds)),
    )
    await note_fetch(tx, received.customer_id, [consent_id], equipment.clock.now())
    counts = await commit_page(tx, await equipment.vault.sealer(tx, received.customer_id), equipment.blind, page)
    await finish(tx, run, Verdict.COMPLETE if received.facts else Verdict.EMPTY_EXPECTED)
    return counts


async def consent_for(equipment: Equipment, tx: Read | Write, received: Received) -> UUID:
    """The consent that lets these kinds of these days come in and be kept, now and as often. What is pushed is collected like what is fetched: each page counts.
    Raises ConsentMissing."""
    days, kinds, now = (received.first, received.last), frozenset(received.kinds), equipment.clock.now()
    rows = [row for row in await grants.consents_of(tx, received.customer_id) if row["connector"] == received.connector]
    before = await fetched_before(tx, received.customer_id, [row["consent_id"] for row in rows], now)
    ask = Ask(received.source, equipment.grantee, received.purpose, None, *days, Use.FETCH, kinds)
    for row in rows:
        if decide(grants.as_given(row), replace(ask, before=before.get(row["consent_id"], NEVER)), now).allowed:
            return UUID(str(row["consent_id"]))
    raise ConsentMissing(
        f"The customer has not consented to {received.source} of these days for this purpose, or not as often.",
        remedy="Ask for consent with createLinkSession.",
    )


async def _begin(tx: Write, received: Received) -> Run:
    """Claims the partner's connection, whoever sent before; the row lock makes two senders take turns."""
    mine = (
        connection.c.customer_id == received.customer_id,
        connection.c.connector == received.connector,
        connection.c.status == ConnectionStatus.ACTIVE,
    )
    found = (await tx.execute(select(connection.c.connection_id).where(*mine).with_for_update())).scalar()
    if found is None:
        raise ConsentMissing("The customer has not linked the partner app.", remedy="Ask for consent with createLinkSession.")
    who = {"customer": received.customer_id, "connection": found}
    epoch = (await tx.execute(_CLAIM, {**who, "lease": LEASE_SECONDS})).scalar_one()
    run = Run(received.customer_id, found, new_id(), epoch)
    await tx.execute(_BEGIN, {**who, "run": run.run_id, "epoch": epoch})
    window = {"stream": received.stream, "source": received.source, "kinds": list(received.kinds)}
    await tx.execute(_OPEN, {**who, **window, "run": run.run_id, "first": received.first, "last": received.last})
    return run


def _raw(received: Received) -> RawPage:
    body = orjson.dumps(received.body, default=str)
    return RawPage(
        page_id=new_id(),
        request=dict(received.request),
        status=200,
        content_type="application/json",
        sha256=hashlib.sha256(body).hexdigest(),
        body=body,
        fetched_at=datetime.now(UTC),
    )
