"""What the tax gateway can do to a run, and what the connector makes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from connectors.cn_tax import requests
from hub.connect import (
    ContractBroken,
    Pending,
    Request,
    Response,
    RetryAt,
)
from tests.connectors.cn_tax_world import (
    MAKER,
    WINDOW,
    ask,
    drive,
    envelope,
    item_entry,
    maker,
    step,
    stream,
    to_package,
)
from tests.contract.drive import Drive


async def _no_records(it: Drive, cursor: Any) -> None:
    while cursor is not None:
        page = await step(it, "returns", cursor)
        assert page.records == ()
        cursor = page.next


async def _to_the_end(it: Drive, seen: list[Any]) -> None:
    cursor: Any = None
    for _ in range(20):
        cursor = (await step(it, "returns", cursor)).next
        seen.append(cursor)


async def test_one_malformed_record_harms_no_other() -> None:
    it = drive(maker(), switches=("malformed",))
    await it.link()
    pulled = await it.pull(stream("returns"), date(2025, 1, 1))
    assert (len(pulled.facts), pulled.fetched, pulled.declared) == (12, 13, 13)
    assert [(one.path, one.reason) for one in pulled.unreadable] == [("rows[0].SRE", "is not an amount in the unit of its page")]


@pytest.mark.parametrize("size", ["200", "5"], ids=["one page", "several pages"])
async def test_a_wrong_digest_lets_no_row_through(size: str) -> None:
    it = drive(maker(), switches=("digest_mismatch",))
    it.context = replace(it.context, config={**it.config, "page_size": size})
    await it.link()
    cursor = await to_package(it, "returns")
    with pytest.raises(ContractBroken) as caught:
        await _no_records(it, cursor)
    assert caught.value.code == "ZY"


async def test_a_page_that_changes_after_the_check_is_refused() -> None:
    it = drive(maker())
    it.context = replace(it.context, config={**it.config, "page_size": "20"})
    await it.link()
    cursor = await to_package(it, "returns")
    while cursor["step"] == "check":
        cursor = (await step(it, "returns", cursor)).next
    one = stream("returns")
    genuine = await ask(it, one.request(it.context, WINDOW, cursor))
    changed = replace(genuine, body=genuine.body.replace(b'"1000.00"', b'"1001.00"', 1))
    assert changed.body != genuine.body
    with pytest.raises(ContractBroken, match="changed"):
        one.read(it.context, WINDOW, cursor, changed)
    assert one.read(it.context, WINDOW, cursor, genuine).records


async def test_an_unavailable_source_is_ordered_again_then_waited_for() -> None:
    it = drive(maker(), switches=("source_unavailable",))
    await it.link()
    first = (await step(it, "returns")).next["collection"]
    seen: list[Any] = []
    with pytest.raises(RetryAt) as caught:
        await _to_the_end(it, seen)
    cursor = seen[-1]
    assert (caught.value.seconds, cursor["order"]["attempt"]) == (0.1, 1)
    assert cursor["collection"] != first
    assert len((await it.pull(stream("invoices"))).facts) == 12
    it.context = replace(it.context, today=date(2026, 1, 21))
    assert (await step(it, "returns", cursor)).next == {"step": "order", "attempt": 0, "before": 0}


async def test_a_package_that_is_gone_is_ordered_again() -> None:
    it = drive(maker(), switches=("package_gone",))
    await it.link()
    pulled = await it.pull(stream("returns"), date(2025, 1, 1))
    assert (len(pulled.facts), pulled.declared) == (13, 13)


async def test_a_package_that_goes_between_pages_counts_what_was_handed_out() -> None:
    it = drive(maker())
    it.context = replace(it.context, config={**it.config, "page_size": "20"})
    await it.link()
    cursor: Any = await to_package(it, "returns")
    while cursor["step"] == "check" or cursor["page"] == 1:
        page = await step(it, "returns", cursor)
        cursor = page.next
    done = len(page.records)
    gone = Response(410, {}, b'{"code":"T0202","message":"package expired","request_id":"r","data":null}')
    again = stream("returns").read(it.context, WINDOW, cursor, gone)
    assert again.next == {"step": "order", "attempt": 1, "before": done}
    cursor, total = again.next, 0
    while cursor is not None:
        page = await step(it, "returns", cursor)
        cursor, total = page.next, page.total or 0
    assert total == done + 13


@pytest.mark.parametrize("at", ["check", "emit"])
async def test_a_new_client_secret_starts_the_window_again(at: str) -> None:
    it = drive(maker())
    it.context = replace(it.context, config={**it.config, "page_size": "20"})
    await it.link()
    cursor: Any = await to_package(it, "returns")
    while cursor["step"] != at or cursor["page"] == 1:
        cursor = (await step(it, "returns", cursor)).next
    while cursor["page"] < 2:
        cursor = (await step(it, "returns", cursor)).next
    assert MAKER not in json.dumps(cursor)
    it.context = replace(it.context, config={**it.context.config, "client_secret": "rotated"})
    while cursor["step"] == at:
        cursor = (await step(it, "returns", cursor)).next
    assert cursor == {"step": "order", "attempt": 0, "before": cursor["before"]}
    assert (cursor["before"] > 0) == (at == "emit")


async def test_polling_waits_as_told_and_too_early_is_the_callers_mistake() -> None:
    it = drive(maker(), switches=("slow_collection",))
    await it.link()
    page = await step(it, "returns")
    assert page.wait == 1.0
    with pytest.raises(RetryAt) as caught:
        await step(it, "returns", page.next)
    assert (caught.value.code, caught.value.seconds) == ("T0429", 1.0)
    early = Request("GET", f"/collections/{page.next['collection']}/items/SBXX")
    cursor = {"step": "check", "package": _package(page.next["collection"]), "page": 1, "chunks": []}
    answer = await ask(it, early)
    with pytest.raises(Pending) as waits:
        stream("returns").read(it.context, WINDOW, cursor, answer)
    assert (waits.value.code, waits.value.seconds) == ("T0203", 1.0)


def _package(collection: str) -> dict[str, Any]:
    order = {"attempt": 0, "before": 0}
    return {"collection": collection, "order": order, "day": "2026-01-20", "rows": 1, "digest": "", "covered": None, "page_size": 200}


async def test_past_the_deadline_a_run_is_pending() -> None:
    it = drive(maker())
    it.context = replace(it.context, config={**it.config, "poll_deadline_s": "0.05"})
    await it.link()
    cursor = (await step(it, "returns")).next
    assert cursor["waited"] == 0
    poll = stream("returns")
    running = replace(envelope(CJBH="CJ1", CJZT_DM="20", XM=[item_entry(None, "20")]), headers={"retry-after": "7"})
    page = poll.read(it.context, WINDOW, cursor, running)
    assert (page.wait, page.next["waited"]) == (7.0, 7.0)
    with pytest.raises(Pending) as caught:
        poll.read(it.context, WINDOW, page.next, running)
    assert caught.value.seconds == 7.0


async def test_a_running_collection_of_the_same_items_is_followed() -> None:
    it = drive(maker())
    await it.link()
    body = json.loads(stream("returns").request(it.context, WINDOW, None).body)
    other = Request("POST", "/collections", headers=(("Idempotency-Key", "another-key"),), body=json.dumps(body).encode())
    running = json.loads((await ask(it, other)).body)["data"]["CJBH"]
    page = await step(it, "returns")
    assert (page.next["collection"], page.next["followed"]) == (running, True)
    pulled = await it.pull(stream("returns"), WINDOW.first, WINDOW.last)
    assert len(pulled.facts) == 13


async def test_a_followed_collection_of_another_range_is_only_waited_for() -> None:
    it = drive(maker())
    await it.link()
    cursor = {"step": "poll", "collection": "CJ9", "order": {"attempt": 0, "before": 0}, "day": "2026-01-20", "waited": 0, "followed": True}
    data = {"CJBH": "CJ9", "CJZT_DM": "30", "SJQQ": "2024-01-01", "SJQZ": "2024-12-31", "XM": [item_entry("1")]}
    page = stream("returns").read(it.context, WINDOW, cursor, envelope(**data))
    assert page.next == {"step": "order", "attempt": 0, "before": 0}


async def test_documented_limits_when_switched_on() -> None:
    it = drive(maker(), switches=("rate_limit",))
    await it.link()
    answers = [await ask(it, requests.authorisation_state("SQ0002")) for _ in range(12)]
    assert [one.status for one in answers][-1] == 429
    assert answers[-1].headers["x-ratelimit-limit"] == "10"
    with pytest.raises(RetryAt):
        stream("returns").read(it.context, WINDOW, None, answers[-1])


async def test_a_proxys_page_is_never_an_envelope() -> None:
    it = drive(maker(), switches=("flaky",))
    await it.link()
    pulled = await it.pull(stream("returns"), date(2025, 1, 1))
    assert len(pulled.facts) == 13
    with pytest.raises(RetryAt):
        stream("returns").read(it.context, WINDOW, None, Response(502, {}, b"<html></html>"))


async def test_maintenance_and_down() -> None:
    for switch, seconds in (("maintenance", 2.0), ("down", None)):
        it = drive(maker())
        await it.link()
        it.platform.app.world.switches["cn_tax"].add(switch)  # type: ignore[attr-defined]
        with pytest.raises(RetryAt) as caught:
            await step(it, "returns")
        assert caught.value.seconds == seconds
