"""Records in quarantine that a page gives up, or newly puts there; and what a replay asks the store."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from hub.domain.facts import spec_of_name
from hub.domain.identifiers import CustomerId, new_id
from hub.store.database import Database, Write
from hub.store.pages import Refused
from hub.store.tables import quarantine
from hub.sync.fold import WHOLE, Live, WindowKey
from hub.sync.kept import Opened
from hub.vault import Place, Sealer

CHUNK = 5_000
Waiting = Mapping[UUID, Mapping[int, UUID]]
"""Records in quarantine: by page, by position."""

_WAITING = text("""
    SELECT q.page_id, q.position, q.record_id FROM quarantine q JOIN raw_page p ON p.customer_id = q.customer_id AND p.page_id = q.page_id
    WHERE q.customer_id = :customer AND p.connection_id = :connection AND p.stream = ANY(:streams) AND q.resolved_at IS NULL
""")
_PROVEN = text("""
    SELECT stream, first_day, proven_from FROM sync_window
    WHERE customer_id = :customer AND connection_id = :connection AND stream = ANY(:streams) AND proven_from IS NOT NULL
""")
_RESOLVE = text("UPDATE quarantine SET resolved_at = :business WHERE customer_id = :customer AND record_id = ANY(:records)")
_LIVING = """
SELECT f.source_key, f.fact_id, encode(f.content_hash, 'hex') AS content, p.serial, p.stream, p.first_day
FROM {table} f JOIN raw_page p ON p.customer_id = f.customer_id AND p.page_id = f.page_id
WHERE f.customer_id = :customer AND f.connection_id = :connection AND f.known_to IS NULL AND f.source_key > :after ORDER BY f.source_key LIMIT :chunk
"""


@dataclass(frozen=True, slots=True)
class Mend:
    """What becomes of a page's records: those that can be read now, and those that are refused now and were not before."""

    resolved: tuple[UUID, ...] = ()
    refused: tuple[Refused, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.resolved or self.refused)


def mend(opened: Opened, waiting: Mapping[int, UUID], *, only_waiting: bool) -> Mend:
    refused = {one.position: one for one in opened.refused}
    resolved = tuple(record for position, record in waiting.items() if position not in refused)
    new = () if only_waiting else tuple(one for position, one in refused.items() if position not in waiting)
    return Mend(resolved, new)


async def write(tx: Write, sealer: Sealer, opened: Opened, mended: Mend, business: datetime) -> None:
    """In the transaction that writes the page's facts."""
    customer = sealer.customer_id
    if mended.resolved:
        await tx.execute(_RESOLVE, {"customer": customer, "business": business, "records": list(mended.resolved)})
    if mended.refused:
        await tx.execute(insert(quarantine), [_row(sealer, opened, one, business) for one in mended.refused])


def _row(sealer: Sealer, opened: Opened, one: Refused, business: datetime) -> dict[str, Any]:
    record_id = new_id()
    # json, not orjson: a malformed record may hold what orjson refuses.
    body = sealer.seal(Place("quarantine", "body", str(record_id)), json.dumps(one.record, default=str).encode())
    where = {"customer_id": sealer.customer_id, "record_id": record_id, "page_id": opened.page.page_id, "stream": opened.page.stream}
    return {**where, "position": one.position, "path": one.path, "reason": one.reason, "body": body, "at": business}


async def waiting(tx: Write, customer_id: CustomerId, connection_id: UUID, streams: Sequence[str]) -> Waiting:
    found: dict[UUID, dict[int, UUID]] = defaultdict(dict)
    for row in await tx.execute(_WAITING, {"customer": customer_id, "connection": connection_id, "streams": list(streams)}):
        found[row.page_id][row.position] = row.record_id
    return found


async def proven(
    tx: Write, customer_id: CustomerId, connection_id: UUID, absent: Collection[str], states: Collection[str]
) -> dict[WindowKey, int]:
    """From which page on the pages of streams where absence means deletion count; for a state from its last proven pass, whatever its window was."""
    found: dict[WindowKey, int] = {}
    for row in await tx.execute(_PROVEN, {"customer": customer_id, "connection": connection_id, "streams": list(absent)}):
        key: tuple[str, date] = (row.stream, WHOLE if row.stream in states else row.first_day)
        found[key] = max(found.get(key, 0), row.proven_from)
    return found


async def living(database: Database, customer_id: CustomerId, connection_id: UUID, kind: str) -> AsyncIterator[Live]:
    """The live facts of a kind, by key."""
    statement, after = text(_LIVING.format(table=spec_of_name(kind).table)), ""
    while True:
        async with database.work() as tx:
            values = {"customer": customer_id, "connection": connection_id, "after": after, "chunk": CHUNK}
            rows = (await tx.execute(statement, values)).all()
        for row in rows:
            yield Live(row.source_key, row.fact_id, row.content, row.serial, (row.stream, row.first_day))
        if len(rows) < CHUNK:
            return
        after = rows[-1].source_key
