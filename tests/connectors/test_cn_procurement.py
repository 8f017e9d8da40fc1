"""cn_procurement against its simulated platform: consent, both streams, coverage, refusals."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connectors.cn_procurement import connector
from connectors.cn_procurement.sandbox import BASE_PATH, build
from connectors.sandbox import expand_orders
from connectors.sandbox.persona import Persona
from connectors.sandbox.platform import World
from hub.connect import Misconfigured, NotPermitted, Reauthorise, RefreshNeeded, RetryAt
from hub.domain.facts import PurchaseOrder, ReceivableAccount
from tests.connectors.own_persona import SUPPLIER, document_of, persona_of
from tests.contract.drive import Drive, Pulled

STREAMS = {stream.name: stream for stream in connector.streams}
SECTION = document_of(SUPPLIER)["procurement"]


def persona(section: dict[str, Any] | None = None, **source: Any) -> Persona:
    changes = {} if section is None else {"procurement": SECTION | section}
    return persona_of(SUPPLIER, "PROCUREMENT", changes=changes, **source)


def drive(someone: Persona | None = None, switches: dict[str, set[str]] | None = None) -> Drive:
    someone = someone or persona()
    return Drive(connector, build(World((someone,), switches=switches or {})), someone)


async def pulled(name: str, someone: Persona | None = None, **kwargs: Any) -> Pulled:
    test = drive(someone, **kwargs)
    await test.link()
    return await test.pull(STREAMS[name])


async def test_an_order_in_ten_thousand_yuan_is_one_in_yuan() -> None:
    got = await pulled("orders")
    buyer = SECTION["buyers"]["bureau"]
    (found,) = [fact for fact in got.facts if fact.order_number == "ZC-2024-0733"]
    assert found == PurchaseOrder(
        order_number="ZC-2024-0733",
        buyer=buyer["uscc"],
        buyer_name=buyer["name"],
        government=True,
        amount=Decimal("96000.50"),
        confirmed=Decimal("96000.50"),
        verified_by="PLATFORM",
        signed_on=date(2024, 9, 2),
        deliver_by=date(2024, 12, 10),
        delivered_on=date(2024, 12, 10),
        invoiced=Decimal("96000.50"),
        received=Decimal("96000.50"),
        paid_on=date(2025, 2, 20),
        status="DELIVERED",
    )
    assert (len(got.facts), got.declared, got.unreadable) == (12, 12, [])


async def test_every_order_is_the_personas() -> None:
    """The control: with the buyer's own figures of the file, not through the expansion."""
    got = await pulled("orders")
    told = {row["id"]: row for row in SECTION["orders"]}
    for fact in got.facts:
        row = told.pop(fact.order_number)
        assert fact.buyer == SECTION["buyers"][row["buyer"]]["uscc"]
        assert (f"{fact.amount}", f"{fact.confirmed}", f"{fact.invoiced}") == (row["amount"], row["confirmed"], row["invoiced"])
        days = (fact.signed_on, fact.deliver_by, fact.delivered_on, fact.paid_on)
        assert [day and day.isoformat() for day in days] == [row.get(key) for key in ("signed_on", "deliver_by", "delivered_on", "paid_on")]
        assert fact.status == row["status"]
    assert told == {}


async def test_the_account_is_locked_for_the_lender_or_for_nobody() -> None:
    (locked,) = (await pulled("accounts")).facts
    (free,) = (await pulled("accounts", persona({"account_locked": False}))).facts
    assert isinstance(locked, ReceivableAccount)
    assert (locked.locked, locked.locked_for, locked.institution) == (True, "甬江普惠银行", None)
    assert (free.locked, free.locked_for, free.account_number) == (False, None, locked.account_number)


async def test_what_happens_after_the_data_end_is_not_known_yet() -> None:
    """Signed on 8 December: not there. Delivered on 26 November, data to 20 November: still open. Paid on 3 November, data to 1 November: not paid."""
    before = {fact.order_number: fact for fact in (await pulled("orders", persona(until="2025-11-20"))).facts}
    assert "JT-2025-118" not in before and len(before) == 11
    late = before["JT-2025-090"]
    assert (late.status, late.delivered_on, late.received) == ("OPEN", None, None)
    earlier = {fact.order_number: fact for fact in (await pulled("orders", persona(until="2025-11-01"))).facts}
    owed = earlier["ZC-2025-0388"]
    assert (owed.status, owed.delivered_on, owed.paid_on, owed.received) == ("DELIVERED", date(2025, 8, 22), None, None)


async def test_an_order_is_listed_when_a_day_of_its_life_is_served() -> None:
    """ZC-2024-0102 was signed before the first day that is served, and delivered after it. A cancelled one lives on the day of its signing."""
    gaps = [f"2024-0{month}" for month in range(3, 8)]
    got = await pulled("orders", persona(gaps=gaps))
    assert {fact.order_number for fact in got.facts} == {row["id"] for row in SECTION["orders"]} - {"JT-2024-031"}
    assert got.covered[:3] == [
        (date(2024, 1, 1), date(2024, 1, 1)),
        (date(2024, 1, 2), date(2024, 2, 29)),
        (date(2024, 8, 1), date(2025, 1, 1)),
    ]
    cancelled = {**SECTION["orders"][0], "status": "CANCELLED", "signed_on": "2024-05-06"}
    assert expand_orders.orders(persona({"orders": [cancelled]}, gaps=gaps)) == []
    assert [one.status for one in expand_orders.orders(persona({"orders": [cancelled]}))] == ["CANCELLED"]


async def test_days_before_the_reach_are_unknown_not_empty() -> None:
    test = drive(persona({"orders": []}))
    await test.link()
    got = await test.pull(STREAMS["orders"], date(2023, 1, 1), date(2023, 12, 31))
    assert (got.facts, got.covered, len(got.not_served)) == ([], [], 1)


async def test_who_sells_to_nobody_is_covered_and_empty() -> None:
    nobody = persona_of(SUPPLIER, "PROCUREMENT", changes={"procurement": None})
    for name in STREAMS:
        got = await pulled(name, nobody)
        assert (got.facts, got.declared) == ([], 0)
        assert max(last for _, last in got.covered) == date(2026, 1, 19)


async def test_pages_by_mark_and_a_new_night_between_them() -> None:
    """The mark is gone, the window begins anew: what was read twice is in the total, and every order is there once."""
    test = drive(switches={"cn_procurement": {"new_snapshot"}})
    test.config["page_size"] = "2"
    await test.link()
    got = await test.pull(STREAMS["orders"])
    assert got.fetched == got.declared == 14
    assert len({fact.order_number for fact in got.facts}) == 12
    test = drive()
    test.config["page_size"] = "2"
    await test.link()
    assert (await test.pull(STREAMS["orders"])).fetched == 12


async def test_a_malformed_order_is_unreadable_and_harms_no_other() -> None:
    got = await pulled("orders", switches={"cn_procurement": {"malformed"}})
    assert [fault.path for fault in got.unreadable] == ["htje"]
    assert len(got.facts) == 11


async def test_refused_consent_wrong_secret_revoked_grant() -> None:
    with pytest.raises(Reauthorise):
        await drive().link(decision="refuse")
    test = drive()
    test.config["client_secret"] = "wrong"
    with pytest.raises(Misconfigured):
        await test.link()
    test = drive()
    assert (await test.link()).scopes == ("PROCUREMENT",)
    await test.talk(connector.authorisation.revoke(test.context))
    with pytest.raises(RefreshNeeded):
        await test.pull(STREAMS["accounts"])
    with pytest.raises(Reauthorise):
        await test.talk(connector.authorisation.refresh(test.context))


async def test_a_token_without_the_scope_gets_nothing() -> None:
    test = drive()
    await test.link()
    gateway = next(route for route in test.platform.app.app.routes if route.path.endswith("authorize")).endpoint.__self__  # type: ignore[attr-defined]
    for consent in gateway.consents.by_number.values():
        consent.scopes = ()
    with pytest.raises(NotPermitted):
        await test.pull(STREAMS["orders"])


async def test_the_rate_is_limited() -> None:
    someone = persona()
    test = Drive(connector, build(World((someone,)), per_second=0.5, burst=1), someone)
    await test.link()
    await test.pull(STREAMS["accounts"])
    (window,) = STREAMS["accounts"].windows(test.context, date(2025, 1, 1), date(2026, 1, 20))
    response = await test.send(connector.sign(test.context, STREAMS["accounts"].request(test.context, window, None)))
    with pytest.raises(RetryAt) as caught:
        STREAMS["accounts"].read(test.context, window, None, response)
    assert (response.status, caught.value.seconds) == (429, 2.0)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "signedFrom"),
        ({"signedFrom": "2025-01-01", "signedTo": "20251231"}, "signedFrom"),
        ({"signedFrom": "20250101", "signedTo": "20260102"}, "signedTo"),
        ({"signedFrom": "20250102", "signedTo": "20250101"}, "signedTo"),
        ({"signedFrom": "20250101", "signedTo": "20251231", "limit": "101"}, "limit"),
        ({"signedFrom": "20250101", "signedTo": "20251231", "mark": "nonsense"}, "mark"),
    ],
)
async def test_wrong_questions_are_refused(query: dict[str, str], field: str) -> None:
    test = drive()
    grant = await test.link()
    heads = {"Authorization": f"Bearer {grant.access_token}"}
    answer = await test.client.get(f"http://platform.test{BASE_PATH}/v2/contracts", headers=heads, params=query)
    assert (answer.status_code, answer.json()["ret"], answer.json()["result"]) == (400, "2001", {"field": field})


async def test_an_outsider_gets_data_with_what_the_sandbox_prints() -> None:
    platform = build(World((persona(),)))
    given, base = platform.outsider, f"http://platform.test{platform.base_path}"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=platform.app)) as client:
        days = {f"signed{name.title()}": day.replace("-", "") for name, day in given["period"].items()}
        url = base + given["paths"]["contracts"]
        answer = await client.get(url, params=days, headers={"Authorization": f"Bearer {given['access_token']}"})
        assert answer.json()["result"]["count"] == 6
        assert (await client.get(url, params=days)).headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert json.dumps(given)
