"""What is kept of an answer: the raw page with the request that asked for it, the facts of its records, and the records that could not be read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from hub.connect import Context, ContractBroken, Json, Page, Record, Request, Response, Stream, Unreadable
from hub.domain.identifiers import new_id
from hub.store.facts import storable
from hub.store.pages import RawPage, Refused
from hub.vault import Blind

STUMBLES = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)
"""What a pure function raises over a payload its author did not foresee. The payload is put aside, the run goes on."""
LONGEST_CURSOR = 2_000


@dataclass(frozen=True, slots=True)
class Sorted:
    """The records of a page: facts with their positions, what was refused, and how many records carry no fact."""

    facts: list[tuple[int, object]]
    refused: list[Refused]
    silent: int


def sort_records(stream: Stream, context: Context, page: Page) -> Sorted:
    """Every record ends up in exactly one of the three."""
    found = Sorted([], [], 0)
    silent = 0
    for position, record in enumerate(page.records):
        try:
            facts = list(_facts(stream, context, record))
        except Unreadable as fault:
            found.refused.append(Refused(position, fault.path, fault.reason, record))
            continue
        found.facts.extend((position, fact) for fact in facts)
        silent += not facts
    return Sorted(found.facts, found.refused, silent)


def _facts(stream: Stream, context: Context, record: Record) -> Iterator[object]:
    try:
        for fact in stream.normalise(context, record):
            storable(fact)
            yield fact
    except STUMBLES as error:
        raise Unreadable("", f"reading it stumbled ({type(error).__name__})") from None


def raw_page(blind: Blind, request: Request, response: Response, cursor: Json | None, interaction: str) -> RawPage:
    return RawPage(
        page_id=new_id(),
        request=_described(blind, request, cursor, interaction),
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
    if cursor is not None and len(orjson.dumps(cursor)) <= LONGEST_CURSOR:
        described["cursor"] = cursor
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
