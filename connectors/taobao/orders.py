"""Orders by day of creation: ``taobao.trades.sold.get``, at most what the platform still serves (three months, or the shop's archive)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from connectors.taobao.fields import adjustment, instant, maybe_instant, money, optional, personal, text, word
from connectors.taobao.gateway import PLATFORM, call, complete_days, covered_of, result_of, rows_of
from connectors.taobao.paging import page_parameters, turn
from hub.connect import Context, Json, Page, Record, Request, Response, Window, windows
from hub.domain.enums import SourceKind
from hub.domain.facts import Order
from hub.domain.facts.order import OrderStatus

METHOD = "taobao.trades.sold.get"
FIELDS = "tid,status,created,pay_time,consign_time,end_time,total_fee,discount_fee,adjust_fee,payment,buyer_open_uid,receiver_city,receiver_address"
STATUS = {
    "WAIT_BUYER_PAY": OrderStatus.UNPAID_CLOSED,
    "TRADE_NO_CREATE_PAY": OrderStatus.UNPAID_CLOSED,
    "PAY_PENDING": OrderStatus.UNPAID_CLOSED,
    "TRADE_CLOSED_BY_TAOBAO": OrderStatus.UNPAID_CLOSED,
    "WAIT_SELLER_SEND_GOODS": OrderStatus.PAID,
    "PAID_FORBID_CONSIGN": OrderStatus.PAID,
    "SELLER_CONSIGNED_PART": OrderStatus.PAID,
    "WAIT_BUYER_CONFIRM_GOODS": OrderStatus.PAID,
    "TRADE_FINISHED": OrderStatus.COMPLETED,
    "TRADE_CLOSED": OrderStatus.PAID_THEN_REFUNDED,
}
"""Domain brief, section 2.6. TRADE_CLOSED is a sale whose money went back: its refund is the one in the refund feed, not a second one."""


@dataclass(frozen=True, slots=True)
class Orders:
    """One day of created orders a window: the vendor's increment limit, and small enough to be read again for what changed since."""

    name: str = "orders"
    source: SourceKind = SourceKind.SHOP
    facts: tuple[type, ...] = (Order,)
    window_days: int | None = 1
    look_back_days: int = 30

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        return windows.days(self.name, first, complete_days(context, last))

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        span = {"start_created": f"{window.first} 00:00:00", "end_created": f"{window.last} 23:59:59"}
        return call(METHOD, fields=FIELDS, **span, **page_parameters(cursor))

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        found = result_of(context, response, "trades_sold_get_response")
        return turn(found, rows_of(found, "trades", "trade"), cursor, covered_of(found, window))

    def normalise(self, context: Context, record: Record) -> Iterable[Any]:
        status = word(record, "status", STATUS)
        # An order that was paid and does not say when would be in no month's sales: it is put aside instead.
        paid_at = None if status is OrderStatus.UNPAID_CLOSED else instant(record, "pay_time")
        yield Order(
            platform=PLATFORM,
            order_number=text(record, "tid"),
            status=status,
            created_at=instant(record, "created"),
            paid_at=paid_at,
            shipped_at=maybe_instant(record, "consign_time"),
            completed_at=maybe_instant(record, "end_time"),
            goods_amount=money(record, "total_fee"),
            # The seller's own adjustment is added to the price, so that a lower price is a negative one.
            discount=adjustment(record, "discount_fee") - adjustment(record, "adjust_fee"),
            paid_amount=money(record, "payment"),
            buyer=personal(record, "buyer_open_uid"),
            receiver_address=personal(record, "receiver_address"),
            receiver_city=optional(record, "receiver_city"),
        )
