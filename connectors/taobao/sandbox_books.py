"""One persona's shop as the platform serves it: records in order of a time, rows in the vendor's words made when they are asked for."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Generic, TypeVar
from zlib import crc32

from connectors.sandbox import expand_shop
from connectors.sandbox.expand_shop import RefundState, ShopOrder, ShopRefund, ShopStatement, State
from connectors.sandbox.persona import Persona
from hub.domain.enums import SourceKind
from hub.domain.periods import CHINA, first_day, last_day

Spans = list[tuple[date, date]]
Row = dict[str, Any]
T = TypeVar("T")

ORDER_WORDS: dict[State, str] = {
    "UNPAID": "WAIT_BUYER_PAY",
    "CLOSED_UNPAID": "TRADE_CLOSED_BY_TAOBAO",
    "PAID": "WAIT_SELLER_SEND_GOODS",
    "SHIPPED": "WAIT_BUYER_CONFIRM_GOODS",
    "COMPLETED": "TRADE_FINISHED",
    "REFUNDED": "TRADE_CLOSED",
}
REFUND_WORDS: dict[RefundState, str] = {"REQUESTED": "WAIT_SELLER_AGREE", "SUCCEEDED": "SUCCESS", "REFUSED": "SELLER_REFUSE_BUYER"}


class Shelf(Generic[T]):
    """Records in order of a time."""

    def __init__(self, records: Iterable[T], time: Callable[[T], datetime]) -> None:
        self.records = sorted(records, key=time)
        self.times = [time(record) for record in self.records]

    def page(self, first: datetime, last: datetime, number: int, size: int) -> tuple[list[T], int]:
        """One page of the records from first to last, both included, newest first; and how many there are in all."""
        begin, end = bisect_left(self.times, first), bisect_right(self.times, last)
        stop = end - (number - 1) * size
        return self.records[max(begin, stop - size) : max(begin, stop)][::-1], end - begin


class SellerBooks:
    """What the gateway answers about one persona. Expanded once, when it is first asked for."""

    def __init__(self, persona: Persona) -> None:
        self.persona = persona
        self.orders_reach = expand_shop.orders_reach(persona)
        self.shop_reach = expand_shop.vendor_reach(persona, SourceKind.SHOP)
        self.bills_reach = expand_shop.vendor_reach(persona, SourceKind.SETTLEMENT)

    @cached_property
    def orders(self) -> Shelf[ShopOrder]:
        served = (one for one in expand_shop.shop_orders(self.persona) if self.orders_reach.covers(one.created.date()))
        return Shelf(served, lambda one: one.created)

    @cached_property
    def changed(self) -> Shelf[ShopOrder]:
        return Shelf(self.orders.records, lambda one: one.modified)

    @cached_property
    def refunds(self) -> Shelf[ShopRefund]:
        served = (one for one in expand_shop.shop_refunds(self.persona) if self.orders_reach.covers(one.modified.date()))
        return Shelf(served, lambda one: one.modified)

    @cached_property
    def refund_words(self) -> dict[str, str]:
        """The state of the refund of those orders that have one."""
        return {one.order_key: REFUND_WORDS[one.state] for one in expand_shop.shop_refunds(self.persona)}

    @cached_property
    def bills(self) -> Shelf[Row]:
        rows = (row for one in expand_shop.statements(self.persona) for row in _bill_rows(one))
        return Shelf(rows, lambda row: datetime.fromisoformat(row["book_time"]).replace(tzinfo=CHINA))

    @cached_property
    def month_sums(self) -> list[Row]:
        sid = shop_number(self.persona)
        return [
            {
                "sid": sid,
                "month": one.month,
                "paid_orders": one.paid_orders,
                "gmv": yuan_text(one.gmv),
                "refund_fee": yuan_text(one.refunds),
            }
            for one in expand_shop.summaries(self.persona)
        ]

    def summary_days(self) -> Spans:
        return [(first_day(row["month"]), last_day(row["month"])) for row in self.month_sums]

    def order_row(self, order: ShopOrder) -> Row:
        amount = yuan_text(order.amount)
        row: Row = {
            "tid": order.key,
            "type": "fixed",
            "status": ORDER_WORDS[order.state],
            "created": naked(order.created),
            "modified": naked(order.modified),
            "total_fee": amount,
            "discount_fee": "0.00",
            "adjust_fee": "0.00",
            "post_fee": "0.00",
            "payment": amount,
            "received_payment": amount if order.state == "COMPLETED" else "0.00",
            "buyer_open_uid": order.buyer,
            "receiver_city": order.city,
            "receiver_address": order.address,
            "orders": {"order": [{"oid": order.key, "refund_status": self.refund_words.get(order.key, "NO_REFUND")}]},
        }
        times = (("pay_time", order.paid), ("consign_time", order.shipped), ("end_time", order.ended))
        return row | {name: naked(moment) for name, moment in times if moment is not None}

    def refund_row(self, refund: ShopRefund) -> Row:
        return {
            "refund_id": refund.key,
            "tid": refund.order_key,
            "oid": refund.order_key,
            "status": REFUND_WORDS[refund.state],
            "created": naked(refund.requested),
            "modified": naked(refund.modified),
            "refund_fee": yuan_text(refund.amount),
            "total_fee": yuan_text(refund.amount),
        }

    def data_month(self) -> tuple[date, date] | None:
        """First and last day of the latest month that has orders and is served whole; None when there is none."""
        whole = [
            month
            for month, row in (expand_shop.shop_months(self.persona.shop).items() if self.persona.shop else ())
            if row.orders and self.orders_reach.covers(first_day(month)) and self.orders_reach.covers(last_day(month))
        ]
        return (first_day(whole[-1]), last_day(whole[-1])) if whole else None


def _bill_rows(one: ShopStatement) -> Iterable[Row]:
    """One row per fee subject; what goes back to buyers comes negative, as the vendor sends it."""
    number = f"ST{one.month.replace('-', '')}"
    parts = (("1", one.gross), ("2", -one.refund), ("3", one.commission), ("9", one.net))
    for subject, amount in parts:
        yield {
            "bid": f"{number}{subject}",
            "account_id": subject,
            "amount": int(amount * 100),
            "book_time": f"{one.settled_on} 09:00:00",
            "status": 1,
            "statement_no": number,
            "period": one.month,
        }


def shop_number(persona: Persona) -> str:
    return str(100_000_000 + crc32(persona.id.encode()) % 900_000_000)


def naked(moment: datetime) -> str:
    """The vendor's time: China Standard Time without an offset. Every instant of a persona's shop is in that time already."""
    return moment.isoformat(" ", "seconds")[:19]


def yuan_text(amount: Decimal) -> str:
    return f"{amount:.2f}"
