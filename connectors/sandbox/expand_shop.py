"""Orders, refunds, statements and summaries of a persona's shop (rules E5 to E9), as they stand at the persona's ``known_at``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from connectors.sandbox.expand import Reach, at, on_day, spread
from connectors.sandbox.persona import Persona
from connectors.sandbox.sections import ShopMonth, ShopSection
from hub.domain.enums import SourceKind
from hub.domain.money import CENT, ZERO
from hub.domain.periods import Month, add_months, first_day, last_day, month_of, window


@dataclass(frozen=True, slots=True)
class ShopOrder:
    """One order. ``paid`` None: never paid. ``refunded`` the instant of a full refund that closed it. Times in China Standard Time."""

    number: str
    month: Month
    created: datetime
    paid: datetime | None
    amount: Decimal
    buyer: str
    address: str
    city: str
    refunded: datetime | None = None

    @property
    def shipped(self) -> datetime | None:
        return self.paid + timedelta(days=1) if self.paid else None

    @property
    def ended(self) -> datetime:
        """When the order ended: refunded, completed four days after payment, or closed unpaid a day after it was made."""
        if self.paid is None:
            return self.created + timedelta(days=1)
        return self.refunded or self.paid + timedelta(days=4)


@dataclass(frozen=True, slots=True)
class ShopRefund:
    """One refund request; ``succeeded`` None when it was refused."""

    order: ShopOrder
    requested: datetime
    succeeded: datetime | None

    @property
    def number(self) -> str:
        return self.order.number + "R1"


@dataclass(frozen=True, slots=True)
class Statement:
    """One month's settlement statement (rule E9)."""

    month: Month
    settled_on: date
    gross: Decimal
    refund: Decimal
    commission: Decimal

    @property
    def net(self) -> Decimal:
        return self.gross - self.refund - self.commission


@dataclass(frozen=True, slots=True)
class Summary:
    """One month's totals: paid orders, GMV, refunds that succeeded in it."""

    month: Month
    orders: int
    gmv: Decimal
    refunds: Decimal


@dataclass(frozen=True)
class ShopBooks:
    """Everything about one persona's shop."""

    orders: tuple[ShopOrder, ...]
    refunds: tuple[ShopRefund, ...]

    def summaries(self) -> dict[Month, Summary]:
        """Totals by month of payment and of refund success."""
        count: dict[Month, int] = defaultdict(int)
        gmv: dict[Month, Decimal] = defaultdict(lambda: ZERO)
        back: dict[Month, Decimal] = defaultdict(lambda: ZERO)
        for order in self.orders:
            if order.paid:
                count[month_of(order.paid.date())] += 1
                gmv[month_of(order.paid.date())] += order.amount
        for refund in self.refunds:
            if refund.succeeded:
                back[month_of(refund.succeeded.date())] += refund.order.amount
        return {month: Summary(month, count[month], gmv[month], back[month]) for month in sorted({*gmv, *back})}

    def statements(self, fee_rate: Decimal) -> Iterator[Statement]:
        for month, total in self.summaries().items():
            commission = (fee_rate * (total.gmv - total.refunds)).quantize(CENT, ROUND_HALF_UP)
            yield Statement(month, on_day(add_months(month, 1), 8), total.gmv, total.refunds, commission)


def books(persona: Persona) -> ShopBooks:
    """The shop's books; empty when the persona has none."""
    if persona.shop is None:
        return ShopBooks((), ())
    blocks = dict(_months(persona.shop))
    orders = [order for month, block in sorted(blocks.items()) for order in _orders(month, block)]
    placed = _with_places(_with_buyers(orders, persona), persona)
    return ShopBooks(tuple(placed), tuple(_refunds(blocks, placed)))


def _months(shop: ShopSection) -> Iterator[tuple[Month, ShopMonth]]:
    for block in shop.months:
        for offset in range(block.for_months):
            yield add_months(block.month, offset), block


def _orders(month: Month, block: ShopMonth) -> Iterator[ShopOrder]:
    for index in range(block.orders):
        created = at(spread(month, index, block.orders), 8) + timedelta(minutes=index % 840)
        paid = created + timedelta(minutes=3)
        order = _order(month, index, created, paid, block.unit_price)
        yield replace(order, refunded=paid + timedelta(days=2)) if index < block.refunds else order
    for index in range(block.unpaid):
        yield _order(month, block.orders + index, at(spread(month, index, block.unpaid), 12), None, block.unit_price)


def _order(month: Month, index: int, created: datetime, paid: datetime | None, amount: Decimal) -> ShopOrder:
    number = f"01{month[:4]}{month[5:]}{index:06d}"
    return ShopOrder(number, month, created, paid, amount, f"x{number}", f"a{number}", "")


def _with_buyers(orders: list[ShopOrder], persona: Persona) -> list[ShopOrder]:
    """E7: the paid orders of W12, numbered in index order, share a known number of buyers."""
    buyers = persona.shop.buyers if persona.shop else None
    if buyers is None:
        return orders
    months, number, found = set(window(persona.as_of, 12)), 0, []
    for order in orders:
        if order.paid and order.month in months:
            index = number if number < buyers.distinct else (number - buyers.distinct) % buyers.repeat
            order, number = replace(order, buyer=f"b{index:06d}"), number + 1
        found.append(order)
    return found


def _with_places(orders: list[ShopOrder], persona: Persona) -> list[ShopOrder]:
    """E8: cities in turn over all paid orders; some orders of W3 go to one and the same address."""
    assert persona.shop is not None
    cities, position, found = persona.shop.receiver_cities, 0, []
    for order in orders:
        found.append(replace(order, city=cities[position % len(cities)] if order.paid else cities[0]))
        position += 1 if order.paid else 0
    recent = [index for index, order in enumerate(found) if order.paid and order.month in set(window(persona.as_of, 3))]
    top = persona.shop.top_address_orders
    for k in range(min(top, len(recent))):
        index = recent[k * len(recent) // top]
        found[index] = replace(found[index], address="a-top", city=cities[0])
    return found


def _refunds(blocks: dict[Month, ShopMonth], orders: list[ShopOrder]) -> Iterator[ShopRefund]:
    paid: dict[Month, list[ShopOrder]] = defaultdict(list)
    for order in orders:
        if order.paid:
            paid[order.month].append(order)
    for month, block in sorted(blocks.items()):
        for order in paid[month][: block.refunds]:
            assert order.paid is not None
            yield ShopRefund(order, order.paid + timedelta(days=1), order.refunded)
        for order in paid[month][block.refunds : block.refunds + block.refused_refunds]:
            assert order.paid is not None
            yield ShopRefund(order, order.paid + timedelta(days=1), None)
        late = paid[add_months(month, -1)]
        for order in late[len(late) - block.late_refunds :]:
            yield ShopRefund(order, at(on_day(month, 3), 12), at(on_day(month, 5), 12))


def orders_reach(persona: Persona) -> Reach:
    """What is served order by order: from ``orders_from`` where the persona states it."""
    reach = Reach(persona, SourceKind.SHOP)
    if reach.source and reach.source.orders_from:
        reach.first = max(reach.first, first_day(reach.source.orders_from))
    return reach


def summary_months(persona: Persona, totals: Iterable[Month]) -> list[Month]:
    """The covered months that are served only as summaries."""
    whole, single = Reach(persona, SourceKind.SHOP), orders_reach(persona)
    months = (month for month in totals if first_day(month) < single.first)
    return [month for month in months if whole.covers(first_day(month)) and whole.covers(last_day(month))]
