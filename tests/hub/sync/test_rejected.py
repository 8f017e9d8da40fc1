"""What lies outside of what was consented is not kept: not as a fact, not in quarantine, not in the page it came on. It is counted, and it proves no deletion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import zstandard

from hub.connect import Context, Record, Unreadable
from hub.consent.bounds import Bounds
from hub.domain.enums import Verdict
from hub.domain.facts.refund import Refund
from hub.domain.facts.shop_penalty import ShopPenalty
from hub.sync import evidence
from hub.sync.backfill import Backfill
from hub.sync.backfill import Wanted as WantedPast
from hub.sync.evidence import extracted
from hub.vault import Place
from tests.hub.sync.platform import Refunds, connector, refund
from tests.hub.sync.test_deletions import live, marks, now, telling
from tests.hub.sync.test_replay import mapped, replayed
from tests.hub.sync.world import QUICK, TODAY, World

FIGURES = ("fetched", "stored", "unchanged", "quarantined", "rejected")


def old(number: str, **more: Any) -> dict[str, Any]:
    return refund(number, "10.00", at="2015-01-01T10:00:00+08:00") | more


async def consents_to(world: World, **terms: object) -> None:
    """The hub's own role: what a client's transaction may change is narrower."""
    await world.do(f"UPDATE consent SET {', '.join(f'{name} = :{name}' for name in terms)} WHERE customer_id = :customer", **terms)


async def figures(world: World, table: str = "sync_window") -> tuple[int, ...]:
    row = await world.one(table)
    return tuple(row[name] for name in FIGURES)


async def body(world: World) -> bytes:
    page = await world.one("raw_page")
    sealer = await world.sealer()
    return zstandard.decompress(sealer.open(Place("raw_page", "body", str(page["page_id"])), bytes(page["body"])))


async def test_a_record_of_a_day_that_was_not_consented_to_is_not_kept(world: World) -> None:
    await consents_to(world, data_from=date(2025, 12, 1))
    world.platform.rows[TODAY] = [now("1"), old("2")]
    assert await world.sync() is Verdict.COMPLETE
    assert [fact["refund_number"] for fact in await world.facts()] == ["1"]
    assert await figures(world) == await figures(world, "sync_run") == (2, 1, 0, 0, 1)
    assert await figures(world) == (2, 1, 0, 0, 1), "fetched = stored + unchanged + quarantined + rejected"
    await world.sync()
    assert await figures(world) == (2, 0, 1, 0, 1), "a second time, too"
    assert await world.count("quarantine") == 0


async def test_its_page_does_not_keep_it_either(world: World) -> None:
    await consents_to(world, data_from=date(2025, 12, 1))
    world.platform.rows[TODAY] = [old("2"), now("1", "10.50")]
    await world.sync()
    kept, page = await body(world), await world.one("raw_page")
    assert b"2015" not in kept and extracted(kept)[0] is None
    assert page["request"]["extract"] is True and page["size"] > len(kept)
    world.platform.rows[TODAY] = [now("1", "10.50")]
    again = await replayed(world)
    assert (again.report.versions, again.report.unread, again.report.rejected) == (0, {}, 0), "what it keeps is read again"
    assert [fact["known_to"] for fact in await world.facts()] == [None]


async def test_a_page_without_such_records_is_kept_as_received(world: World) -> None:
    world.platform.rows[TODAY] = [now("1")]
    await world.sync()
    page = await world.one("raw_page")
    assert page["size"] == len(await body(world)) and "extract" not in page["request"]


@dataclass(frozen=True)
class Unlucky(Refunds):
    """Refunds whose amount is more than a column holds, or that cannot be read at all."""

    def normalise(self, context: Context, record: Record) -> Iterator[Refund]:
        if record.get("kind") == "unreadable":
            raise Unreadable("kind", "is not known")
        for found in super().normalise(context, record):
            yield replace(found, amount=Decimal(10) ** 30) if record.get("kind") == "huge" else found


async def test_what_lies_outside_is_not_put_in_quarantine(world: World) -> None:
    """Its day can be read though its amount cannot. A record that cannot be read at all may be of any day: it is kept aside, as before."""
    await consents_to(world, data_from=date(2025, 12, 1))
    world = world.with_connector(connector(Unlucky()))
    world.platform.rows[TODAY] = [old("2", kind="huge"), now("1") | {"kind": "unreadable"}]
    await world.sync()
    assert await figures(world) == (2, 0, 0, 1, 1)
    assert [row["path"] for row in await world.rows("SELECT path FROM quarantine WHERE customer_id = :customer")] == ["kind"]


@dataclass(frozen=True)
class Chatty(Refunds):
    """Refunds, and beside some of them what the stream does not say that it brings."""

    def normalise(self, context: Context, record: Record) -> Iterator[Any]:
        yield from super().normalise(context, record)
        if record.get("kind") == "penalty":
            yield ShopPenalty(platform="p", penalty_number="1", kind="IP", severity=None, decided_on=date(2026, 1, 1), points=None)


async def test_a_kind_that_was_not_consented_to_is_not_kept(world: World) -> None:
    """A record is kept whole or not at all."""
    await consents_to(world, kinds=["Refund"])
    world = world.with_connector(connector(Chatty()))
    world.platform.rows[TODAY] = [now("1"), now("2") | {"kind": "penalty"}]
    await world.sync()
    assert (await figures(world), await world.count("fact_shop_penalty")) == ((2, 1, 0, 0, 1), 0)
    assert [fact["refund_number"] for fact in await world.facts()] == ["1"]


@pytest.mark.parametrize(
    ("kind", "day", "held"),
    [("Refund", None, True), ("Order", None, False), ("Refund", date(2026, 1, 2), False), ("Refund", date(2026, 1, 1), True)],
)
def test_what_has_no_day_is_held_by_its_kind(kind: str, day: date | None, held: bool) -> None:
    assert Bounds(date(2026, 1, 1), date(2026, 1, 1), frozenset({"Refund"})).hold(kind, day) is held


async def test_a_rejected_record_is_no_deletion_and_no_gap(world: World) -> None:
    """What was kept before the consent became narrower lives on, sealed, until its life ends; what did not come is still gone."""
    world = telling(world)
    await consents_to(world, data_from=date(2015, 1, 1))
    world.platform.rows[TODAY] = [now("1"), now("2"), now("3"), old("4")]
    await world.sync()
    assert await live(world) == ["1", "2", "3", "4"]
    await consents_to(world, data_from=date(2025, 12, 1))
    world.time.turn(hours=1)
    world.platform.rows[TODAY] = [now("1"), now("2"), old("4")]
    assert await world.sync() is Verdict.COMPLETE
    assert (await live(world), await marks(world)) == (["1", "2", "4"], [("3", "GONE")])
    assert (await world.one("sync_window"))["moved"] is False


@dataclass(frozen=True)
class State(Refunds):
    """All there is, in one window, whatever day it is of."""

    window_days: int | None = 0


async def test_what_was_not_asked_for_any_more_is_not_gone(world: World) -> None:
    """A platform that keeps to the range does not send what lies outside of it: that says nothing of it."""
    world = telling(world, State())
    await consents_to(world, data_from=date(2015, 1, 1))
    world.platform.rows[TODAY] = [now("1"), now("2"), old("4")]
    await world.sync()
    await consents_to(world, data_from=date(2025, 12, 1))
    world.time.turn(hours=1)
    world.platform.rows[TODAY] = [now("1")]
    assert await world.sync() is Verdict.COMPLETE
    assert (await live(world), await marks(world)) == (["1", "4"], [("2", "GONE")])


async def test_rejected_records_that_come_twice_are_seen_to_come_twice(world: World) -> None:
    """A list that moves is noticed by the keys of what is not kept, too."""
    await consents_to(world, data_from=date(2025, 12, 1))
    world.platform.page_size = 2
    world.platform.rows[TODAY] = [old("1"), old("2"), old("2"), now("3")]
    await world.sync()
    assert (await world.one("sync_window"))["repeated"] == 1


async def test_a_consent_that_becomes_narrower_between_an_answer_and_its_commit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is not written; it is asked for again, within what is left."""
    sorting = evidence.sort_slowly

    async def meanwhile(*args: Any) -> Any:
        found = await sorting(*args)
        await consents_to(world, data_from=date(2025, 12, 1))
        return found

    monkeypatch.setattr("hub.sync.reader.sort_slowly", meanwhile)
    world.platform.rows[TODAY] = [now("1"), old("2")]
    assert await world.sync() is Verdict.INCOMPLETE
    assert (await world.count("raw_page"), await world.count("fact_refund")) == (0, 0)
    monkeypatch.undo()
    assert await world.sync() is Verdict.COMPLETE
    assert await live(world) == ["1"]


async def test_a_replay_takes_nothing_that_is_not_consented_to_any_more(world: World) -> None:
    """Pages of before hold it: nothing of it is written anew, nothing of it is closed."""
    await consents_to(world, data_from=date(2015, 1, 1))
    world.platform.rows[TODAY] = [now("1"), old("2")]
    await world.sync()
    await consents_to(world, data_from=date(2025, 12, 1))
    done = await replayed(mapped(world, factor=2))
    facts = [(fact["refund_number"], fact["version"], fact["known_to"] is None) for fact in await world.facts()]
    assert facts == [("1", 1, False), ("1", 2, True), ("2", 1, True)]
    assert (done.report.rejected, done.report.kinds["Refund"].rejected, done.report.kinds["Refund"].retracted) == (1, 1, 0)


async def test_a_backfill_takes_nothing_else_either(world: World) -> None:
    await consents_to(world, data_from=date(2025, 12, 1))
    day = date.fromisoformat(TODAY)
    world.platform.rows[TODAY] = [now("1"), old("2")]
    done = await Backfill(
        world.equipment, world.calls, WantedPast(world.customer_id, world.connection_id, "refunds", day, day), QUICK
    ).run()
    assert [(one.fetched, one.stored, one.rejected) for one in done.windows] == [(2, 1, 1)]
    assert [fact["refund_number"] for fact in await world.facts()] == ["1"]


async def test_without_the_rule_it_is_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    monkeypatch.setattr(Bounds, "hold", lambda self, kind, day: True)
    await consents_to(world, data_from=date(2025, 12, 1))
    world.platform.rows[TODAY] = [now("1"), old("2")]
    await world.sync()
    assert (await live(world), await figures(world)) == (["1", "2"], (2, 2, 0, 0, 0))


RECORDS: tuple[Mapping[str, Any], ...] = ({"n": Decimal("1.50"), "m": Decimal("1E+2"), "i": 2**70, "t": "\u4e2d"}, {"n": None})


def test_what_is_kept_of_a_page_is_read_again_as_it_was() -> None:
    raw = evidence.RawPage(evidence.new_id(), {}, 200, "application/json", "0" * 64, b"x" * 99, evidence.datetime.now(evidence.UTC))
    assert extracted(evidence.without(raw, RECORDS, {1}).body) == [RECORDS[0], None]
    assert evidence.without(raw, ({"n": Decimal("NaN")}, {}), {1}).body == b"", "what would not be, leaves nothing"
    assert evidence.without(raw, ({"n": date(2026, 1, 1)}, {}), {1}).size == 99
