"""What a window was asked for: another question is asked anew, from the beginning; what is no longer asked for does not stand open for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest

from hub.connect import Context, Setting, Window
from hub.connect.windows import days, months
from hub.domain.enums import Verdict
from hub.sync import plan
from tests.hub.sync.platform import NAME, Refunds, connector, page_of, raw, refund
from tests.hub.sync.world import QUICK, TODAY, World

ONE = replace(QUICK, windows_at_once=1)
STILL = Refunds(look_back_days=-1)


def other(world: World, *, version: int = 1, shop: str | None = None, stream: Refunds = STILL) -> World:
    """The connector with another version of its stream, and with a setting that decides what a window holds."""
    made = connector(stream)
    settings = (*made.manifest.settings, Setting("shop", "", default="1", shapes=True), Setting("colour", "", default="red"))
    changed = world.with_connector(replace(made, manifest=replace(made.manifest, versions={"refunds": version}, settings=settings)))
    config = {**changed.equipment.configs[NAME], **({"shop": shop} if shop else {})}
    return replace(changed, equipment=replace(changed.equipment, configs={NAME: config}))


async def asked(world: World) -> list[tuple[str, str]]:
    found = [(one["day"], one["page"]) for one in world.platform.asked()]
    world.platform.heard.clear()
    return found


async def test_another_question_is_asked_anew_and_the_same_one_is_not(world: World) -> None:
    world = other(world)
    await world.sync()
    await asked(world)
    await other(world).sync()
    assert await asked(world) == []
    await other(world, version=2).sync()
    assert await asked(world) == [(TODAY, "1")]
    await other(world, version=2, shop="2").sync()
    assert await asked(world) == [(TODAY, "1")]
    recoloured = replace(world.equipment, configs={NAME: {**world.equipment.configs[NAME], "colour": "blue"}})
    await replace(
        other(world, version=2, shop="2"), equipment=replace(recoloured, connectors=other(world, version=2).equipment.connectors)
    ).sync()
    assert await asked(world) == [(TODAY, "1")], "the shop is the first one again"


async def test_a_window_that_stands_half_read_is_not_continued_with_another_question(world: World) -> None:
    world = other(world)
    world.platform.rows[TODAY] = [refund("1"), refund("2"), refund("3")]
    world.platform.says("/refunds", page_of([refund("1"), refund("2")], 2, total=3), raw("{}", 429, Retry_After="60"))
    assert await world.sync() is Verdict.PARKED
    assert await world.count("window_keys") == 1
    await world.pause_is_over()
    await asked(world)
    assert await other(world, version=2).sync() is Verdict.COMPLETE
    assert await asked(world) == [(TODAY, "1"), (TODAY, "2")]
    assert ((await world.one("sync_window"))["fetched"], len(await world.facts())) == (3, 3)


async def test_the_hash_is_what_asks_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: with one hash for everything, the half-read window goes on from a cursor that means something else."""
    monkeypatch.setattr(plan, "scope_hash", lambda *asked: "one")
    world = other(world)
    world.platform.rows[TODAY] = [refund("1"), refund("2"), refund("3")]
    world.platform.says("/refunds", page_of([refund("1"), refund("2")], 2, total=3), raw("{}", 429, Retry_After="60"))
    await world.sync()
    await world.pause_is_over()
    await asked(world)
    await other(world, version=2).sync()
    assert await asked(world) == [(TODAY, "2")]


async def test_a_window_of_the_version_before_is_adopted(world: World) -> None:
    """An upgrade does not read everything again."""
    world = other(world)
    await world.sync()
    await world.do("UPDATE sync_window SET scope_hash = NULL WHERE customer_id = :customer")
    await asked(world)
    await world.sync()
    assert await asked(world) == []
    assert (await world.one("sync_window"))["scope_hash"] is not None
    await other(world, version=2).sync()
    assert await asked(world) == [(TODAY, "1")]


@pytest.mark.parametrize(
    ("answer", "state"), [(raw("no", 400), "FAILED"), (page_of([refund("1")], total=7), "DONE")], ids=["refused", "does not add up"]
)
async def test_a_bad_window_that_is_no_longer_asked_for_does_not_spoil_every_run(world: World, answer: object, state: str) -> None:
    """A consent with another range asks for other windows: nobody would ever ask for the old one again."""
    world = world.with_connector(connector(Refunds(window_count=2)))
    world.platform.says("/refunds", answer)  # type: ignore[arg-type]
    assert await world.sync(ONE) is Verdict.INCOMPLETE
    assert (await world.windows())[0]["state"] == state
    assert await world.with_connector(connector(Refunds(window_count=1))).sync(ONE) is not Verdict.INCOMPLETE
    dropped = (await world.windows())[0]
    assert (dropped["state"], dropped["reason"]) == ("NOT_SERVED", "no longer asked for")


LEAP = [("2024-02-28", "2024-02-29"), ("2023-03-01", "2024-02-28"), ("2023-02-28", "2024-02-27")]


@pytest.mark.parametrize(("first", "last"), [("2024-01-15", "2026-01-15"), *LEAP, ("2026-01-15", "2026-01-15")])
@pytest.mark.parametrize("length", [1, 31, 365])
def test_windows_of_days_are_closed_disjoint_whole_and_never_too_long(first: str, last: str, length: int) -> None:
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    _whole(days("s", start, end, length), start, end, length)


@pytest.mark.parametrize(("first", "last"), [("2024-01-15", "2026-01-15"), *LEAP])
def test_windows_of_months_are_too(first: str, last: str) -> None:
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    found = months("s", start, end)
    _whole(found, start, end, 31)
    assert all(window.last == end or (window.last + timedelta(days=1)).day == 1 for window in found)


def _whole(found: Sequence[Window], first: date, last: date, length: int) -> None:
    covered = [window.first + timedelta(days=day) for window in found for day in range((window.last - window.first).days + 1)]
    assert covered == [first + timedelta(days=day) for day in range((last - first).days + 1)]
    assert max((window.last - window.first).days + 1 for window in found) <= length


def test_a_leap_year_takes_two_windows_of_365_days() -> None:
    """1 January to 31 December of 2024 are 366 days; a platform that serves 365 refuses them in one question."""
    assert [(str(w.first), str(w.last)) for w in days("s", date(2024, 1, 1), date(2024, 12, 31), 365)] == [
        ("2024-01-01", "2024-12-30"),
        ("2024-12-31", "2024-12-31"),
    ]
    assert len(days("s", date(2023, 1, 1), date(2023, 12, 31), 365)) == 1


@dataclass(frozen=True)
class Monthly(Refunds):
    """Windows by calendar month over the whole consented range."""

    window_days: int | None = 31
    look_back_days: int = -1

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        return months(self.name, first, last)


async def test_a_consent_that_begins_within_a_month_begins_there(world: World) -> None:
    """Nothing before the consented day is asked for; a consent with an earlier first day asks for the whole month, and only for that."""
    await world.do("UPDATE consent SET data_from = '2025-11-17' WHERE customer_id = :customer")
    world = world.with_connector(connector(Monthly()))
    await world.sync(ONE)
    assert [day for day, _ in await asked(world)] == ["2025-11-17", "2025-12-01", "2026-01-01"]
    await world.do("UPDATE consent SET data_from = '2025-11-01' WHERE customer_id = :customer")
    await world.sync(ONE)
    assert [day for day, _ in await asked(world)] == ["2025-11-01"]
    spans: list[Mapping[str, object]] = await world.windows()
    assert [(str(one["first_day"]), str(one["last_day"])) for one in spans][:2] == [
        ("2025-11-01", "2025-11-30"),
        ("2025-11-17", "2025-11-30"),
    ]
