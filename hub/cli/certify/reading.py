"""Every stream of a platform read to its explicit end, and everything that was said on the way kept for the checks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from hub.cli.certify.trial import FIRST, Customer, Failed
from hub.connect import (
    Context,
    Fault,
    Interval,
    Json,
    NoData,
    Page,
    Pending,
    Record,
    Request,
    Response,
    RetryAt,
    Stream,
    Unreadable,
    Window,
)

CEILING = 500
LONGEST_WAIT = 3.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and its answer. ``page`` is None where the answer was a fault."""

    context: Context
    stream: Stream
    window: Window
    cursor: Json | None
    request: Request
    response: Response
    page: Page | None


@dataclass
class WindowRead:
    """What one window gave. ``end`` is how it ended: ``DONE``, ``EMPTY`` (covered, nothing there) or ``NOT_SERVED``.

    ``records`` are as they came, ``changed`` counts those that ``normalise`` left otherwise.
    """

    stream: Stream
    window: Window
    exchanges: list[Exchange] = field(default_factory=list)
    end: str = ""
    total: int | None = None
    covered: tuple[Interval, ...] | None = None
    records: list[tuple[Context, Record]] = field(default_factory=list)
    facts: list[Any] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    changed: int = 0

    def __str__(self) -> str:
        return f"{self.stream.name} from {self.window.first} to {self.window.last}"


@dataclass
class Reading:
    """Every window of every stream."""

    windows: list[WindowRead]

    @property
    def exchanges(self) -> Iterator[Exchange]:
        return (exchange for one in self.windows for exchange in one.exchanges)

    @property
    def facts(self) -> Iterator[tuple[WindowRead, Any]]:
        return ((one, fact) for one in self.windows for fact in one.facts)

    def of(self, stream: Stream) -> list[WindowRead]:
        return [one for one in self.windows if one.stream.name == stream.name]


async def read_everything(customer: Customer) -> Reading:
    """Raises Failed where a window has no end."""
    return Reading(
        [one for found in await asyncio.gather(*(_stream(customer, one) for one in customer.connector.streams)) for one in found]
    )


async def _stream(customer: Customer, stream: Stream) -> list[WindowRead]:
    return await read_windows(customer, stream, stream.windows(customer.context, FIRST, customer.context.data_to))


async def read_windows(customer: Customer, stream: Stream, windows: Sequence[Window]) -> list[WindowRead]:
    return [await read_window(customer, stream, window) for window in windows]


async def read_window(customer: Customer, stream: Stream, window: Window) -> WindowRead:
    """One window as the engine reads it, but that it never refreshes. Raises Failed."""
    out, cursor, seen = WindowRead(stream, window), None, set[str]()
    for _ in range(CEILING):
        page = await _page(customer, out, cursor)
        if page is None:
            return out
        _keep(out, customer.context, page)
        await asyncio.sleep(min(page.wait, LONGEST_WAIT))
        if page.next is None:
            out.end, out.total, out.covered = "DONE", page.total, page.covered
            return out
        text = json.dumps(page.next)
        if text in seen:
            raise Failed(f"{out}: the cursor repeats, so the reading would never end.")
        seen.add(text)
        cursor = json.loads(text)
    raise Failed(f"{out}: no end signal in {CEILING} requests.")


async def _page(customer: Customer, out: WindowRead, cursor: Json | None) -> Page | None:
    """One page, waited for; None at the end of a window that gives nothing."""
    for _ in range(20):
        context, request, response = await customer.ask(out.stream, out.window, cursor)
        try:
            page = out.stream.read(context, out.window, cursor, response)
        except NoData as fault:
            out.end = "EMPTY" if fault.covered else "NOT_SERVED"
            out.exchanges.append(Exchange(context, out.stream, out.window, cursor, request, response, None))
            return None
        except (Pending, RetryAt) as fault:
            await asyncio.sleep(min(0.1 if fault.seconds is None else fault.seconds, LONGEST_WAIT))
            continue
        except Fault as fault:
            raise Failed(f"{out}: {type(fault).__name__}, {fault.reason}.") from None
        out.exchanges.append(Exchange(context, out.stream, out.window, cursor, request, response, page))
        return page
    raise Failed(f"{out}: the platform asks to wait for ever.")


def _keep(out: WindowRead, context: Context, page: Page) -> None:
    for record in page.records:
        out.records.append((context, deepcopy(record)))
        try:
            out.facts += out.stream.normalise(context, record)
        except Unreadable as fault:
            out.unreadable.append(fault)
        out.changed += record != out.records[-1][1]


def examples(reading: Reading) -> list[Exchange]:
    """Of every stream the first and the last exchange, and those of its window with the most pages: every step that its cursor has."""
    found: dict[tuple[str, str, str], Exchange] = {}
    for stream in dict.fromkeys(one.stream.name for one in reading.windows):
        windows = [one for one in reading.windows if one.stream.name == stream and one.exchanges]
        longest = max(windows, key=lambda one: len(one.exchanges), default=None)
        chosen = [windows[0].exchanges[0], windows[-1].exchanges[-1], *(longest.exchanges[:8] if longest else ())] if windows else []
        for one in chosen:
            found[stream, str(one.window), json.dumps(one.cursor)] = one
    return list(found.values())
