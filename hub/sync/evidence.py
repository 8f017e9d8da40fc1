"""What is kept of an answer: the raw page with the request that asked for it, the facts of its records, and the records that could not be read."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import orjson

from hub.connect import STUMBLES, Context, ContractBroken, Json, Page, Record, Request, Response, Stream, Unreadable
from hub.domain.identifiers import new_id
from hub.store.encoders import Encoders
from hub.store.facts import Batch
from hub.store.pages import RawPage, Refused
from hub.store.rows import Row
from hub.vault import Blind

LONGEST_CURSOR = 2_000


SLICE = 100
"""Records that are taken apart at a time: meanwhile the process hears nobody."""


@dataclass(slots=True)
class Sorted:
    """The records of a page: facts as rows, what was refused, and how many records carry no fact. Every record ends up in exactly one of the three."""

    batch: Batch = field(default_factory=Batch)
    refused: list[Refused] = field(default_factory=list)
    silent: int = 0


def sort_records(stream: Stream, context: Context, page: Page, blind: Blind) -> Sorted:
    """All at once."""
    found = Sorted()
    for _ in _sorting(found, stream, context, page, blind):
        pass
    return found


async def sort_slowly(stream: Stream, context: Context, page: Page, blind: Blind) -> Sorted:
    """Slice by slice, so that a large page does not hold up whoever else waits for this process: the commit of the page before, and the request of the next one."""
    found = Sorted()
    await _breathe()
    for _ in _sorting(found, stream, context, page, blind):
        await _breathe()
    return found


async def _breathe() -> None:
    """Lets others go on: hear an answer, take it, say what follows."""
    for _ in range(3):
        await asyncio.sleep(0)


def _sorting(found: Sorted, stream: Stream, context: Context, page: Page, blind: Blind) -> Iterator[None]:
    encoders = Encoders(blind)
    for first in range(0, len(page.records), SLICE):
        if first:
            yield
        _sort(found, stream, context, encoders, page.records, range(first, min(first + SLICE, len(page.records))))


def _sort(found: Sorted, stream: Stream, context: Context, encoders: Encoders, records: Sequence[Record], positions: range) -> None:
    """A slice. A record is kept whole or refused whole."""
    kinds: dict[type, tuple[list[int], list[object]]] = {}
    faults: dict[int, Exception] = {}
    normalise, refusals = stream.normalise, (Unreadable, *STUMBLES)
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
        found.silent += not facts
    rows = [(cls, whose, encoders.rows(cls, of_kind)) for cls, (whose, of_kind) in kinds.items()]
    for _, whose, encoded in rows:
        if set(map(type, encoded)) == {tuple}:
            continue
        for position, row in zip(whose, encoded, strict=True):
            if isinstance(row, Exception):
                faults.setdefault(position, row)
    for cls, whose, encoded in rows:
        placed = cast(list[tuple[int, Row]], list(zip(whose, encoded, strict=True)))
        found.batch.add(cls, [pair for pair in placed if pair[0] not in faults] if faults else placed)
    found.refused += [_refused(position, faults[position], records[position]) for position in sorted(faults)]


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
