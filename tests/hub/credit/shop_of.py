"""The shop of a persona as monthly sums and order measures (rules E5 to E9), for :mod:`tests.hub.credit.dossiers`, and as single orders, refunds and
summaries, for the tests of the store."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache

from connectors.sandbox.expand import Reach, spread
from connectors.sandbox.expand_shop import statements
from connectors.sandbox.persona import Persona
from connectors.sandbox.sections import ShopMonth, ShopSection
from hub.credit.dossier import OrderMeasures
from hub.domain.enums import SourceKind
from hub.domain.facts import Order, Refund, Settlement, ShopMonthlySummary
from hub.domain.facts.order import OrderStatus
from hub.domain.facts.refund import RefundStatus
from hub.domain.identifiers import PersonalId
from hub.domain.money import ZERO
from hub.domain.periods import CHINA, Month, add_months, first_day, last_day, window


@dataclass(frozen=True, slots=True)
class Paid:
    """One paid order. ``index`` is its place in index order over all months."""

    month: Month
    number: int
    amount: Decimal
    refunded: bool
    paid_at: datetime
    index: int


def blocks(section: ShopSection | None) -> dict[Month, ShopMonth]:
    rows = section.months if section else ()
    return {add_months(row.month, offset): row for row in rows for offset in range(row.for_months)}


def shop_amounts(persona: Persona) -> dict[str, dict[Month, Decimal]]:
    """GMV, REF and ORDERS of the months the shop serves whole."""
    found: dict[str, dict[Month, Decimal]] = {"GMV": {}, "REF": {}, "ORDERS": {}}
    months = blocks(persona.shop)
    for month, row in months.items():
        if not serves(persona, month):
            continue
        before = months.get(add_months(month, -1))
        late = min(row.late_refunds, before.orders) * before.unit_price if before else ZERO
        found["GMV"][month] = row.orders * row.unit_price
        found["REF"][month] = min(row.refunds, row.orders) * row.unit_price + late
        found["ORDERS"][month] = Decimal(row.orders)
    return found


def serves(persona: Persona, month: Month) -> bool:
    reach = Reach(persona, SourceKind.SHOP)
    return reach.covers(first_day(month)) and reach.covers(last_day(month))


@lru_cache(maxsize=16)
def paid(section: ShopSection) -> tuple[Paid, ...]:
    """Every paid order in index order."""
    found: list[Paid] = []
    for month, row in sorted(blocks(section).items()):
        for number in range(row.orders):
            created = datetime.combine(spread(month, number, row.orders), time(8), CHINA) + timedelta(minutes=number % 840)
            found.append(Paid(month, number, row.unit_price, number < row.refunds, created + timedelta(minutes=3), len(found)))
    return tuple(found)


def order_measures(persona: Persona) -> OrderMeasures | None:
    source = persona.sources.get(SourceKind.SHOP)
    if persona.shop is None or source is None:
        return None
    begun = source.orders_from or source.first
    single = frozenset(month for month in window(persona.as_of, 24) if month >= begun and serves(persona, month))
    return _measures(persona.shop, persona.as_of, single)


@lru_cache(maxsize=64)
def _measures(section: ShopSection, as_of: date, single: frozenset[Month]) -> OrderMeasures:
    """Remembered: most personas of a test run share a shop of tens of thousands of orders."""
    orders, year, quarter = paid(section), window(as_of, 12), window(as_of, 3)
    places = _places(section, orders, quarter)
    recent = [order for order in orders if order.month in quarter and order.month in single]
    buyers = _buyers(section, [order for order in orders if order.month in year], single)
    return OrderMeasures(
        months=single,
        buyers=len(buyers),
        repeat_buyers=sum(1 for days in buyers.values() if len(days) > 1),
        city_orders=Counter(places[order.index][0] for order in recent),
        top_address_orders=max(Counter(places[order.index][1] for order in recent).values(), default=0),
        off_hours_orders=sum(1 for order in recent if 1 <= order.paid_at.hour < 6),
        orders_w3=len(recent),
        completed=_completed(orders, single),
        last_paid_on=max((order.paid_at.date() for order in orders), default=None),
    )


def _buyers(section: ShopSection, orders: list[Paid], single: frozenset[Month]) -> dict[str, set[object]]:
    found: dict[str, set[object]] = defaultdict(set)
    for index, order in enumerate(orders):
        if order.month in single:
            found[buyer_of(section, order, index)].add(order.paid_at.date())
    return found


def buyer_of(section: ShopSection, order: Paid, index: int | None) -> str:
    """E7: ``index`` is the order's place among those of W12."""
    rule = section.buyers
    if rule is None or index is None:
        return f"x{order.index}"
    return f"b{index if index < rule.distinct else (index - rule.distinct) % rule.repeat}"


def _places(section: ShopSection, orders: tuple[Paid, ...], quarter: list[Month]) -> dict[int, tuple[str, str]]:
    cities = section.receiver_cities
    found = {order.index: (cities[order.index % len(cities)], f"a{order.index}") for order in orders}
    recent = [order.index for order in orders if order.month in quarter]
    top = min(section.top_address_orders, len(recent))
    for turn in range(top):
        found[recent[turn * len(recent) // top]] = (cities[0], "a-top")
    return found


def _completed(orders: tuple[Paid, ...], single: frozenset[Month]) -> dict[Month, tuple[Decimal, Decimal]]:
    found: dict[Month, tuple[Decimal, Decimal]] = {}
    for order in orders:
        if order.month in single and not order.refunded:
            days = (order.paid_at.date() + timedelta(days=4) - first_day(order.month)).days
            amount, weighted = found.get(order.month, (ZERO, ZERO))
            found[order.month] = (amount + order.amount, weighted + order.amount * days)
    return found


def settlements(persona: Persona) -> list[Settlement]:
    """E9: one statement a month, settled on the 8th of the next."""
    return [
        Settlement(
            platform="marketplace",
            settlement_number=f"S{one.month}",
            period_start=first_day(one.month),
            period_end=last_day(one.month),
            settled_on=one.settled_on,
            gross=one.gross,
            refund=one.refund,
            commission=one.commission,
            ad_fee=ZERO,
            other_fee=ZERO,
            net=one.net,
        )
        for one in statements(persona)
    ]


def order_facts(persona: Persona) -> Iterator[Order | Refund | ShopMonthlySummary]:
    """What the shop serves: single orders and refunds from ``orders_from`` on, summaries before."""
    measures = order_measures(persona)
    assert measures and persona.shop
    orders, sums = paid(persona.shop), shop_amounts(persona)
    year = [order.index for order in orders if order.month in window(persona.as_of, 12)]
    places = _places(persona.shop, orders, window(persona.as_of, 3))
    for order in orders:
        if order.month in measures.months:
            place = year.index(order.index) if len(year) < 2000 and order.index in year else None
            yield _order(order, buyer_of(persona.shop, order, place), *places[order.index])
            if order.refunded:
                yield _refund(order)
    for month in sums["GMV"]:
        if month not in measures.months:
            yield ShopMonthlySummary(
                platform="marketplace",
                shop_number="1",
                month=month,
                paid_orders=int(sums["ORDERS"][month]),
                gmv=sums["GMV"][month],
                refunds=sums["REF"][month],
            )


def _order(order: Paid, buyer: str, city: str, address: str) -> Order:
    return Order(
        platform="marketplace",
        order_number=f"O{order.index:06d}",
        status=OrderStatus.PAID_THEN_REFUNDED if order.refunded else OrderStatus.COMPLETED,
        created_at=order.paid_at - timedelta(minutes=3),
        paid_at=order.paid_at,
        shipped_at=order.paid_at + timedelta(days=1),
        completed_at=order.paid_at + timedelta(days=2 if order.refunded else 4),
        goods_amount=order.amount,
        discount=ZERO,
        paid_amount=order.amount,
        buyer=PersonalId(buyer),
        receiver_address=PersonalId(address),
        receiver_city=city,
    )


def _refund(order: Paid) -> Refund:
    return Refund(
        platform="marketplace",
        refund_number=f"O{order.index:06d}R1",
        order_number=f"O{order.index:06d}",
        requested_at=order.paid_at + timedelta(days=1),
        succeeded_at=order.paid_at + timedelta(days=2),
        amount=order.amount,
        status=RefundStatus.SUCCEEDED,
    )
