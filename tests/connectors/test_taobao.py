"""The connector taobao against its simulated platform: every figure of a small shop arrives, and nothing is invented."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest

from connectors.sandbox.platform import World
from connectors.taobao import connector
from connectors.taobao.sandbox import Top, platform
from hub.connect import Reauthorise, RefreshNeeded, RetryAt
from hub.connect.message import Grant
from hub.domain.facts import Order, Refund, Settlement, Shop, ShopMonthlySummary, ShopPenalty, ShopScore
from hub.domain.facts.order import OrderStatus
from hub.domain.facts.refund import RefundStatus
from hub.domain.periods import china_day, month_of
from tests.connectors.shop_persona import persona
from tests.contract.drive import Drive

STREAMS = {stream.name: stream for stream in connector.streams}
FIRST = date(2025, 7, 20)


async def linked(**changes: object) -> tuple[Drive, Top, World]:
    who = persona(**changes)
    world = World((who,))
    top = Top(world)
    drive = Drive(connector, platform(top, world), who, data_from=FIRST)
    await drive.link()
    return drive, top, world


async def test_orders_arrive_once_with_their_states() -> None:
    drive, _, _ = await linked()
    pulled = await drive.pull(STREAMS["orders"], date(2025, 9, 1))
    orders = [fact for fact in pulled.facts if isinstance(fact, Order)]
    assert len({order.order_number for order in orders}) == len(orders) == 310 + 5 + 62 + 4000
    assert pulled.fetched == pulled.declared
    assert Counter(order.status for order in orders) == {
        OrderStatus.COMPLETED: 300 + 61 + 4000,
        OrderStatus.PAID_THEN_REFUNDED: 10 + 1,
        OrderStatus.UNPAID_CLOSED: 5,
    }
    paid = [order for order in orders if order.paid_at]
    assert sum(order.paid_amount for order in paid if month_of(china_day(order.paid_at)) == "2025-12") == Decimal("122000.00")  # type: ignore[arg-type]


async def test_a_day_of_several_pages_is_read_from_the_last_one_backwards() -> None:
    drive, _, _ = await linked()
    pulled = await drive.pull(STREAMS["orders"], date(2025, 12, 3), date(2025, 12, 3))
    assert pulled.fetched == 129
    assert pulled.requests == 3, "page 1 for the total, then pages 2 and 1"


async def test_refunds_count_when_they_succeed() -> None:
    drive, _, _ = await linked()
    refunds = [fact for fact in (await drive.pull(STREAMS["refunds"], date(2025, 9, 1))).facts if isinstance(fact, Refund)]
    assert Counter(refund.status for refund in refunds) == {RefundStatus.SUCCEEDED: 10 + 3 + 1, RefundStatus.REFUSED: 2}
    october = [refund for refund in refunds if refund.succeeded_at and month_of(china_day(refund.succeeded_at)) == "2025-10"]
    assert [refund.amount for refund in october] == [Decimal("25.00")] * 3
    assert all(refund.succeeded_at is None for refund in refunds if refund.status is RefundStatus.REFUSED)


async def test_archived_months_come_as_summaries_only() -> None:
    drive, _, _ = await linked()
    pulled = await drive.pull(STREAMS["monthly_summary"])
    assert [(fact.month, fact.paid_orders, fact.gmv, fact.refunds) for fact in pulled.facts] == [
        ("2025-08", 40, Decimal("1000.00"), Decimal("100.00"))
    ]
    assert isinstance(pulled.facts[0], ShopMonthlySummary)
    assert pulled.covered == [(date(2025, 8, 1), date(2025, 8, 31))]
    august = await drive.pull(STREAMS["orders"], date(2025, 8, 1), date(2025, 8, 31))
    assert august.facts == []
    assert len(august.not_served) == 31


async def test_a_gap_is_unknown_and_a_month_without_orders_is_zero() -> None:
    drive, _, _ = await linked(sources={"SHOP": {"from": "2025-09", "gaps": ["2025-11"]}, "SETTLEMENT": {"from": "2025-09"}})
    october = await drive.pull(STREAMS["orders"], date(2025, 10, 1), date(2025, 10, 31))
    assert (len(october.facts), len(october.not_served), len(october.covered)) == (0, 0, 31)
    november = await drive.pull(STREAMS["orders"], date(2025, 11, 1), date(2025, 11, 30))
    assert (len(november.facts), len(november.not_served)) == (0, 30)


async def test_the_data_end_is_visible() -> None:
    drive, _, _ = await linked(sources={"SHOP": {"from": "2025-09", "until": "2025-12-20"}})
    refunds = await drive.pull(STREAMS["refunds"], date(2025, 12, 1))
    assert refunds.covered == [(date(2025, 12, 1), date(2025, 12, 20))]
    assert len((await drive.pull(STREAMS["orders"], date(2025, 12, 20), date(2025, 12, 22))).not_served) == 2


async def test_statements_are_one_fact_each_in_yuan() -> None:
    drive, _, _ = await linked()
    pulled = await drive.pull(STREAMS["bills"], date(2025, 8, 1))
    statements = {fact.period_start: fact for fact in pulled.facts if isinstance(fact, Settlement)}
    september = statements[date(2025, 9, 1)]
    assert (september.gross, september.refund, september.commission) == (Decimal("7750.00"), Decimal("250.00"), Decimal("247.50"))
    assert (september.net, september.settled_on) == (Decimal("7252.50"), date(2025, 10, 8))
    assert date(2025, 12, 1) in statements, "settled on 8 January, which is known"


async def test_the_shop_with_score_and_penalty() -> None:
    drive, _, _ = await linked()
    pulled = await drive.pull(STREAMS["shop"])
    kinds = {type(fact): fact for fact in pulled.facts}
    assert kinds[Shop].owner == "33999919900307001X"
    assert (kinds[Shop].skus_listed, kinds[Shop].skus_sold, kinds[Shop].scope) == (20, 15, "FULL")
    assert min(kinds[ShopScore].description, kinds[ShopScore].service, kinds[ShopScore].logistics) == Decimal("4.7")
    assert (kinds[ShopPenalty].kind, kinds[ShopPenalty].decided_on) == ("IP", date(2025, 10, 10))


async def test_buyers_and_addresses_follow_the_persona() -> None:
    drive, _, _ = await linked()
    orders = [fact for fact in (await drive.pull(STREAMS["orders"], date(2025, 10, 1))).facts if fact.paid_at]
    assert sum(1 for order in orders if order.receiver_address == "a-top") == 7
    assert {order.receiver_city for order in orders} == {"台州市", "温州市", "丽水市"}
    assert len({order.buyer for order in orders if month_of(china_day(order.paid_at)) == "2025-12"}) == 50


async def test_a_malformed_order_is_kept_apart_and_the_others_are_unharmed() -> None:
    drive, _, world = await linked()
    world.switches["taobao"] = {"malformed"}
    pulled = await drive.pull(STREAMS["orders"], date(2025, 9, 1), date(2025, 9, 30))
    assert [fault.path for fault in pulled.unreadable] == ["payment"]
    assert len(pulled.facts) == pulled.fetched - 1 == 314


async def test_a_ban_says_how_long_to_wait() -> None:
    drive, _, world = await linked()
    world.switches["taobao"] = {"banned"}
    window = STREAMS["orders"].windows(drive.context, date(2025, 9, 1), date(2025, 9, 1))[0]
    request = connector.sign(drive.context, STREAMS["orders"].request(drive.context, window, None))
    with pytest.raises(RetryAt) as fault:
        STREAMS["orders"].read(drive.context, window, None, await drive.send(request))
    assert fault.value.seconds == 1.0


async def test_an_ended_session_asks_for_a_refresh_and_the_refresh_works() -> None:
    drive, top, _ = await linked()
    top.sessions.clear()
    with pytest.raises(RefreshNeeded):
        await drive.pull(STREAMS["shop"])
    grant: Grant = await drive.talk(connector.authorisation.refresh(drive.context))
    assert grant.access_token in top.sessions


async def test_a_code_works_once_and_a_refusal_is_one() -> None:
    drive, _, _ = await linked()
    auth, redirect = connector.authorisation, "http://127.0.0.1/link/callback"
    url = await drive.talk(auth.begin(drive.context, redirect_uri=redirect, state="s", verifier="v", text_hash="t"))
    callback = await drive.submit_consent(url)
    assert callback["state"] == "s"
    await drive.talk(auth.complete(drive.context, redirect_uri=redirect, verifier="v", callback=callback))
    with pytest.raises(Reauthorise):
        await drive.talk(auth.complete(drive.context, redirect_uri=redirect, verifier="v", callback=callback))
    refused = await drive.submit_consent(url, "refuse")
    with pytest.raises(Reauthorise, match="refused"):
        await drive.talk(auth.complete(drive.context, redirect_uri=redirect, verifier="v", callback=refused))
