"""What is kept of an answer: the raw page with the request that asked for it, the facts of its records, and the records that could not be read.

A record of which a fact lies outside of what was consented is not kept, neither as facts nor in quarantine nor in the page (ADR 56).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Container, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast

import msgspec
import orjson

from hub.connect import STUMBLES, Context, ContractBroken, Json, Page, Record, Request, Response, Stream, Unreadable
from hub.consent.bounds import Bounds
from hub.domain.facts import spec_of
from hub.domain.identifiers import new_id
from hub.store.encoders import Encoders
from hub.store.facts import Batch
from hub.store.pages import RawPage, Refused
from hub.store.rows import DAY, Row
from hub.vault import Blind

LONGEST_CURSOR = 2_000


SLICE = 100
"""Records that are taken apart at a time: meanwhile the process hears nobody."""


@dataclass(slots=True)
class Sorted:
    """The records of a page: facts as rows, what was refused, how many records carry no fact, and which are not kept. Every record ends up in exactly one of the
    four. ``outside`` are the facts of those that are not kept: their keys tell that they came."""

    batch: Batch = field(default_factory=Batch)
    refused: list[Refused] = field(default_factory=list)
    silent: int = 0
    rejected: set[int] = field(default_factory=set)
    outside: Batch = field(default_factory=Batch)


def sort_records(
    stream: Stream, context: Context, page: Page, blind: Blind, bounds: Bounds | None = None, gone: Container[int] = frozenset()
) -> Sorted:
    """All at once. ``gone`` are the positions of records that were not kept when the page came."""
    found = Sorted()
    for _ in _sorting(found, stream, context, page, blind, bounds, gone):
        pass
    return found


async def sort_slowly(stream: Stream, context: Context, page: Page, blind: Blind, bounds: Bounds | None = None) -> Sorted:
    """Slice by slice, so that a large page does not hold up whoever else waits for this process: the commit of the page before, and the request of the next one."""
    found = Sorted()
    await _breathe()
    for _ in _sorting(found, stream, context, page, blind, bounds):
        await _breathe()
    return found


async def _breathe() -> None:
    """Lets others go on: hear an answer, take it, say what follows."""
    for _ in range(3):
        await asyncio.sleep(0)


def _sorting(
    found: Sorted, stream: Stream, context: Context, page: Page, blind: Blind, bounds: Bounds | None, gone: Container[int] = frozenset()
) -> Iterator[None]:
    encoders = Encoders(blind)
    for first in range(0, len(page.records), SLICE):
        if first:
            yield
        positions = [position for position in range(first, min(first + SLICE, len(page.records))) if position not in gone]
        _sort(found, stream, context, encoders, page.records, positions, bounds)


def _sort(
    found: Sorted,
    stream: Stream,
    context: Context,
    encoders: Encoders,
    records: Sequence[Record],
    positions: Sequence[int],
    bounds: Bounds | None,
) -> None:
    """A slice. A record is kept whole, refused whole or rejected whole; where it lies outside, it does not matter whether it could be read."""
    kinds: dict[type, tuple[list[int], list[object]]] = {}
    faults: dict[int, Exception] = {}
    normalise, refusals, silent = stream.normalise, (Unreadable, *STUMBLES), 0
    for position in positions:
        try:
            facts = tuple(normalise(context, records[position]))
        except refusals as error:
            faults[position] = error
            continue
        for fact in facts:
            kind = kinds.get(type(fact)) or kinds.setdefault(type(fact), ([], []))
            kind[0].append(position)
            kind[1].append(fact)
        silent += not facts
    found.silent += silent
    rows = [(cls, whose, encoders.rows(cls, of_kind)) for cls, (whose, of_kind) in kinds.items()]
    for _, whose, encoded in rows:
        if set(map(type, encoded)) == {tuple}:
            continue
        for position, row in zip(whose, encoded, strict=True):
            if isinstance(row, Exception):
                faults.setdefault(position, row)
    outside = (
        set() if bounds is None else {one for cls, whose, encoded in rows for one in _outside(bounds, cls, whose, kinds[cls][1], encoded)}
    )
    found.rejected |= outside
    for cls, whose, encoded in rows:
        placed = cast(list[tuple[int, Row]], list(zip(whose, encoded, strict=True)))
        found.batch.add(cls, [pair for pair in placed if pair[0] not in faults and pair[0] not in outside] if faults or outside else placed)
        found.outside.add(cls, [pair for pair in placed if pair[0] in outside and isinstance(pair[1], tuple)] if outside else ())
    found.refused += [_refused(position, faults[position], records[position]) for position in sorted(faults.keys() - outside)]


def _outside(bounds: Bounds, cls: type, whose: Sequence[int], facts: Sequence[object], encoded: Sequence[Row | Exception]) -> Iterator[int]:
    """The positions of facts that were not consented to."""
    spec = spec_of(cls)
    if set(map(type, encoded)) == {tuple} and all(bounds.hold(spec.name, day) for day in {cast(Row, row)[DAY] for row in encoded}):
        return
    for position, fact, row in zip(whose, facts, encoded, strict=True):
        if not bounds.hold(spec.name, row[DAY] if type(row) is tuple else _day(spec.occurred_on, fact)):
            yield position


def _day(occurred_on: Callable[[object], date | None], fact: object) -> date | None:
    """None also for a day that cannot be read: then the fact is refused."""
    try:
        return occurred_on(fact)
    except STUMBLES:
        return None


_EXTRACT = msgspec.json.Encoder(decimal_format="number").encode
_EXTRACTED = msgspec.json.Decoder(float_hook=Decimal).decode


def without(raw: RawPage, records: Sequence[Record], rejected: Collection[int]) -> RawPage:
    """The page as it is kept where some of its records are not: the others, each in its place, instead of the answer they came in. Digest and size stay those of the
    answer. Records that would not be read again as they are leave nothing. Where all are kept, it is the answer."""
    if not rejected:
        return raw
    left = [None if position in rejected else record for position, record in enumerate(records)]
    try:
        body = _EXTRACT(left)
        body = body if extracted(body) == left else b""
    except STUMBLES:
        body = b""
    return replace(raw, body=body, size=raw.received, extract=True)


def extracted(body: bytes) -> list[Record | None]:
    """The records of a page that was kept by :func:`without`; None where one was not. Raises one of STUMBLES."""
    return cast(list[Record | None], _EXTRACTED(body))


def _refused(position: int, fault: Exception, record: Record) -> Refused:
    if isinstance(fault, Unreadable):
        return Refused(position, fault.path, fault.reason, record)
    return Refused(position, "", f"reading it stumbled ({type(fault).__name__})", record)


def raw_page(blind: Blind, request: Request, response: Response, cursor: Json | None, interaction: str, repeated: bool = False) -> RawPage:
    """``repeated``: the request was sent once more after one that brought no page."""
    again = {"repeated": True} if repeated else {}
    return RawPage(
        page_id=new_id(),
        request={**_described(blind, request, cursor, interaction), **again},
        status=response.status,
        content_type=response.headers.get("content-type"),
        sha256=hashlib.sha256(response.body).hexdigest(),
        body=response.body,
        fetched_at=datetime.now(UTC),
    )


def _described(blind: Blind, request: Request, cursor: Json | None, interaction: str) -> dict[str, Any]:
    """The unsigned request as evidence. Its body may name the customer, so it is kept as a keyed hash."""
    described: dict[str, Any] = {"method": request.method, "path": request.path, "query": dict(request.query), "interaction": interaction}
    if request.body:
        described["body_hmac"] = blind.hash("request.body", request.body.decode("utf-8", "replace"))
    if cursor is not None:
        short = len(orjson.dumps(cursor)) <= LONGEST_CURSOR
        described |= {"cursor": cursor} if short else {"cursor_omitted": True}
    return described


def fingerprint(cursor: Json | None) -> bytes:
    """Tells one cursor from another. Raises ContractBroken for one that cannot be kept."""
    try:
        text = orjson.dumps(cursor, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        raise ContractBroken("the cursor cannot be kept") from None
    if rb"\u0000" in text:
        raise ContractBroken("the cursor cannot be kept")
    return hashlib.sha256(text).digest()
