"""A replay folds the kept pages with today's code: what differs becomes a new version, nothing older overwrites anything newer, nothing changed writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

import psycopg
import pytest
from sqlalchemy.engine import make_url

from hub.connect import Context, ContractBroken, Json, Page, Record, Response, Unreadable, Window
from hub.domain.enums import Verdict
from hub.domain.facts.refund import Refund
from hub.domain.identifiers import new_id
from hub.errors import InvalidInput, LeaseLost, PlatformBusy
from hub.sync import replay
from hub.sync.aside import Errand, holding
from hub.sync.claim import renew
from hub.sync.fold import Fold, Winner
from hub.sync.kept import Opened
from hub.sync.replay import Filter, Report
from hub.sync.replays import Replays, Summary, Wanted
from tests.hub.sync.platform import NAME, Refunds, connector, page_of, refund
from tests.hub.sync.world import QUICK, TODAY, World

EVERYTHING = Filter()


@dataclass(frozen=True)
class Mapped(Refunds):
    """Refunds whose mapping was changed: amounts times ``factor``; rows of ``kind`` in ``drops`` carry no fact, of ``refuses`` cannot be read; nor can a
    page with one of ``breaks``."""

    factor: int = 1
    drops: tuple[str, ...] = ()
    refuses: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        page = super().read(context, window, cursor, response)
        if any(record.get("kind") in self.breaks for record in page.records):
            raise ContractBroken("not what it was")
        return page

    def normalise(self, context: Context, record: Record) -> Iterator[Refund]:
        if record.get("kind") in self.drops:
            return
        if record.get("kind") in self.refuses:
            raise Unreadable("kind", "is not known")
        for found in super().normalise(context, record):
            yield replace(found, amount=found.amount * self.factor)


def mapped(world: World, **changes: object) -> World:
    return world.with_connector(connector(Mapped(window_count=3, **changes)))  # type: ignore[arg-type]


async def replayed(world: World, part: Filter = EVERYTHING, **wanted: object) -> Summary:
    world.time.turn(hours=1)
    mine: dict[str, object] = {"customer_id": world.customer_id, **wanted}
    return await Replays(world.equipment, Wanted(part, **mine), QUICK).run()  # type: ignore[arg-type]


async def figures(world: World, part: Filter = EVERYTHING, **wanted: object) -> Mapping[str, int]:
    summary = await replayed(world, part, **wanted)
    return {name: value for name, value in vars(summary.report.kinds["Refund"]).items() if value}


async def live(world: World) -> dict[str, str]:
    return {fact["refund_number"]: str(fact["amount"]) for fact in await world.facts() if fact["known_to"] is None}


async def test_a_changed_mapping_makes_new_versions_of_the_same_page(world: World) -> None:
    world = mapped(world)
    world.platform.rows[TODAY] = [refund("1"), refund("2"), refund("3", "0.00")]
    await world.sync()
    requests = len(world.platform.heard)
    before = await world.facts()
    found = await figures(mapped(world, factor=2))
    assert found == {"before": 3, "after": 3, "unchanged": 1, "changed": 2}
    assert len(world.platform.heard) == requests, "nobody was asked"
    facts = await world.facts()
    new = [fact for fact in facts if fact["version"] == 2]
    assert [(fact["refund_number"], str(fact["amount"])) for fact in new] == [("1", "20.00"), ("2", "20.00")]
    assert [(fact["page_id"], fact["position"], fact["consent_id"]) for fact in new] == [
        (one["page_id"], one["position"], one["consent_id"]) for one in before[:2]
    ]
    assert all(one["known_to"] == new[0]["known_from"] for one in facts if one["version"] == 1 and one["refund_number"] != "3")
    marked = await world.rows("SELECT fact_id, mark FROM fact_mark WHERE customer_id = :customer")
    assert {(row["fact_id"], row["mark"]) for row in marked} == {(fact["fact_id"], "REPLAYED") for fact in new}
    run = await world.one("sync_run")
    assert (run["kind"], run["verdict"], run["stored"]) == ("REPLAY", "COMPLETE", 2)


async def test_a_second_replay_writes_nothing(world: World) -> None:
    world = mapped(world)
    world.platform.rows[TODAY] = [refund("1"), refund("2"), refund("3")]
    await world.sync()
    assert await figures(world) == {"before": 3, "after": 3, "unchanged": 3}
    await figures(mapped(world, factor=2))
    facts = await world.facts()
    assert await figures(mapped(world, factor=2)) == {"before": 3, "after": 3, "unchanged": 3}
    assert await world.facts() == facts


async def test_a_dry_run_counts_and_writes_nothing(world: World) -> None:
    world = mapped(world)
    world.platform.rows[TODAY] = [refund("1"), refund("2"), {"kind": "odd"}]
    await world.sync()
    before, runs = await world.facts(), await world.count("sync_run")
    assert await figures(mapped(world, factor=2), dry=True) == {"before": 2, "after": 2, "changed": 2}
    assert (await world.facts(), await world.count("sync_run"), await world.count("fact_mark")) == (before, runs, 0)


async def twice(world: World) -> World:
    """A record that was served at 10 and later at 12, a third time at 12 again."""
    world = mapped(world)
    for amount in ("10.00", "12.00", "12.00"):
        world.platform.rows[TODAY] = [refund("1", amount)]
        await world.sync()
        world.time.turn(hours=1)
    return world


async def test_an_older_page_never_overwrites_a_newer_one(world: World) -> None:
    world = await twice(world)
    await figures(mapped(world, factor=2))
    assert await live(world) == {"1": "24.00"}
    versions = [(fact["version"], str(fact["amount"])) for fact in await world.facts()]
    assert versions == [(1, "10.00"), (2, "12.00"), (3, "24.00")], "one new version, not one per page"
    assert (await world.facts())[2]["page_id"] == (await world.facts())[1]["page_id"], "the first page that says so stays the evidence"


def first_wins(self: Fold, opened: Opened) -> None:
    """A fold that takes the first page's word for good."""
    for rows in opened.batch.kinds.values():
        for key, (position, row) in rows.items():
            self.state["Refund"].setdefault(key, Winner(opened.page.serial, position, row[1]))


async def test_two_guards_keep_the_order(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: a fold in the wrong order is stopped by what lives; without that guard, too, the oldest page overwrites the newest."""
    world = await twice(world)
    monkeypatch.setattr(Fold, "_take", first_wins)
    assert await figures(mapped(world, factor=2)) == {"before": 1, "after": 1, "doubtful": 1}
    monkeypatch.setattr(Fold, "decides", lambda self, winner, live: True)
    await figures(mapped(world, factor=2))
    assert await live(world) == {"1": "20.00"}


async def test_a_page_that_cannot_be_read_today_leaves_a_doubt(world: World) -> None:
    """What it may have said since is not overwritten by what was said before it."""
    world = mapped(world)
    for amount, kind in (("10.00", "plain"), ("12.00", "broken")):
        world.platform.rows[TODAY] = [refund("1", amount), refund("2", kind=kind)]
        await world.sync()
    summary = await replayed(mapped(world, factor=2, breaks=("broken",)))
    assert (summary.report.unread.total(), summary.report.kinds["Refund"].doubtful, summary.report.versions) == (1, 2, 0)
    assert await live(world) == {"1": "12.00", "2": "10.00"}
    assert (await world.one("sync_run"))["verdict"] == "INCOMPLETE"


async def test_part_of_the_pages_still_folds_all_of_them(world: World) -> None:
    """The record moved from one day's list to another's: the older day alone must not bring the older content back."""
    world = mapped(world)
    world.platform.rows["2026-01-14"] = [refund("1", "10.00"), refund("2", "10.00")]
    await world.sync()
    world.platform.rows["2026-01-14"], world.platform.rows[TODAY] = [refund("2", "10.00")], [refund("1", "12.00")]
    await world.sync()
    older = Filter(first=date(2026, 1, 14), last=date(2026, 1, 14))
    assert await figures(mapped(world, factor=2), older) == {"before": 1, "after": 1, "changed": 1}
    assert await live(world) == {"1": "12.00", "2": "20.00"}


async def test_a_record_in_quarantine_that_can_be_read_is_resolved(world: World) -> None:
    world = mapped(world, refuses=("odd",))
    world.platform.rows[TODAY] = [refund("1", kind="odd"), refund("2")]
    assert await world.sync() is Verdict.COMPLETE
    assert (await live(world), await world.count("quarantine")) == ({"2": "10.00"}, 1)
    summary = await replayed(mapped(world, factor=2), Filter(quarantined=True))
    assert (summary.report.quarantined_before, summary.report.resolved, summary.report.quarantined_after) == (1, 1, 0)
    assert await live(world) == {"1": "20.00", "2": "10.00"}, "only what was in quarantine"
    assert (await world.one("quarantine"))["resolved_at"] == world.time.now()
    assert (await replayed(mapped(world), Filter(quarantined=True))).connections == 0, "nothing is left there"


async def test_an_old_record_from_quarantine_does_not_overwrite_what_came_since(world: World) -> None:
    world = mapped(world, refuses=("odd",))
    world.platform.rows[TODAY] = [refund("1", "5.00", kind="odd")]
    await world.sync()
    world.platform.rows[TODAY] = [refund("1", "7.00")]
    await world.sync()
    summary = await replayed(mapped(world), Filter(quarantined=True))
    assert (summary.report.resolved, summary.report.versions) == (1, 0)
    assert await live(world) == {"1": "7.00"}


async def test_a_record_that_is_refused_now_is_put_aside_and_its_fact_stays(world: World) -> None:
    world = mapped(world)
    world.platform.rows[TODAY] = [refund("1", kind="odd"), refund("2")]
    await world.sync()
    for _ in range(2):
        summary = await replayed(mapped(world, refuses=("odd",)))
        assert summary.report.quarantined_after == 1
    assert await world.count("quarantine") == 1
    assert set(await live(world)) == {"1", "2"}


async def test_what_no_page_gives_any_more_is_retracted(world: World) -> None:
    world = mapped(world)
    world.platform.rows[TODAY] = [refund("1", kind="note-like"), refund("2")]
    await world.sync()
    assert await figures(mapped(world, drops=("note-like",))) == {"before": 2, "after": 1, "unchanged": 1, "retracted": 1}
    assert await live(world) == {"2": "10.00"}
    (mark,) = await world.rows("SELECT mark FROM fact_mark WHERE customer_id = :customer")
    assert mark["mark"] == "RETRACTED"
    assert await figures(mapped(world)) == {"before": 1, "after": 2, "unchanged": 1, "added": 1}
    assert [fact["version"] for fact in await world.facts() if fact["refund_number"] == "1"] == [1, 2]


async def test_a_doubt_in_its_window_keeps_a_fact_from_being_retracted(world: World) -> None:
    """Another record of the window cannot be read: it may be the one that gives the fact now."""
    world = mapped(world)
    world.platform.rows[TODAY] = [refund("1", kind="note-like"), refund("2", kind="odd")]
    await world.sync()
    found = await figures(mapped(world, drops=("note-like",), refuses=("odd",)))
    assert (found.get("retracted"), set(await live(world))) == (None, {"1", "2"})
    part = Filter(first=date(2026, 1, 15))
    assert "retracted" not in await figures(mapped(world, drops=("note-like", "odd")), part), "a part of the pages proves no absence"


async def test_what_is_gone_at_the_platform_does_not_come_back(world: World) -> None:
    def told(world: World) -> World:
        made = world.equipment.connectors[NAME]
        return world.with_connector(replace(made, manifest=replace(made.manifest, absence_means_gone=frozenset({"refunds"}))))

    at = {"at": "2026-01-15T10:00:00+08:00"}
    world = told(mapped(world))
    for rows in ([refund("1", **at), refund("2", **at)], [refund("2", **at)]):
        world.platform.rows[TODAY] = rows
        await world.sync()
        world.time.turn(hours=1)
    assert set(await live(world)) == {"2"}
    assert await figures(told(mapped(world, factor=2))) == {"before": 1, "after": 1, "changed": 1}
    assert await live(world) == {"2": "20.00"}


async def test_a_replay_leaves_what_a_sync_goes_by_alone(world: World) -> None:
    world = mapped(world)
    world.platform.rows[TODAY] = [refund("1")]
    await world.sync(replace(QUICK, period=1000))
    left = "SELECT status, due_at, last_verdict, last_fault FROM connection WHERE connection_id = :connection"
    before, windows = await world.rows(left), await world.windows()
    await replayed(mapped(world, factor=2))
    assert (await world.rows(left), await world.windows()) == (before, windows)
    assert (await world.one("connection"))["lease_until"] is None


async def test_a_replay_waits_for_no_sync_for_ever_and_fences_it(world: World) -> None:
    """A connection that is being synced is left and told; a run that was overtaken by a replay writes nothing."""
    run = await world.claimed()
    with pytest.raises(PlatformBusy):
        async with holding(world.database, QUICK, Errand(world.customer_id, world.connection_id, "REPLAY", new_id(), wait=0)):
            pass
    await world.do("UPDATE connection SET lease_until = now() - interval '1 second' WHERE connection_id = :connection")
    async with holding(world.database, QUICK, Errand(world.customer_id, world.connection_id, "REPLAY", new_id(), wait=0)) as held:
        assert held.epoch == run.epoch + 1
        assert await world.sync() is None, "a sync waits meanwhile"
        async with world.database.work() as tx:
            with pytest.raises(LeaseLost):
                await renew(tx, run)
    assert await world.sync() is Verdict.EMPTY_EXPECTED


async def test_pages_of_a_consent_that_ended_are_not_opened(world: World) -> None:
    world = mapped(world)
    world.platform.rows[TODAY] = [refund("1")]
    await world.sync()
    await world.withdraw()
    summary = await replayed(mapped(world, factor=2))
    assert (summary.report.versions, dict(summary.report.unread)) == (0, {"its consent has ended": 3})


async def test_a_cursor_that_was_too_long_to_keep_is_not_taken_for_none(world: World) -> None:
    world = mapped(world)
    long = page_of([refund("1"), refund("2")], "x" * 3_000, total=3)
    world.platform.says("/refunds", page_of([]), page_of([]), long, page_of([refund("3")], total=3))
    await world.sync(replace(QUICK, windows_at_once=1))
    summary = await replayed(mapped(world, factor=2))
    assert dict(summary.report.unread) == {"its cursor was too long to be kept": 1}
    assert (await live(world))["3"] == "10.00"


async def test_a_replay_that_died_is_resumed_and_a_new_one_begins_anew(world: World) -> None:
    world = mapped(world)
    world.platform.rows[TODAY] = [refund("1")]
    await world.sync()
    await replayed(world)
    await world.do("UPDATE replay SET ended_at = NULL WHERE scope ->> 'customer' = :id", id=str(world.customer_id))
    assert (await replayed(world, resume=True)).connections == 0, "it was done already"
    assert (await replayed(world)).connections == 1


@pytest.mark.parametrize("wanted", [{"connector": "nobody"}, {"part": Filter(stream="nothing")}])
async def test_what_is_not_there_is_said(world: World, wanted: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        await replayed(world, **wanted)  # type: ignore[arg-type]


def test_reports_add_up() -> None:
    one, other = Report(), Report()
    for report, versions in ((one, 2), (other, 3)):
        report.kinds["Refund"].added = versions
        report.unread["why"] += 1
    one.add(other)
    assert (one.versions, one.unread["why"]) == (5, 2)


async def test_what_a_replay_has_written_before_it_died_is_not_written_again(world: World) -> None:
    """Page by page: a replay of a part leaves the store as one that died there would."""
    world = mapped(world)
    for day in ("2026-01-13", "2026-01-14", TODAY):
        world.platform.rows[day] = [refund(day)]
    await world.sync()
    part = Filter(last=date(2026, 1, 13))
    assert await figures(mapped(world, factor=2), part) == {"before": 1, "after": 1, "changed": 1}
    assert await figures(mapped(world, factor=2)) == {"before": 3, "after": 3, "unchanged": 1, "changed": 2}
    assert sorted(fact["version"] for fact in await world.facts()) == [1, 1, 1, 2, 2, 2]


async def overtaken(world: World) -> Summary:
    """A replay whose connection is taken over after its pages were read, before anything is written."""
    world.platform.rows[TODAY] = [refund("1")]
    await world.sync()
    url = make_url(world.database.urls.worker).set(drivername="postgresql").render_as_string(hide_password=False)

    def takes_over() -> None:
        with psycopg.connect(url) as other:
            other.execute("UPDATE connection SET epoch = epoch + 1 WHERE connection_id = %s", (world.connection_id,))

    wanted = Wanted(EVERYTHING, customer_id=world.customer_id)
    return await Replays(mapped(world, factor=2).equipment, wanted, QUICK).run(told=takes_over)


async def test_a_replay_that_was_overtaken_writes_nothing(world: World) -> None:
    summary = await overtaken(mapped(world))
    assert (dict(summary.left), await live(world)) == ({"a sync has it": 1}, {"1": "10.00"})


async def test_the_epoch_is_what_stops_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: without the fence it would write."""

    async def never_lost(tx: object, run: object) -> None:
        return

    monkeypatch.setattr(replay, "renew", never_lost)
    await overtaken(mapped(world))
    assert await live(world) == {"1": "20.00"}
