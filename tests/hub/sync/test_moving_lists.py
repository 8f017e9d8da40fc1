"""A list that moves while it is paged is noticed by its keys, read again at once, and at last told."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from hub.domain.enums import Verdict
from hub.store.facts import batch_of
from hub.store.keys import digests, doubles
from hub.sync import passes
from tests.hub.sync.platform import Refunds, connector, page_of, refund
from tests.hub.sync.world import QUICK, TODAY, World


def numbers(facts: list[Mapping[str, object]]) -> list[object]:
    return [fact["refund_number"] for fact in facts]


async def reads_while_a_newcomer_arrives(world: World) -> Verdict | None:
    """Page 2 repeats a record of page 1, so that as many records come as the platform declares, and one of them is missing."""
    world.platform.rows[TODAY] = [refund(str(number)) for number in range(3)]

    async def newcomer(request: Mapping[str, str]) -> None:
        if request["page"] == "2":
            world.platform.before = None
            world.platform.rows[TODAY].insert(0, refund("new"))

    world.platform.before = newcomer
    return await world.sync()


async def test_a_newcomer_at_the_head_is_found_by_reading_again(world: World) -> None:
    assert await reads_while_a_newcomer_arrives(world) is Verdict.COMPLETE
    assert numbers(await world.facts()) == ["0", "1", "2", "new"]
    window = await world.one("sync_window")
    assert (window["passes"], window["fetched"], window["repeated"], window["moved"]) == (2, 4, 0, False)
    run = await world.one("sync_run")
    assert (run["windows_planned"], run["windows_done"], run["fetched"]) == (1, 1, 8)
    assert await world.count("window_keys") == 0


async def test_without_the_count_of_keys_the_newcomer_is_lost_in_silence(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: the figures add up, and a record is missing."""
    monkeypatch.setattr(passes, "_has_moved", lambda *figures: False)
    assert await reads_while_a_newcomer_arrives(world) is Verdict.COMPLETE
    assert numbers(await world.facts()) == ["0", "1", "2"]


async def test_a_list_that_never_rests_is_incomplete_after_some_passes(world: World) -> None:
    world.platform.rows[TODAY] = [refund(str(number)) for number in range(3)]

    async def newcomer(request: Mapping[str, str]) -> None:
        if request["page"] == "2":
            world.platform.rows[TODAY].insert(0, refund(f"new-{len(world.platform.rows[TODAY])}"))

    world.platform.before = newcomer
    assert await world.sync() is Verdict.INCOMPLETE
    window = await world.one("sync_window")
    assert (window["passes"], window["moved"], window["state"]) == (passes.PASSES, True, "DONE")
    assert window["reason"] == "1 records came twice"
    world.platform.before = None
    assert await world.sync() is Verdict.COMPLETE, "the next cycle asks again"
    assert len(await world.facts()) == 6


async def test_a_record_that_is_taken_out_before_where_one_reads_is_noticed(world: World) -> None:
    """The rest moves up, one record is skipped, and the lower total fits."""
    world.platform.rows[TODAY] = [refund(str(number)) for number in range(6)]

    async def removal(request: Mapping[str, str]) -> None:
        if request["page"] == "2":
            world.platform.before = None
            del world.platform.rows[TODAY][0]

    world.platform.before = removal
    assert await world.sync() is Verdict.COMPLETE
    assert numbers(await world.facts()) == ["0", "1", "2", "3", "4", "5"], "2 had moved to page 1; 0 was read before it went"
    assert (await world.one("sync_window"))["passes"] == 2


async def test_a_list_that_grows_at_its_end_is_no_move(world: World) -> None:
    world.platform.rows[TODAY] = [refund(str(number)) for number in range(3)]

    async def growth(request: Mapping[str, str]) -> None:
        if request["page"] == "2":
            world.platform.before = None
            world.platform.rows[TODAY].append(refund("3"))

    world.platform.before = growth
    assert await world.sync() is Verdict.COMPLETE
    assert (await world.one("sync_window"))["passes"] == 1


async def test_duplicates_that_the_platform_does_not_count_are_no_move(world: World) -> None:
    """A platform may serve a record on two pages; its total says that nothing is missing."""
    world.platform.says("/refunds", page_of([refund("0"), refund("1")], 2, total=3), page_of([refund("1"), refund("2")], total=3))
    assert await world.sync() is Verdict.COMPLETE
    window = await world.one("sync_window")
    assert (window["passes"], window["fetched"], window["repeated"]) == (1, 4, 1)


@pytest.mark.parametrize("total", [None, 4])
async def test_what_two_passes_bring_alike_does_not_move(world: World, total: int | None) -> None:
    """A platform that repeats a record at each page's edge, and counts it or declares nothing: read twice once, then once each cycle."""
    told = {} if total is None else {"total": total}
    answers = [page_of([refund("0"), refund("1")], 2, **told), page_of([refund("1"), refund("2")], **told)]
    world.platform.says("/refunds", *answers, *answers)
    assert await world.sync() is Verdict.COMPLETE
    assert ((await world.one("sync_window"))["passes"], len(world.platform.asked())) == (2, 4)
    world.platform.says("/refunds", *answers)
    assert await world.sync() is Verdict.COMPLETE
    assert len(world.platform.asked()) == 6, "the pass before is remembered from cycle to cycle"


async def test_a_pass_goes_on_where_it_was_after_a_crash(world: World) -> None:
    """The keys of the pages before are in the store, not in the worker that died."""
    world.platform.rows[TODAY] = [refund(str(number)) for number in range(3)]

    async def dies(request: Mapping[str, str]) -> None:
        if request["page"] == "2":
            world.platform.before = None
            world.platform.rows[TODAY].insert(0, refund("new"))
            await world.has_committed()
            await world.do("UPDATE connection SET epoch = epoch + 1, lease_until = NULL WHERE connection_id = :connection")

    world.platform.before = dies
    assert await world.sync() is None
    assert await world.count("window_keys") == 1
    assert await world.sync() is Verdict.COMPLETE
    assert numbers(await world.facts()) == ["0", "1", "2", "new"]
    assert (await world.one("sync_window"))["passes"] == 2


async def test_two_records_of_one_page_with_one_key_are_both_kept(world: World) -> None:
    """The later is the fact, the earlier is in quarantine: the key does not tell them apart."""
    world.platform.says("/refunds", page_of([refund("1", "5.00"), refund("2"), refund("1", "7.00")], total=3))
    assert await world.sync() is Verdict.COMPLETE
    run, kept = await world.one("sync_run"), await world.one("quarantine")
    assert (run["fetched"], run["stored"], run["unchanged"], run["quarantined"]) == (3, 2, 0, 1)
    assert (kept["position"], kept["reason"].split(":")[0]) == (0, "DUPLICATE_KEY")
    assert [str(fact["amount"]) for fact in await world.facts()] == ["7.00", "10.00"]


async def test_the_same_record_twice_on_one_page_says_nothing_new(world: World) -> None:
    world.platform.says("/refunds", page_of([refund("1"), refund("1")], total=2))
    assert await world.sync() is Verdict.COMPLETE
    run, window = await world.one("sync_run"), await world.one("sync_window")
    assert (run["stored"], run["unchanged"], run["quarantined"], window["repeated"]) == (1, 1, 0, 1)


def test_a_record_with_a_key_of_its_own_is_no_double(world: World) -> None:
    """It shares one fact with another record and brings one that nobody else brings: nothing of it is lost."""
    stream = Refunds()
    context = None
    facts = [next(iter(stream.normalise(context, refund(number, amount)))) for number, amount in (("1", "1"), ("2", "2"), ("1", "9"))]  # type: ignore[arg-type]
    shared = batch_of([(0, facts[0]), (0, facts[1]), (1, facts[2])], world.equipment.blind)
    assert doubles(shared) == (0, frozenset())
    lost = batch_of([(0, facts[0]), (1, facts[2])], world.equipment.blind)
    assert doubles(lost) == (0, {0})
    records, keys = digests(shared)
    assert (len(records), len(keys)) == (16, 16)


async def test_a_window_of_one_page_keeps_no_keys(world: World) -> None:
    """Nothing can move while one answer is read: no cost where there is no danger."""
    world = world.with_connector(connector(Refunds(window_count=2)))
    world.platform.rows[TODAY] = [refund("1")]

    async def looks(request: Mapping[str, str]) -> None:
        assert await world.count("window_keys") == 0

    world.platform.before = looks
    assert await world.sync(QUICK) is Verdict.COMPLETE
