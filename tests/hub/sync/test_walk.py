"""Windows of half an hour: the row is a day, its cursor walks through the slices."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest

from hub.connect import Context, Interval, Json, Page, Request, Response, Window
from hub.connect.windows import Walk, days
from hub.domain.enums import Verdict
from hub.domain.periods import CHINA
from tests.hub.sync.platform import Refunds, connector, raw, refund
from tests.hub.sync.world import QUICK, World

DAY = date(2026, 1, 14)
LIMIT = timedelta(minutes=30)
PATIENT = replace(QUICK, page_ceiling=100)


@dataclass(frozen=True)
class Increments(Refunds):
    """Refunds by the half hour in which they were made, inclusive ends in whole seconds, as such platforms have them."""

    look_back_days: int = -1

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        return days(self.name, DAY, DAY)

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        walk = Walk.of_cursor(window, cursor)
        span = {"from": walk.first.isoformat(), "to": (walk.last - timedelta(seconds=1)).isoformat()}
        query = (("day", str(window.first)), ("page", str(walk.inner["page"] if walk.inner else 1)), *span.items())
        return Request("GET", "/refunds", query=query)

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        return Walk.of_cursor(window, cursor).turn(super().read(context, window, None, response))


def by_the_half_hour(world: World, per_slice: Mapping[int, int], size: int = 2) -> None:
    """The platform serves so many records in those slices, refuses a longer span, and dies as told."""

    async def scripted(request: Mapping[str, str]) -> None:
        first, last = datetime.fromisoformat(request["from"]), datetime.fromisoformat(request["to"])
        if last - first >= LIMIT or first.tzinfo is None:
            world.platform.says("/refunds", raw('{"error": "range"}', 400))
            return
        number = (first.astimezone(CHINA).hour * 60 + first.astimezone(CHINA).minute) // 30
        page, count = int(request["page"]), per_slice.get(number, 0)
        rows = [refund(f"{number:02}-{index}") for index in range((page - 1) * size, min(page * size, count))]
        body = {"rows": rows, "next": page + 1 if page * size < count else None, "total": count}
        world.platform.says("/refunds", raw(json.dumps(body)))

    world.platform.before = scripted


async def test_a_day_is_read_by_half_hours(world: World) -> None:
    world = world.with_connector(connector(Increments()))
    by_the_half_hour(world, {0: 1, 17: 5, 47: 2})
    assert await world.sync() is Verdict.INCOMPLETE, "more pages than this test's ceiling"
    assert await world.sync(PATIENT) is Verdict.COMPLETE
    heard = world.platform.asked()[-50:]
    assert len({one["from"] for one in heard}) == 48
    window = await world.one("sync_window")
    assert (window["first_day"], window["last_day"], window["fetched"], window["declared_total"]) == (DAY, DAY, 8, 8)
    assert str(window["covered"]) == "{[2026-01-14, 2026-01-15)}"
    assert len(await world.facts()) == 8


@pytest.mark.parametrize("status", [429, 400])
async def test_it_goes_on_in_the_slice_where_it_stopped(world: World, status: int) -> None:
    """Parked: from the slice's own page on. Refused: the day is visibly FAILED with its cursor, the next cycle reads it anew."""
    world = world.with_connector(connector(Increments()))
    by_the_half_hour(world, {17: 5})
    served = world.platform.before
    assert served is not None

    async def stops(request: Mapping[str, str]) -> None:
        if (request["from"], request["page"]) == ("2026-01-14T08:30:00+08:00", "2"):
            world.platform.says("/refunds", raw("{}", status, Retry_After="60"))
        else:
            await served(request)

    world.platform.before = stops
    verdict = await world.sync(PATIENT)
    window = await world.one("sync_window")
    assert (window["cursor"]["slice"], window["cursor"]["inner"]) == (17, {"page": 2})
    assert (verdict, window["state"]) == ((Verdict.PARKED, "OPEN") if status == 429 else (Verdict.INCOMPLETE, "FAILED"))
    world.platform.before = served
    world.platform.heard.clear()
    if status == 429:
        await world.pause_is_over()
    assert await world.sync(PATIENT) is Verdict.COMPLETE
    again = (world.platform.asked()[0]["from"], world.platform.asked()[0]["page"])
    assert again == (("2026-01-14T08:30:00+08:00", "2") if status == 429 else ("2026-01-14T00:00:00+08:00", "1"))
    assert len(await world.facts()) == 5


def test_slices_meet_and_none_is_longer_than_the_limit() -> None:
    window, cursor, seen = Window("s", date(2024, 2, 28), date(2024, 3, 1)), None, []
    while True:
        walk = Walk.of_cursor(window, cursor)
        seen.append((walk.first, walk.last))
        page = walk.turn(Page(total=1))
        if page.next is None:
            break
        cursor = json.loads(json.dumps(page.next))
    assert len(seen) == 3 * 48, "the leap day is one of three"
    assert all(one[1] == other[0] for one, other in pairwise(seen))
    assert {last - first for first, last in seen} == {LIMIT}
    assert (seen[0][0].isoformat(), seen[-1][1].isoformat()) == ("2024-02-28T00:00:00+08:00", "2024-03-02T00:00:00+08:00")
    assert (page.total, page.covered) == (144, None)


def test_a_day_that_is_not_over_is_read_as_far_as_it_is_and_covers_nothing() -> None:
    """How many slices there are is fixed with the first page, however late the next one comes."""
    window, until = Window("s", DAY, DAY), datetime(2026, 1, 14, 1, 10, tzinfo=CHINA)
    first = Walk.of_cursor(window, None, until=until)
    page = first.turn(Page(total=3))
    second = Walk.of_cursor(window, page.next, until=until + timedelta(hours=5))
    assert (first.of, second.of, second.first.hour, second.first.minute) == (2, 2, 0, 30)
    last = second.turn(Page(total=None, covered=(Interval(DAY, DAY),)))
    assert (last.next, last.total, last.covered) == (None, None, ())


def test_slices_divide_a_day() -> None:
    with pytest.raises(ValueError, match="divide"):
        Walk.of_cursor(Window("s", DAY, DAY), None, minutes=31)
