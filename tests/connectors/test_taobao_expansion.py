"""The shop's expansion (rules E5 to E9) by hand, and how it stands at the persona's own clock."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox import expand_shop
from connectors.sandbox.persona import Persona, load
from connectors.sandbox.platform import World
from connectors.taobao import connector
from connectors.taobao.sandbox import build
from hub.domain.enums import SourceKind
from hub.domain.facts import Order, Refund, Settlement
from hub.domain.facts.order import OrderStatus
from hub.domain.facts.refund import RefundStatus
from hub.domain.periods import CHINA, china_day, month_of
from tests.connectors.shop_persona import document, persona
from tests.contract.drive import Drive


def cst(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def shop_of(months: list[dict[str, Any]], **changes: Any) -> Persona:
    return persona(shop=document()["shop"] | {"months": months, "buyers": None, "top_address_orders": 0}, **changes)


def test_an_order_by_hand() -> None:
    """Order 1 of 3 in November: day 1 + floor(3·30 / 6) = 16, at 08:01."""
    order = expand_shop.shop_orders(shop_of([{"month": "2025-11", "orders": 3, "unit_price": "9.90"}]))[1]
    assert order == expand_shop.ShopOrder(
        key="01202511000001",
        state="COMPLETED",
        created=cst("2025-11-16 08:01"),
        paid=cst("2025-11-16 08:04"),
        shipped=cst("2025-11-17 08:04"),
        ended=cst("2025-11-20 08:04"),
        amount=Decimal("9.90"),
        buyer="x01202511000001",
        address="a01202511000001",
        city="温州市",
    )


@pytest.mark.parametrize(
    ("known_at", "state", "times"),
    [
        ("2025-11-16T07:59:00+08:00", None, None),
        ("2025-11-16T08:00:00+08:00", "UNPAID", 0),
        ("2025-11-16T08:03:00+08:00", "PAID", 1),
        ("2025-11-17T08:03:00+08:00", "SHIPPED", 2),
        ("2025-11-18T08:02:00+08:00", "SHIPPED", 2),
        ("2025-11-18T08:03:00+08:00", "REFUNDED", 3),
    ],
)
def test_an_order_at_the_clock_of_its_persona(known_at: str, state: str | None, times: int | None) -> None:
    who = shop_of([{"month": "2025-11", "orders": 1, "unit_price": "9.90", "refunds": 1}], known_at=known_at)
    found = expand_shop.shop_orders(who)
    assert [one.state for one in found] == ([state] if state else [])
    assert [sum(moment is not None for moment in (one.paid, one.shipped, one.ended)) for one in found] == ([times] if state else [])


def test_a_refund_at_the_clock_of_its_persona() -> None:
    months = [{"month": "2025-11", "orders": 2, "unit_price": "9.90", "refunds": 1, "refused_refunds": 1}]
    asked = expand_shop.shop_refunds(shop_of(months, known_at="2025-11-10T08:00:00+08:00"))
    assert [(one.state, one.modified) for one in asked] == [("REQUESTED", cst("2025-11-09 08:03"))]
    done = expand_shop.shop_refunds(shop_of(months))
    assert [(one.key, one.state, one.modified) for one in done] == [
        ("01202511000000R1", "SUCCEEDED", cst("2025-11-10 08:03")),
        ("01202511000001R1", "REFUSED", cst("2025-11-24 08:04")),
    ]


def test_late_refunds_are_of_the_last_orders_of_the_month_before() -> None:
    months = [
        {"month": "2025-10", "orders": 4, "unit_price": "7.00"},
        {"month": "2025-11", "orders": 1, "unit_price": "9.00", "late_refunds": 2},
    ]
    who = shop_of(months)
    late = expand_shop.shop_refunds(who)
    assert [(one.order_key, one.requested, one.succeeded, one.amount) for one in late] == [
        (f"01202510{number:06d}", cst("2025-11-03 12:00"), cst("2025-11-05 12:00"), Decimal("7.00")) for number in (2, 3)
    ]
    assert {one.state for one in expand_shop.shop_orders(who)} == {"COMPLETED"}
    assert expand_shop.shop_sums(who)["2025-11"].refunds == Decimal("14.00")  # type: ignore[index]


def test_unpaid_orders_close_a_day_later() -> None:
    (order,) = expand_shop.shop_orders(shop_of([{"month": "2025-11", "orders": 0, "unit_price": "9.90", "unpaid": 1}]))
    assert (order.key, order.state, order.created, order.ended) == (
        "01202511000000",
        "CLOSED_UNPAID",
        cst("2025-11-16 12:00"),
        cst("2025-11-17 12:00"),
    )


def test_buyers_are_numbered_over_the_year_only() -> None:
    shop = document()["shop"] | {
        "months": [{"month": "2024-12", "orders": 1, "unit_price": "1.00"}, {"month": "2025-01", "orders": 7, "unit_price": "1.00"}],
        "buyers": {"distinct": 3, "repeat": 2},
    }
    bought = [one.buyer for one in expand_shop.shop_orders(persona(shop=shop))]
    assert bought == ["x01202412000000", "b000000", "b000001", "b000002", "b000000", "b000001", "b000000", "b000001"]


def test_the_top_address_is_spread_over_the_quarter() -> None:
    shop = document()["shop"] | {"months": [{"month": "2025-12", "orders": 10, "unit_price": "1.00"}], "top_address_orders": 4}
    found = expand_shop.shop_orders(persona(shop=shop))
    assert [index for index, one in enumerate(found) if one.address == "a-top"] == [0, 2, 5, 7]
    assert {one.city for one in found if one.address == "a-top"} == {"台州市"}


def test_a_summary_month_without_sales_is_known_to_be_zero() -> None:
    who = shop_of(
        [{"month": "2025-08", "orders": 2, "unit_price": "5.00"}], sources={"SHOP": {"from": "2025-07", "orders_from": "2025-09"}}
    )
    found = [(one.month, one.paid_orders, one.gmv) for one in expand_shop.summaries(who)]
    assert found == [("2025-07", 0, Decimal("0.00")), ("2025-08", 2, Decimal("10.00"))]


def test_without_a_stated_coverage_the_vendor_serves_three_months() -> None:
    who = persona(sources={"SETTLEMENT": {"from": "2025-08"}})
    assert expand_shop.orders_reach(who).intervals() == [(date(2025, 10, 10), date(2026, 1, 9))]
    assert expand_shop.summaries(who) == ()


async def test_statements_follow_the_covered_months_not_the_day_they_are_settled() -> None:
    who = persona(sources={"SETTLEMENT": {"from": "2025-09", "gaps": ["2025-10"], "until": "2025-12-31"}})
    drive = Drive(connector, build(World((who,))), who, data_from=date(2025, 7, 20))
    await drive.link()
    pulled = await drive.pull(next(stream for stream in connector.streams if stream.name == "bills"))
    settled = [(fact.period_start, fact.settled_on) for fact in pulled.facts if isinstance(fact, Settlement)]
    assert settled == [
        (date(2025, 9, 1), date(2025, 10, 8)),
        (date(2025, 11, 1), date(2025, 12, 8)),
        (date(2025, 12, 1), date(2026, 1, 8)),
    ]
    days = {first for first, _ in pulled.covered}
    assert (date(2025, 9, 1) in days, date(2025, 10, 8) in days, date(2025, 12, 31) in days, date(2026, 1, 8) in days) == (
        True,
        False,
        True,
        False,
    )
    assert date(2025, 8, 31) in {window.first for window in pulled.not_served}


@pytest.mark.parametrize("name", ["online-seller", "conflicting-data"])
async def test_the_golden_shops_arrive(shared: Path, name: str) -> None:
    who = load(shared / "golden" / f"{name}.json")
    assert who.shop
    drive = Drive(connector, build(World((who,))), who, data_from=date(2023, 12, 1))
    await drive.link()
    facts = await drive.everything()
    sold, back, settled = Counter[str](), Counter[str](), Counter[str]()
    for fact in facts:
        if isinstance(fact, Order) and fact.status is not OrderStatus.UNPAID_CLOSED and fact.paid_at:
            sold[month_of(china_day(fact.paid_at))] += fact.paid_amount  # type: ignore[assignment]
        if isinstance(fact, Refund) and fact.status is RefundStatus.SUCCEEDED and fact.succeeded_at:
            back[month_of(china_day(fact.succeeded_at))] += fact.amount  # type: ignore[assignment]
        if isinstance(fact, Settlement):
            settled[month_of(fact.period_start)] += fact.gross - fact.refund  # type: ignore[assignment]
    stated = {month: row for month, row in expand_shop.shop_months(who.shop).items() if month >= who.sources[SourceKind.SHOP].first}
    assert sold == {month: row.orders * row.unit_price for month, row in stated.items()}
    assert back == {month: row.refunds * row.unit_price for month, row in stated.items() if row.refunds}
    assert settled == {month: sold[month] - back[month] for month in stated}
