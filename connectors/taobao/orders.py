"""Orders by day of creation: ``taobao.trades.sold.get``, at most what the platform still serves (three months, or the shop's archive)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from connectors.taobao.gateway import PLATFORM, call, covered_of, instant, money, result_of, rows_of, text
from connectors.taobao.paging import page_parameters, turn
from hub.connect import Context, Json, Page, Record, Request, Response, Unreadable, Window, windows
from hub.domain.enums import SourceKind
from hub.domain.facts import Order
from hub.domain.facts.order import OrderStatus
from hub.domain.identifiers import PersonalId

METHOD = "taobao.trades.sold.get"
FIELDS = "tid,status,type,created,pay_time,consign_time,end_time,modified,total_fee,discount_fee,payment,post_fee,buyer_open_uid,receiver_city,receiver_address,orders.refund_status"
STATUS = {
    "WAIT_BUYER_PAY": OrderStatus.UNPAID,
    "TRADE_NO_CREATE_PAY": OrderStatus.UNPAID,
    "TRADE_CLOSED_BY_TAOBAO": OrderStatus.UNPAID_CLOSED,
    "WAIT_SELLER_SEND_GOODS": OrderStatus.PAID,
    "WAIT_BUYER_CONFIRM_GOODS": OrderStatus.PAID,
    "TRADE_FINISHED": OrderStatus.COMPLETED,
    "TRADE_CLOSED": OrderStatus.PAID_THEN_REFUNDED,
}


@dataclass(frozen=True, slots=True)
class Orders:
    """One day of created orders a window: the vendor's increment limit, and small enough to be read again for what changed since."""

    name: str = "orders"
    source: SourceKind = SourceKind.SHOP
    facts: tuple[type, ...] = (Order,)
    window_days: int | None = 1
    look_back_days: int = 30

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        return windows.days(self.name, first, last)

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        span = {"start_created": f"{window.first} 00:00:00", "end_created": f"{window.last} 23:59:59"}
        return call(METHOD, fields=FIELDS, **span, **page_parameters(cursor))

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        found = result_of(context, response, "trades_sold_get_response")
        return turn(found, rows_of(found, "trades", "trade"), cursor, covered_of(found, window))

    def normalise(self, context: Context, record: Record) -> Iterable[Any]:
        status = STATUS.get(text(record, "status"))
        if status is None:
            raise Unreadable("status", "not in the code table")
        created = instant(record, "created")
        if created is None:
            raise Unreadable("created", "missing")
        yield Order(
            platform=PLATFORM,
            order_number=text(record, "tid"),
            status=status,
            created_at=created,
            paid_at=instant(record, "pay_time"),
            shipped_at=instant(record, "consign_time"),
            completed_at=instant(record, "end_time"),
            goods_amount=money(record, "total_fee"),
            discount=money(record, "discount_fee"),
            paid_amount=money(record, "payment"),
            buyer=_personal(record, "buyer_open_uid"),
            receiver_address=_personal(record, "receiver_address"),
            receiver_city=str(record["receiver_city"]) if record.get("receiver_city") else None,
        )


def _personal(record: Record, name: str) -> PersonalId | None:
    return PersonalId(str(record[name])) if record.get(name) else None
