"""One data item as a stream: order a collection, poll it, check the package, hand out its rows.

All streams of a connection have the same windows and order the same items under the same key, so that they share one collection.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from connectors.cn_tax import cursor, reading, requests
from connectors.cn_tax.codes import ITEMS
from connectors.cn_tax.cursor import Check, Emit, Order, Package, Poll
from connectors.cn_tax.package import Row, canonical_rows, group, joined, labelled
from connectors.cn_tax.sign import sealer
from hub.connect import (
    Context,
    ContractBroken,
    Interval,
    Json,
    Misconfigured,
    NoData,
    NotPermitted,
    Page,
    Pending,
    Record,
    Request,
    Response,
    RetryAt,
    Window,
)
from hub.domain.enums import SourceKind
from hub.domain.periods import add_months, china_day, china_time, first_day, last_day, month_of

MAX_MONTHS_BACK = 60
MAX_ATTEMPTS = 2
LOOK_BACK_DAYS = 731
"""Two years are read again: corrections of returns and reversals of invoices change what was said of past months."""

WHOLE = frozenset({"30", "35", "40", "50", "60"})
PRESENT, EMPTY, NOT_APPLICABLE, UNAVAILABLE, NOT_COVERED = "0", "1", "2", "3", "4"


@dataclass
class ItemStream:
    """A stream of the records of one item.

    ``group`` names the key whose rows together make one record. ``survey`` looks at all rows of a package and names groups that are to be marked
    ``aside``. ``reads`` turns a record into facts.
    """

    name: str
    source: SourceKind
    item: str
    facts: tuple[type, ...]
    reads: Callable[[Context, Record], Iterable[Any]]
    group: str | None = None
    survey: Callable[[Sequence[Row]], tuple[str, ...]] | None = None
    window_days: int | None = field(default=36 * 31, init=False)
    look_back_days: int = field(default=LOOK_BACK_DAYS, init=False)

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        """From the start of a quarter, so that streams with different checkpoints still ask for the same ranges."""
        months = int(context.config["window_max_months"])
        first = max(_quarter(first), context.data_from, _months_back(context.today, MAX_MONTHS_BACK))
        last, found = min(last, context.data_to), []
        while first <= last:
            end = min(last, _months_back(first, -months) - timedelta(days=1))
            found.append(Window(self.name, first, end))
            first = end + timedelta(days=1)
        return found

    def request(self, context: Context, window: Window, cursor_json: Json | None) -> Request:
        step = cursor.load(cursor_json)
        if isinstance(step, Order):
            return requests.order(context, window, self._items(context), step.attempt)
        if isinstance(step, Poll):
            return requests.collection_state(step.collection)
        return requests.rows(step.package.collection, self.item, step.page, step.package.page_size)

    def read(self, context: Context, window: Window, cursor_json: Json | None, response: Response) -> Page:
        step, answer = cursor.load(cursor_json), reading.envelope(response, context.now)
        if isinstance(step, Order):
            return _ordered(context, step, answer)
        if isinstance(step, Poll):
            return self._polled(context, window, step, answer)
        if answer.code == "T0202":
            return _order_again(context, step.package.order, step.package.day, "the package is gone", before=_handed_out(step))
        rows, pages, unit = _page_of(step.package, self.item, step.page, answer)
        try:
            return self._checked(context, step, rows, pages, unit) if isinstance(step, Check) else self._emitted(context, step, rows, unit)
        except cursor.Lost:
            return _go(replace(step.package.order, before=step.package.order.before + _handed_out(step)), restart=True)

    def normalise(self, context: Context, record: Record) -> Iterable[Any]:
        return list(self.reads(context, record))

    def _items(self, context: Context) -> tuple[str, ...]:
        """What is granted and consented. An item that is not is asked for alone, so that the gateway says so itself."""
        granted = (context.grant.extra if context.grant else {}).get("SJX", "").split(",")
        wanted = tuple(item for source in ITEMS if source in context.sources for item in ITEMS[source] if item in granted)
        return wanted if self.item in wanted else (self.item,)

    def _polled(self, context: Context, window: Window, step: Poll, answer: reading.Answer) -> Page:
        if answer.code != "00000":
            return _order_again(context, step.order, step.day, "the package is gone")
        whole, mine = str(answer.data.get("CJZT_DM")), _entry(answer.data, self.item)
        if step.followed and not _same_range(answer.data, window):
            return _go(step.order, wait=_wait(context, answer)) if whole in WHOLE else _wait_on(context, step, answer)
        if mine.get("CJZT_DM") == "30":
            return self._finished(context, window, step, mine, answer.data.get("KZSJ"))
        if whole not in WHOLE:
            return _wait_on(context, step, answer)
        return _order_again(context, step.order, step.day, "the collection failed")

    def _finished(self, context: Context, window: Window, step: Poll, entry: dict[str, Any], snapshot: object) -> Page:
        result, covered = str(entry.get("JGDM")), _covered(window, entry, snapshot)
        if result in (EMPTY, NOT_APPLICABLE) and covered == ():
            raise NoData("the gateway has nothing for these days and does not know them", covered=False, code=result)
        if result in (EMPTY, NOT_APPLICABLE):
            return Page(total=step.order.before, covered=_intervals(covered))
        if result == NOT_COVERED:
            raise NotPermitted("the authorisation does not cover the item", code=result)
        if result == UNAVAILABLE:
            return _order_again(context, step.order, step.day, "the source behind the item is not available")
        rows, digest = entry.get("ZJLS"), entry.get("ZY")
        if result != PRESENT or not isinstance(rows, int) or not isinstance(digest, str):
            raise ContractBroken("a finished item lacks its result, its number of rows or its digest", code="XM")
        if rows > int(context.config["digest_max_rows"]):
            raise Misconfigured("the package is larger than digest_max_rows; lower window_max_months")
        return _go(Check(Package(step.collection, step.order, step.day, rows, digest, covered, int(context.config["page_size"]))))

    def _checked(self, context: Context, step: Check, rows: list[Row], pages: int, unit: str) -> Page:
        key = sealer(context)
        chunks = (*step.chunks, cursor.seal(key, canonical_rows(rows)))
        if step.page < pages:
            return _go(replace(step, page=step.page + 1, chunks=chunks))
        texts = [cursor.unseal(key, chunk) for chunk in chunks]
        everything = [json.loads(line) for text in texts for line in text.split("\n")[:-1]]
        if len(everything) != step.package.rows:
            raise ContractBroken("the pages hold another number of rows than the package says", code="ZJLS")
        if _sha("".join(texts)) != step.package.digest:
            raise ContractBroken("the digest does not fit the rows", code="ZY")
        labels = [labelled(row, unit) for row in everything]
        emit = Emit(
            package=step.package,
            page=1,
            hashes=tuple(_sha(text) for text in texts),
            records=len(group(labels, self.group)),
            aside=self.survey(labels) if self.survey else (),
        )
        return self._emitted(context, emit, rows, unit) if pages == 1 else _go(emit)

    def _emitted(self, context: Context, step: Emit, rows: list[Row], unit: str) -> Page:
        if step.page > len(step.hashes) or _sha(canonical_rows(rows)) != step.hashes[step.page - 1]:
            raise ContractBroken("a page of the package changed", code="ZY")
        key, last = sealer(context), step.page == len(step.hashes)
        before = json.loads(cursor.unseal(key, step.left)) if step.left else []
        records, left = joined([*before, *(labelled(row, unit) for row in rows)], self.group, step.aside, whole=last)
        total = step.package.order.before + step.records
        if last:
            return Page(records, total=total, covered=_intervals(step.package.covered))
        following = replace(step, page=step.page + 1, left=cursor.seal(key, json.dumps(left)), done=step.done + len(records))
        return Page(records, next=cursor.dump(following), total=total)


def _ordered(context: Context, step: Order, answer: reading.Answer) -> Page:
    collection = answer.data.get("CJBH")
    if not isinstance(collection, str) or not collection:
        raise ContractBroken("the order was answered without a collection", code="CJBH")
    poll = Poll(collection, step, context.today.isoformat(), followed=answer.code == "T0301")
    return _go(poll, wait=0.0 if str(answer.data.get("CJZT_DM")) in WHOLE else _wait(context, answer))


def _wait_on(context: Context, step: Poll, answer: reading.Answer) -> Page:
    """Waits in the run; past the deadline the run is pending, not failed."""
    wait = _wait(context, answer)
    if step.waited >= float(context.config["poll_deadline_s"]):
        raise Pending("the gateway is still collecting", seconds=wait)
    return _go(replace(step, waited=step.waited + wait), wait=wait)


def _order_again(context: Context, order: Order, day: str, why: str, *, before: int = 0) -> Page:
    """A new collection, once; then on another day, because the gateway counts collections by the day."""
    handed_out = order.before + before
    if day != context.today.isoformat():
        return _go(Order(0, handed_out), restart=True)
    if order.attempt + 1 < MAX_ATTEMPTS:
        return _go(Order(order.attempt + 1, handed_out), wait=float(context.config["reorder_wait_s"]), restart=True)
    raise RetryAt(why, seconds=float(context.config["reorder_wait_s"]))


def _page_of(package: Package, item: str, page: int, answer: reading.Answer) -> tuple[list[Row], int, str]:
    """Rows, number of pages and unit of a page of a package."""
    data = answer.data
    rows, pages, unit = data.get("rows"), data.get("pages"), data.get("JEDW")
    echo = (data.get("CJBH"), data.get("SJX_DM"), data.get("page"), data.get("total"))
    if echo != (package.collection, item, page, package.rows) or not isinstance(pages, int) or not 1 <= page <= pages:
        raise ContractBroken("the page is not the one that was asked for", code="page")
    if unit not in ("1", "2"):
        raise ContractBroken("the page does not say the unit of its amounts", code="JEDW")
    if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
        raise ContractBroken("a row holds something else than text, integers and null", code="rows")
    return rows, pages, unit


def _is_row(row: object) -> bool:
    return isinstance(row, dict) and all(value is None or type(value) in (str, int) for value in row.values())


def _entry(data: Any, item: str) -> dict[str, Any]:
    entries = [one for one in data.get("XM") or () if isinstance(one, dict) and one.get("SJX_DM") == item]
    if len(entries) != 1:
        raise ContractBroken("the collection does not list the item once", code="XM")
    return dict(entries[0])


def _covered(window: Window, entry: dict[str, Any], snapshot: object) -> cursor.Days | None:
    """The covered days of the window: FGQJ, an optional field of our profile, else up to the day before the snapshot."""
    try:
        if (said := entry.get("FGQJ")) is not None:
            spans = [(date.fromisoformat(one["QQ"]), date.fromisoformat(one["QZ"])) for one in said]
        elif snapshot is not None:
            spans = [(window.first, china_day(china_time(str(snapshot))) - timedelta(days=1))]
        else:
            return None
    except (TypeError, KeyError, ValueError):
        raise ContractBroken("the covered days cannot be read", code="FGQJ") from None
    clipped = [(max(first, window.first), min(last, window.last)) for first, last in spans]
    return tuple((first.isoformat(), last.isoformat()) for first, last in clipped if first <= last)


def _intervals(covered: cursor.Days | None) -> tuple[Interval, ...] | None:
    return None if covered is None else tuple(Interval(date.fromisoformat(first), date.fromisoformat(last)) for first, last in covered)


def _same_range(data: Any, window: Window) -> bool:
    """Whether a followed collection is for our window; one that does not say is taken to be."""
    said = (data.get("SJQQ", window.first.isoformat()), data.get("SJQZ", window.last.isoformat()))
    return said == (window.first.isoformat(), window.last.isoformat())


def _handed_out(step: Check | Emit) -> int:
    return step.done if isinstance(step, Emit) else 0


def _go(step: cursor.Step, *, wait: float = 0.0, restart: bool = False) -> Page:
    return Page(next=cursor.dump(step), wait=wait, restart=restart)


def _wait(context: Context, answer: reading.Answer) -> float:
    return max(float(context.config["poll_floor_s"]), answer.wait or 0.0)


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _quarter(day: date) -> date:
    return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)


def _months_back(day: date, months: int) -> date:
    month = add_months(month_of(day), -months)
    return min(first_day(month) + timedelta(days=day.day - 1), last_day(month))
