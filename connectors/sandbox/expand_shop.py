"""The shop of a persona as single orders, refunds, settlement statements and monthly sums (rules E5 to E9).

``orders_reach`` says which orders and refunds a platform serves. Index order means by month, then by number within the month.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

from connectors.sandbox.expand import Reach, at, spread
from connectors.sandbox.persona import Persona
from connectors.sandbox.sections import ShopMonth, ShopSection
from hub.domain.enums import SourceKind
from hub.domain.money import round_money
from hub.domain.periods import Month, add_months, days_in, first_day, last_day, month_of, month_range, window

State = Literal["UNPAID", "CLOSED_UNPAID", "PAID", "SHIPPED", "COMPLETED", "REFUNDED"]
RefundState = Literal["REQUESTED", "SUCCEEDED", "REFUSED"]

DAY = timedelta(days=1)
TO_PAY = timedelta(minutes=3)
VENDOR_MONTHS = 3


@dataclass(frozen=True, slots=True)
class ShopOrder:
    """One order as it stands at ``known_at``; times that have not come yet are None. ``ended`` is the end of any kind."""

    key: str
    state: State
    created: datetime
    paid: datetime | None
    shipped: datetime | None
    ended: datetime | None
    amount: Decimal
    buyer: str
    address: str
    city: str

    @property
    def modified(self) -> datetime:
        return self.ended or self.shipped or self.paid or self.created


@dataclass(frozen=True, slots=True)
class ShopRefund:
    """One refund request as it stands at ``known_at``."""

    key: str
    order_key: str
    state: RefundState
    requested: datetime
    succeeded: datetime | None
    amount: Decimal

    @property
    def modified(self) -> datetime:
        return self.succeeded or self.requested


@dataclass(frozen=True, slots=True)
class ShopSum:
    """What a month came to: paid orders, GMV, refunds that succeeded in it."""

    month: Month
    paid_orders: int
    gmv: Decimal
    refunds: Decimal


@dataclass(frozen=True, slots=True)
class ShopStatement:
    """The settlement of one month."""

    month: Month
    settled_on: date
    gross: Decimal
    refund: Decimal
    commission: Decimal

    @property
    def net(self) -> Decimal:
        return self.gross - self.refund - self.commission


def shop_months(section: ShopSection) -> dict[Month, ShopMonth]:
    """The row of each month, in order."""
    rows = {add_months(row.month, offset): row for row in section.months for offset in range(row.for_months)}
    return dict(sorted(rows.items()))


def vendor_reach(persona: Persona, kind: SourceKind) -> Reach:
    """What the source serves; three months back where the persona states nothing."""
    reach = Reach(persona, kind)
    if reach.source is None:
        month = add_months(month_of(persona.as_of), -VENDOR_MONTHS)
        reach.first = first_day(month).replace(day=min(persona.as_of.day, days_in(month)))
    return reach


def orders_reach(persona: Persona) -> Reach:
    """The days whose single orders and refunds are served: the shop's reach, from ``orders_from`` on."""
    reach = vendor_reach(persona, SourceKind.SHOP)
    if reach.source and reach.source.orders_from:
        reach.first = max(reach.first, first_day(reach.source.orders_from))
    return reach


def settled_on(month: Month) -> date:
    return first_day(add_months(month, 1)).replace(day=8)


def shop_sums(persona: Persona) -> dict[Month, ShopSum]:
    """The sums of every month of the section (rule E9: GMV and REF of the month)."""
    months = shop_months(persona.shop) if persona.shop else {}
    found = {}
    for month, row in months.items():
        before = months.get(add_months(month, -1))
        late = min(row.late_refunds, before.orders) * before.unit_price if before else Decimal(0)
        found[month] = ShopSum(month, row.orders, row.orders * row.unit_price, min(row.refunds, row.orders) * row.unit_price + late)
    return found


def summaries(persona: Persona) -> tuple[ShopSum, ...]:
    """The months before ``orders_from`` that are covered whole; a month without sales is a sum of zeros."""
    reach = vendor_reach(persona, SourceKind.SHOP)
    begun = reach.source.orders_from if reach.source else None
    if begun is None or persona.shop is None or month_of(reach.first) >= begun:
        return ()
    sums = shop_sums(persona)
    months = month_range(month_of(reach.first), add_months(begun, -1))
    served = (month for month in months if reach.covers(first_day(month)) and reach.covers(last_day(month)))
    return tuple(sums.get(month) or ShopSum(month, 0, Decimal("0.00"), Decimal("0.00")) for month in served)


def statements(persona: Persona) -> tuple[ShopStatement, ...]:
    """One statement for each month that the settlement source covers whole, once its day of settlement has come."""
    if persona.shop is None:
        return ()
    reach, found = vendor_reach(persona, SourceKind.SETTLEMENT), []
    for month, total in shop_sums(persona).items():
        whole = reach.covers(first_day(month)) and reach.covers(last_day(month))
        if whole and reach.exists(settled_on(month)):
            fee = round_money(persona.shop.fee_rate * (total.gmv - total.refunds))
            found.append(ShopStatement(month, settled_on(month), total.gmv, total.refunds, fee))
    return tuple(found)


def shop_orders(persona: Persona) -> tuple[ShopOrder, ...]:
    """Every order that exists at ``known_at``: the paid ones in index order, then the unpaid ones."""
    if persona.shop is None:
        return ()
    return (*_paid_orders(persona, persona.shop), *_unpaid_orders(persona, persona.shop))


def order_key(month: Month, number: int) -> str:
    return f"01{month[:4]}{month[5:]}{number:06d}"


def _created(month: Month, number: int, count: int) -> datetime:
    return at(spread(month, number, count), 8) + timedelta(minutes=number % 840)


def _paid_orders(persona: Persona, section: ShopSection) -> Iterator[ShopOrder]:
    now, cities, index = persona.known_at, section.receiver_cities, 0
    buyers, top = _Buyers(persona, section), _top_positions(persona, section)
    for month, row in shop_months(section).items():
        for number in range(row.orders):
            key, created = order_key(month, number), _created(month, number, row.orders)
            buyer, city = buyers.next(month, key), cities[0 if index in top else index % len(cities)]
            address = "a-top" if index in top else "a" + key
            index += 1
            if created <= now:
                paid = created + TO_PAY
                state, shipped, ended = _progress(paid, number < row.refunds, now)
                been = None if state == "UNPAID" else paid
                yield ShopOrder(key, state, created, been, shipped, ended, row.unit_price, buyer, address, city)


def _progress(paid: datetime, refunded: bool, now: datetime) -> tuple[State, datetime | None, datetime | None]:
    """State, time of shipping and time of ending of a paid order."""
    if now < paid:
        return "UNPAID", None, None
    shipped = paid + DAY
    if now < shipped:
        return "PAID", None, None
    ended = paid + (2 if refunded else 4) * DAY
    if now < ended:
        return "SHIPPED", shipped, None
    return ("REFUNDED" if refunded else "COMPLETED"), shipped, ended


def _unpaid_orders(persona: Persona, section: ShopSection) -> Iterator[ShopOrder]:
    now, city = persona.known_at, section.receiver_cities[0]
    for month, row in shop_months(section).items():
        for number in range(row.unpaid):
            key, created = order_key(month, row.orders + number), at(spread(month, number, row.unpaid), 12)
            if created <= now:
                ended = created + DAY if created + DAY <= now else None
                state: State = "CLOSED_UNPAID" if ended else "UNPAID"
                yield ShopOrder(key, state, created, None, None, ended, row.unit_price, "x" + key, "a" + key, city)


class _Buyers:
    """Rule E7: numbers the paid orders of W12 in index order."""

    def __init__(self, persona: Persona, section: ShopSection) -> None:
        self.rule, self.year, self.count = section.buyers, frozenset(window(persona.as_of, 12)), 0

    def next(self, month: Month, key: str) -> str:
        if self.rule is None or month not in self.year:
            return "x" + key
        number, self.count = self.count, self.count + 1
        if number >= self.rule.distinct:
            number = (number - self.rule.distinct) % self.rule.repeat
        return f"b{number:06d}"


def _top_positions(persona: Persona, section: ShopSection) -> frozenset[int]:
    """Rule E8: the positions, over all paid orders, of those of W3 that go to one address."""
    quarter, before, recent = frozenset(window(persona.as_of, 3)), 0, list[int]()
    for month, row in shop_months(section).items():
        if month in quarter:
            recent += range(before, before + row.orders)
        before += row.orders
    top = min(section.top_address_orders, len(recent))
    return frozenset(recent[turn * len(recent) // top] for turn in range(top))


def shop_refunds(persona: Persona) -> tuple[ShopRefund, ...]:
    """Every refund request that exists at ``known_at``, in the order of months."""
    months = shop_months(persona.shop) if persona.shop else {}
    asked = [one for month, row in months.items() for one in _requests(months, month, row)]
    return tuple(_as_known(one, persona.known_at) for one in asked if one.requested <= persona.known_at)


def _requests(months: dict[Month, ShopMonth], month: Month, row: ShopMonth) -> Iterator[ShopRefund]:
    for number in range(min(row.orders, row.refunds + row.refused_refunds)):
        paid = _created(month, number, row.orders) + TO_PAY
        refused = number >= row.refunds
        yield _refund(month, number, row, paid + DAY, None if refused else paid + 2 * DAY)
    before = add_months(month, -1)
    for number in _last(months, before, row.late_refunds):
        third, fifth = at(first_day(month).replace(day=3), 12), at(first_day(month).replace(day=5), 12)
        yield _refund(before, number, months[before], third, fifth)


def _last(months: dict[Month, ShopMonth], month: Month, count: int) -> Sequence[int]:
    orders = months[month].orders if month in months else 0
    return range(max(0, orders - count), orders)


def _refund(month: Month, number: int, row: ShopMonth, requested: datetime, succeeded: datetime | None) -> ShopRefund:
    key = order_key(month, number)
    return ShopRefund(f"{key}R1", key, "SUCCEEDED" if succeeded else "REFUSED", requested, succeeded, row.unit_price)


def _as_known(refund: ShopRefund, now: datetime) -> ShopRefund:
    """A refund that has not succeeded yet is a request."""
    if refund.succeeded is None or refund.succeeded <= now:
        return refund
    return ShopRefund(refund.key, refund.order_key, "REQUESTED", refund.requested, None, refund.amount)
