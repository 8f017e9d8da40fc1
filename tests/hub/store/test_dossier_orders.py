"""Single orders are summed where they lie: a year and more of a busy shop loads in a moment, and several shops add up."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from hub.credit.dossier import Dossier, Reference
from hub.domain.enums import SourceKind
from hub.domain.facts import Order, Refund, ShopMonthlySummary
from hub.domain.facts.order import OrderStatus
from hub.domain.facts.refund import RefundStatus
from hub.store.database import Database, Write
from hub.store.dossier import load_dossier
from tests.hub.credit.made import AS_OF, KNOWN_AT, fact
from tests.hub.store.seed import GRANTEE, PURPOSE, SCENARIO, Seed

YEAR = [(date(2025, 1, 1), date(2026, 1, 19))]
TWO_YEARS = [(date(2024, 1, 1), date(2026, 1, 19))]


def at(day: str, clock: str = "12:00:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}+08:00")


def order(number: str, day: str, amount: int = 100, clock: str = "12:00:00", **more: Any) -> Order:
    base = {"order_number": number, "created_at": at(day, clock), "paid_at": at(day, clock), "paid_amount": Decimal(amount)}
    values = {**base, "status": OrderStatus.COMPLETED, "buyer": "b", "receiver_address": "a", "receiver_city": "c"}
    return fact(Order, **(values | more))


async def shopkeeper(tx: Write, *, covered: list[tuple[date, date]] = YEAR) -> Seed:
    seed = Seed(tx, datetime(2026, 1, 20, 1, tzinfo=UTC))
    await seed.subject("92330110MA2XXX0280", "339999198805120029")
    await seed.connect(SourceKind.SHOP)
    await seed.allow(SourceKind.SHOP)
    for name in ("Order", "Refund"):
        await seed.window(SourceKind.SHOP, [name], covered)
    return seed


async def load(tx: Write, seed: Seed) -> Dossier:
    use = {"scenario": SCENARIO, "grantee": GRANTEE, "purpose": PURPOSE, "reference": Reference(GRANTEE)}
    return await load_dossier(tx, seed.customer_id, as_of=AS_OF, known_at=KNOWN_AT, **use)  # type: ignore[arg-type]


async def test_an_order_counts_in_the_month_it_was_paid_in_china(database: Database) -> None:
    async with database.work() as tx:
        seed = await shopkeeper(tx)
        await seed.facts(
            order("1", "2025-11-30", 10, "23:59:59"),
            order("2", "2025-12-01", 20, "00:00:00"),
            order("3", "2025-11-30", 40, "23:58:00", paid_at=at("2025-12-01", "00:01:00")),
        )
        got = await load(tx, seed)
    assert got.amounts["GMV"] == {"2025-11": 10, "2025-12": 60}
    assert got.amounts["ORDERS"] == {"2025-11": 1, "2025-12": 2}


async def test_what_counts_as_sold_and_as_refunded(database: Database) -> None:
    """Paid, completed and closed-after-payment orders are GMV; unpaid ones are not. Of refunds only those that succeeded, when they did."""
    async with database.work() as tx:
        seed = await shopkeeper(tx)
        await seed.facts(
            order("1", "2025-11-01", 1, status=OrderStatus.PAID),
            order("2", "2025-11-01", 2, status=OrderStatus.PAID_THEN_REFUNDED),
            order("3", "2025-11-01", 4, status=OrderStatus.COMPLETED),
            order("4", "2025-11-01", 8, status=OrderStatus.UNPAID_CLOSED, paid_at=None),
            order("5", "2025-11-01", 16, status=OrderStatus.UNPAID, paid_at=None),
            *(
                fact(
                    Refund,
                    refund_number=str(n),
                    requested_at=at("2025-10-30"),
                    succeeded_at=succeeded,
                    amount=Decimal(amount),
                    status=status,
                )
                for n, (status, succeeded, amount) in enumerate(
                    [
                        (RefundStatus.SUCCEEDED, at("2025-11-02"), 2),
                        (RefundStatus.REFUSED, at("2025-11-02"), 50),
                        (RefundStatus.REQUESTED, None, 70),
                    ]
                )
            ),
        )
        got = await load(tx, seed)
    assert got.amounts["GMV"]["2025-11"] == 7
    assert got.amounts["REF"] == {"2025-11": 2}


async def test_a_month_counts_by_orders_or_by_summary_never_by_both(database: Database) -> None:
    async with database.work() as tx:
        seed = await shopkeeper(tx, covered=[(date(2025, 10, 15), date(2026, 1, 19))])
        await seed.window(SourceKind.SHOP, ["ShopMonthlySummary"], [(date(2025, 1, 1), date(2025, 12, 31))])
        await seed.facts(
            order("1", "2025-10-20", 5),
            order("2", "2025-11-20", 7),
            *(
                fact(ShopMonthlySummary, month=month, gmv=Decimal(100), refunds=Decimal(9), paid_orders=3)
                for month in ("2025-09", "2025-10", "2025-11")
            ),
        )
        got = await load(tx, seed)
    assert got.amounts["GMV"] == {"2025-09": 100, "2025-10": 100, "2025-11": 7}
    assert got.amounts["REF"] == {"2025-09": 9, "2025-10": 9}
    assert got.amounts["ORDERS"] == {"2025-09": 3, "2025-10": 3, "2025-11": 1}
    assert got.orders
    assert got.orders.months == {"2025-11", "2025-12"}
    assert got.source(SourceKind.SHOP).covers("2025-10")  # type: ignore[arg-type]


async def test_measures(database: Database) -> None:
    async with database.work() as tx:
        seed = await shopkeeper(tx)
        await seed.facts(
            order("1", "2025-10-01", buyer="x", receiver_city="c1", receiver_address="a1", completed_at=at("2025-10-11")),
            order("2", "2025-10-01", buyer="y", receiver_city="c2", receiver_address="a1", clock="05:59:59"),
            order("3", "2025-12-01", buyer="x", receiver_city="c1", receiver_address="a2", clock="01:00:00"),
            order("4", "2025-12-01", buyer="z", receiver_city="c1", receiver_address="a3", clock="06:00:00"),
            order("5", "2025-02-01", buyer="z", receiver_city="c9", receiver_address="a9", clock="00:59:59"),
            order("6", "2026-01-02", buyer="q", receiver_city="c9", receiver_address="a9"),
        )
        got = (await load(tx, seed)).orders
    assert got
    assert (got.buyers, got.repeat_buyers) == (3, 2)
    assert got.city_orders == {"c1": 3, "c2": 1}
    assert (got.top_address_orders, got.orders_w3, got.off_hours_orders) == (2, 4, 2)
    assert got.completed == {"2025-10": (100, 1000)}


async def test_an_order_without_buyer_or_address_makes_these_unknown(database: Database) -> None:
    async with database.work() as tx:
        seed = await shopkeeper(tx)
        await seed.facts(order("1", "2025-12-01"), order("2", "2025-12-01", buyer=None, receiver_address=None, receiver_city=None))
        got = (await load(tx, seed)).orders
    assert got
    assert (got.buyers, got.repeat_buyers, got.top_address_orders) == (None, None, None)
    assert got.city_orders == {"c": 1}


async def test_a_shop_without_orders_has_known_zeros(database: Database) -> None:
    async with database.work() as tx:
        got = (await load(tx, await shopkeeper(tx))).orders
    assert got
    assert (got.buyers, got.repeat_buyers, got.top_address_orders, got.orders_w3, got.city_orders) == (0, 0, 0, 0, {})


async def test_two_shops_add_up_and_a_month_of_one_is_unknown(database: Database) -> None:
    async with database.work() as tx:
        seed = await shopkeeper(tx)
        await seed.facts(order("1", "2025-11-20", 7), order("2", "2025-03-20", 3))
        await seed.connect(SourceKind.SHOP, connector="another")
        await seed.allow(SourceKind.SHOP, connector="another", purpose="POST_LOAN")
        for name in ("Order", "Refund"):
            await seed.window(SourceKind.SHOP, [name], [(date(2025, 6, 1), date(2026, 1, 19))])
        await seed.facts(order("1", "2025-11-21", 70))
        got = await load(tx, seed)
    assert got.amounts["GMV"]["2025-11"] == 77
    assert got.source(SourceKind.SHOP).intervals[0].first == date(2025, 6, 1)
    assert got.orders
    assert "2025-05" not in got.orders.months


async def test_a_big_shop_is_summed_whole(database: Database) -> None:
    """36,000 orders, half of them in W12, with all sums, measures and digests."""
    async with database.work() as tx:
        seed = await shopkeeper(tx, covered=TWO_YEARS)
        await seed.facts(order("seed", "2024-01-01"))
        await tx.execute(
            text(
                """
                insert into fact_order (customer_id, fact_id, source_key, version, occurred_on, known_from, connection_id, consent_id, page_id,
                    position, content_hash, platform, order_number, status, created_at, paid_at, completed_at, goods_amount, discount,
                    paid_amount, buyer_hash, buyer_masked, receiver_address_hash, receiver_address_masked, receiver_city)
                select customer_id, gen_random_uuid(), 'k' || n, 1, d::date, known_from, connection_id, consent_id, page_id, n, '', 'p', 'k' || n,
                    'COMPLETED', d, d, d + interval '4 days', 80, 0, 80, 'b' || n % 9000, '*', 'a' || n, '*', 'c' || n % 10
                from fact_order, generate_series(0, 35999) n, lateral (select timestamptz '2024-01-01 04:00+00' + n * interval '1 day' / 49.3) t(d)
                """
            )
        )
        got = await load(tx, seed)
    assert sum(got.amounts["ORDERS"].values()) == 36001
    assert got.orders
    assert got.orders.city_orders.keys() == {f"c{n}" for n in range(10)}
