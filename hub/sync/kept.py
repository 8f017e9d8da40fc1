"""Raw pages as they were kept, opened again and read with today's code. No request leaves.

A page is read with the cursor it was asked with and the context of its connection as it is now; what the answer said of paging is of no more interest. Not kept are
the answer's headers but for the content type, records that lay outside of what was consented (ADR 56), and cursors that were too long (:data:`hub.sync.evidence.LONGEST_CURSOR`): a page whose reading needs them is told as
unreadable, and what it brought stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import zstandard
from sqlalchemy import text

from hub.connect import STUMBLES, Context, NoData, Page, Response, Stream, Window
from hub.connect.faults import Fault
from hub.consent.bounds import Bounds
from hub.domain.enums import ConsentStatus
from hub.domain.identifiers import CustomerId
from hub.errors import SecretMissing
from hub.store.database import Write
from hub.store.facts import Batch
from hub.store.keys import doubles
from hub.store.pages import Refused, double_of
from hub.sync.evidence import extracted, sort_records
from hub.vault import Blind, Place, Sealer

AT_ONCE, BYTES_AT_ONCE = 100, 8_000_000
"""Pages, and bytes of them before compression, that are in memory at a time."""

_PAGES = text("""
    SELECT p.page_id, p.serial, p.stream, p.first_day, coalesce(w.last_day, b.last_day, p.first_day) AS last_day, p.consent_id, p.request, p.status, p.content_type, p.fetched_at, p.size
    FROM raw_page p
    LEFT JOIN sync_window w ON w.customer_id = p.customer_id AND w.connection_id = p.connection_id AND w.stream = p.stream AND w.first_day = p.first_day
    LEFT JOIN backfill_window b ON b.customer_id = p.customer_id AND b.connection_id = p.connection_id AND b.stream = p.stream AND b.first_day = p.first_day
    WHERE p.customer_id = :customer AND p.connection_id = :connection AND p.stream = ANY(:streams) ORDER BY p.serial
""")
_BODIES = text("SELECT page_id, body FROM raw_page WHERE customer_id = :customer AND page_id = ANY(:pages)")
_ALLOWED = text("""
    SELECT p.consent_id, c.data_from, c.data_to, c.kinds FROM consent p JOIN consent c ON c.customer_id = p.customer_id AND c.source = p.source AND c.grantee = p.grantee AND c.purpose = p.purpose
    WHERE p.customer_id = :customer AND p.status IN (:active, :renewed) AND c.status = :active AND (c.expires_at IS NULL OR c.expires_at > :business)
""")


@dataclass(frozen=True, slots=True)
class Kept:
    """A raw page without its body. ``serial`` is its place in the order of commit."""

    page_id: UUID
    serial: int
    stream: str
    first_day: date
    last_day: date
    consent_id: UUID
    request: Mapping[str, Any]
    status: int
    content_type: str | None
    fetched_at: datetime
    size: int

    @property
    def window(self) -> Window:
        return Window(self.stream, self.first_day, self.last_day)


@dataclass(frozen=True, slots=True)
class Opened:
    """What today's code makes of a page: the rows of its facts, and the records it refuses. ``unread``: why it cannot be read. ``outside`` are the facts of records that
    lie outside of what is consented now."""

    page: Kept
    batch: Batch = field(default_factory=Batch)
    refused: tuple[Refused, ...] = ()
    unread: str | None = None
    outside: Batch = field(default_factory=Batch)
    rejected: frozenset[int] = frozenset()

    @property
    def is_clean(self) -> bool:
        return self.unread is None and not self.refused


@dataclass(frozen=True, slots=True)
class Reading:
    """With what pages are read again: streams and contexts by name, the key, and the consents under which this may still be done, with what they hold now. ``absent`` are the streams of which
    absence means deletion."""

    customer_id: CustomerId
    connection_id: UUID
    streams: Mapping[str, Stream]
    contexts: Mapping[str, Context]
    sealer: Sealer
    blind: Blind
    consents: Mapping[UUID, Bounds]
    absent: frozenset[str] = frozenset()

    def read(self, page: Kept, body: bytes) -> Opened:
        """One page. Never raises for what is in it."""
        context = self.contexts.get(page.stream)
        if page.consent_id not in self.consents or context is None:
            return Opened(page, unread="its consent has ended")
        if page.request.get("cursor_omitted"):
            return Opened(page, unread="its cursor was too long to be kept")
        if not body:
            return Opened(page, unread="its text was erased")
        context, stream = replace(context, now=page.fetched_at), self.streams[page.stream]
        try:
            plain = zstandard.decompress(self.sealer.open(Place("raw_page", "body", str(page.page_id)), body))
            if page.request.get("extract"):
                return self._sorted(page, stream, context, *_kept_of(plain))
            answer = stream.read(context, page.window, page.request.get("cursor"), _response(page, plain))
        except NoData:
            answer = Page()
        except (*STUMBLES, Fault, SecretMissing, zstandard.ZstdError) as error:
            return Opened(page, unread=f"reading it stumbled ({type(error).__name__})")
        return self._sorted(page, stream, context, answer)

    def _sorted(self, page: Kept, stream: Stream, context: Context, answer: Page, gone: frozenset[int] = frozenset()) -> Opened:
        found = sort_records(stream, context, answer, self.blind, self.consents[page.consent_id], gone)
        batch = found.batch
        displaced = sorted(doubles(batch).other)
        refused = (*found.refused, *(double_of(answer.records, position) for position in displaced))
        return Opened(page, batch, refused, outside=found.outside, rejected=frozenset(found.rejected))


def _kept_of(body: bytes) -> tuple[Page, frozenset[int]]:
    """The records of a page that holds no others, and the positions of those that it does not hold."""
    records = extracted(body)
    return Page(tuple(record or {} for record in records)), frozenset(position for position, record in enumerate(records) if record is None)


def _response(page: Kept, body: bytes) -> Response:
    return Response(page.status, {"content-type": page.content_type} if page.content_type else {}, body)


async def pages_of(tx: Write, customer_id: CustomerId, connection_id: UUID, streams: Sequence[str]) -> list[Kept]:
    """In the order in which they were committed."""
    values = {"customer": customer_id, "connection": connection_id, "streams": list(streams)}
    return [Kept(**row) for row in (await tx.execute(_PAGES, values)).mappings()]


async def allowed(tx: Write, customer_id: CustomerId, business: datetime) -> dict[UUID, Bounds]:
    """The consents that are in force, or whose place one has taken that is, and what is held by the one in force."""
    values = {"customer": customer_id, "active": ConsentStatus.ACTIVE, "renewed": ConsentStatus.SUPERSEDED, "business": business}
    found = await tx.execute(_ALLOWED, values)
    return {row.consent_id: Bounds(row.data_from, row.data_to, None if row.kinds is None else frozenset(row.kinds)) for row in found}


async def bodies(tx: Write, customer_id: CustomerId, pages: Sequence[Kept]) -> dict[UUID, bytes]:
    found = await tx.execute(_BODIES, {"customer": customer_id, "pages": [page.page_id for page in pages]})
    return {row.page_id: bytes(row.body) for row in found}


def portions(pages: Sequence[Kept]) -> Iterator[list[Kept]]:
    """The pages in portions that fit into memory."""
    portion: list[Kept] = []
    for page in pages:
        if portion and (len(portion) >= AT_ONCE or sum(one.size for one in portion) + page.size > BYTES_AT_ONCE):
            yield portion
            portion = []
        portion.append(page)
    if portion:
        yield portion
