"""What a platform may answer, and that one bad record costs neither its page nor the run."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from hub.connect import ContractBroken
from hub.domain.enums import Verdict
from hub.sync.evidence import fingerprint
from hub.vault import Place
from tests.hub.sync.platform import Refunds, connector, page_of, raw, refund
from tests.hub.sync.world import QUICK, TODAY, World


async def failed_because(world: World) -> str:
    assert await world.sync() is Verdict.INCOMPLETE
    window = await world.one("sync_window")
    assert (window["state"], window["covered"]) == ("FAILED", None)
    return str(window["reason"])


async def test_a_repeated_cursor(world: World) -> None:
    world.platform.says("/refunds", page_of([refund("1")], 2), page_of([refund("2")], 2))
    assert await failed_because(world) == "ContractBroken: the platform repeats its cursor"
    assert len(world.platform.asked()) == 2


async def test_a_circle_of_cursors(world: World) -> None:
    answers = [page_of([refund(str(number))], following) for number, following in enumerate((2, 3, 2, 3, 2))]
    world.platform.says("/refunds", *answers)
    assert await failed_because(world) == "ContractBroken: the platform repeats its cursor"
    assert len(world.platform.asked()) == 3


async def test_no_end_signal(world: World) -> None:
    world.platform.says("/refunds", *(page_of([], number) for number in range(2, 60)))
    assert await failed_because(world) == f"ContractBroken: no end signal in {QUICK.page_ceiling} pages"
    assert len(world.platform.asked()) == QUICK.page_ceiling


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"<html>maintenance</html>", "the answer with status 200 is not JSON"),
        (b"", "the answer with status 200 is not JSON"),
        (b'{"rows": [{"no": "1"', "the answer with status 200 is not JSON"),
        (b'["a list"]', "the answer is not a JSON object"),
        (b'{"data": []}', "reading the answer stumbled (KeyError)"),
        (b'{"rows": 7, "next": null}', "reading the answer stumbled (TypeError)"),
        (b'{"rows": [], "next": "\\u0000"}', "the cursor cannot be kept"),
        (b'{"rows": [], "next": "\\ud800"}', "the cursor cannot be kept"),
    ],
)
async def test_an_answer_that_is_none(world: World, answer: bytes, reason: str) -> None:
    world.platform.says("/refunds", raw(answer), raw(answer))
    assert await failed_because(world) == f"ContractBroken: {reason}"
    assert await world.count("raw_page") == 0


async def test_an_answer_that_was_cut_once_is_asked_for_once_more(world: World) -> None:
    world.platform.says("/refunds", page_of([refund("1")], 2), raw(b'{"rows": [{"no": "2"'), page_of([refund("2")]))
    assert await world.sync() is Verdict.COMPLETE
    assert [one["page"] for one in world.platform.asked()] == ["1", "2", "2"]


async def test_a_packed_answer_is_refused(world: World) -> None:
    world.platform.says("/refunds", raw(b"\x1f\x8b", 200, Content_Encoding="gzip"))
    assert "compressed" in await failed_because(world)


async def test_an_unreadable_checkpoint_is_an_error_not_a_new_start(world: World) -> None:
    world.platform.says("/refunds", page_of([refund("1")], 2), raw("{}", 429, Retry_After="120"))
    assert await world.sync() is Verdict.PARKED
    await world.do("""UPDATE sync_window SET cursor = '{"of": "another version"}' WHERE customer_id = :customer""")
    await world.pause_is_over()
    assert await failed_because(world) == "ContractBroken: the next request cannot be made from the checkpoint (KeyError)"


MALFORMED: list[tuple[dict[str, Any], str, str]] = [
    ({"order": "o", "at": "x", "amount": "1"}, "no", "is missing"),
    (refund("m", at="yesterday"), "", "reading it stumbled (ValueError)"),
    (refund("m", amount="ten"), "", "reading it stumbled (InvalidOperation)"),
    (refund("m", amount="NaN"), "amount", "is larger than any real one"),
    (refund("m", amount="Infinity"), "amount", "is larger than any real one"),
    (refund("m", amount="12345678901234567.00"), "amount", "is larger than any real one"),
    (refund("m", at="2026-01-10T10:00:00"), "requested_at", "is a time without an offset"),
    (refund("m\x00"), "refund_number", "holds a character that is none"),
    (refund("m", order="\ud800"), "order_number", "holds a character that is none"),
    (refund("m" * 600), "refund_number", "is longer than any key"),
    (refund("m", order=None), "order_number", "is missing"),
    (refund("m", at=None, beyond=2**70), "", "reading it stumbled (TypeError)"),
]


@pytest.mark.parametrize(
    ("record", "path", "reason"), MALFORMED, ids=[f"{path or 'stumble'}-{n}" for n, (_, path, _) in enumerate(MALFORMED)]
)
async def test_a_malformed_record_is_put_aside_and_the_good_ones_stay(world: World, record: dict[str, Any], path: str, reason: str) -> None:
    world.platform.says("/refunds", page_of([refund("1"), record, refund("2")], total=3))
    assert await world.sync() is Verdict.COMPLETE
    assert [fact["refund_number"] for fact in await world.facts()] == ["1", "2"]
    aside, run = await world.one("quarantine"), await world.one("sync_run")
    assert (aside["path"], aside["reason"], aside["position"], aside["resolved_at"]) == (path, reason, 1, None)
    assert (run["fetched"], run["stored"], run["quarantined"]) == (3, 2, 1)
    body = (await world.sealer()).open(Place("quarantine", "body", str(aside["record_id"])), bytes(aside["body"]))
    assert json.loads(body) == record
    assert aside["page_id"] == (await world.one("raw_page"))["page_id"]


async def test_one_record_twice_on_a_page_is_counted_twice_and_kept_once(world: World) -> None:
    world.platform.says("/refunds", page_of([refund("1", "1.00"), refund("1", "2.00")], total=2))
    assert await world.sync() is Verdict.COMPLETE
    assert [str(fact["amount"]) for fact in await world.facts()] == ["2.00"]


async def test_keys_do_not_run_into_each_other(world: World) -> None:
    """A separator inside a part of a key must not make two facts one."""
    world.platform.says("/refunds", page_of([refund("a|b"), refund("a\\|b"), refund("a\\"), refund("a")], total=4))
    assert await world.sync() is Verdict.COMPLETE
    assert len({fact["source_key"] for fact in await world.facts()}) == 4


async def test_what_is_pending_is_asked_again_and_parked_when_it_lasts(world: World) -> None:
    world.platform.says("/refunds", raw('{"seconds": 0}', 202), raw('{"seconds": 0.01}', 202))
    world.platform.rows[TODAY] = [refund("1")]
    assert await world.sync() is Verdict.COMPLETE
    world.platform.says("/refunds", *(raw('{"seconds": 0.04}', 202) for _ in range(20)))
    assert await world.sync() is Verdict.PARKED
    assert len(world.platform.asked()) == 3 + 6, "0.2 seconds of patience are five waits of 0.04 and one more"


async def test_a_page_may_ask_to_wait_before_the_next(world: World) -> None:
    world.platform.says("/refunds", page_of([refund("1")], 2, wait=99), page_of([refund("2")]))
    assert await world.sync() is Verdict.PARKED
    assert await world.sync() is Verdict.COMPLETE
    assert [one["page"] for one in world.platform.asked()] == ["1", "2"]


async def test_a_request_is_kept_as_evidence_without_its_secrets(world: World) -> None:
    world.platform.rows[TODAY] = [refund("1")]
    await world.sync()
    kept, (heard,) = (await world.one("raw_page"))["request"], world.platform.asked()
    assert kept["query"] == {"day": TODAY, "page": "1"}
    assert kept["interaction"] == heard["header:x-interaction-id"], "both sides can name the call"
    assert "access-0" not in str(kept)


async def test_a_host_nobody_declared_is_not_guessed(world: World) -> None:
    class Elsewhere(Refunds):
        def request(self, *args: Any) -> Any:
            return replace(super().request(*args), host="data_url")

    world = world.with_connector(connector(Elsewhere()))
    assert await world.sync() is Verdict.FAILED
    assert (await world.one("connection"))["last_fault"] == "Misconfigured"
    assert world.platform.heard == []


def test_cursors_are_told_apart_by_value() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert len({fingerprint(cursor) for cursor in (None, {}, {"a": None}, "", 0, "0")}) == 6
    with pytest.raises(ContractBroken):
        fingerprint({1, 2})
