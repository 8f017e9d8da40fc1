"""One persona's shop as the platform serves it: rows encoded once, found by day."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from connectors.sandbox.expand import Reach
from connectors.sandbox.expand_shop import ShopOrder, ShopRefund, books, orders_reach, summary_months
from connectors.sandbox.persona import Persona
from hub.domain.enums import SourceKind
from hub.domain.periods import CHINA, first_day, last_day

Spans = list[tuple[date, date]]


class Shelf:
    """Rows in order of a time, newest first when asked for, each encoded once."""

    def __init__(self, rows: Iterable[tuple[datetime, dict[str, Any]]]) -> None:
        ordered = sorted(rows, key=lambda row: row[0])
        self.times = [time for time, _ in ordered]
        self.rows = [orjson.Fragment(orjson.dumps(row)) for _, row in ordered]

    def between(self, first: datetime, last: datetime) -> list[orjson.Fragment]:
        """Rows from first to last, both included, newest first."""
        return self.rows[bisect_left(self.times, first) : bisect_right(self.times, last)][::-1]


class SellerBooks:
    """What the gateway answers about one persona."""

    def __init__(self, persona: Persona, *, malformed: bool = False) -> None:
        self.persona, known = persona, books(persona)
        now = persona.known_at
        self.orders_reach, self.bills_reach = orders_reach(persona), Reach(persona, SourceKind.SETTLEMENT)
        orders = [_order(order, now) for order in known.orders if order.created <= now and self.orders_reach.covers(order.created.date())]
        if malformed and orders:
            orders[0] = (orders[0][0], {**orders[0][1], "payment": "n/a"})
        self.orders = Shelf(orders)
        self.changed = Shelf((_moment(str(row["modified"])), row) for _, row in orders)
        self.refunds = Shelf(
            _refund(one, now) for one in known.refunds if one.requested <= now and self.orders_reach.covers(_changed(one, now).date())
        )
        self.totals = known.summaries()
        self.summary_months = summary_months(persona, self.totals)
        self.bills = Shelf(self._bill_rows())

    def _bill_rows(self) -> Iterable[tuple[datetime, dict[str, Any]]]:
        if self.persona.shop is None:
            return
        today = self.persona.known_at.astimezone(CHINA).date()
        for one in books(self.persona).statements(self.persona.shop.fee_rate):
            whole = self.bills_reach.covers(first_day(one.month)) and self.bills_reach.covers(last_day(one.month))
            if not whole or one.settled_on > today:
                continue
            booked = datetime(one.settled_on.year, one.settled_on.month, one.settled_on.day, 9, tzinfo=CHINA)
            parts = (("1", one.gross), ("2", one.refund), ("3", one.commission), ("9", one.net))
            for kind, amount in parts:
                yield booked, _bill(one.month, kind, amount, booked)

    def summaries(self) -> list[dict[str, Any]]:
        rows = (self.totals[month] for month in self.summary_months)
        sid = shop_number(self.persona)
        return [
            {"sid": sid, "month": r.month, "paid_orders": r.orders, "gmv": f"{r.gmv:.2f}", "refund_fee": f"{r.refunds:.2f}"} for r in rows
        ]

    def summary_days(self) -> Spans:
        return [(first_day(month), last_day(month)) for month in self.summary_months]


def shop_number(persona: Persona) -> str:
    return str(100000 + sum(persona.id.encode()) % 900000)


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA)


def _naked(moment: datetime) -> str:
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def _order(order: ShopOrder, now: datetime) -> tuple[datetime, dict[str, Any]]:
    """A trade as it stands at ``now``, and when it was made."""
    status, changed = _status(order, now)
    row: dict[str, Any] = {
        "tid": order.number,
        "status": status,
        "type": "fixed",
        "created": _naked(order.created),
        "modified": _naked(changed),
        "total_fee": f"{order.amount:.2f}",
        "discount_fee": "0.00",
        "payment": f"{order.amount:.2f}",
        "post_fee": "0.00",
        "buyer_open_uid": order.buyer,
        "receiver_city": order.city,
        "receiver_address": order.address,
        "orders": {"order": [{"refund_status": "SUCCESS" if status == "TRADE_CLOSED" else "NO_REFUND"}]},
    }
    for name, moment in (
        ("pay_time", order.paid),
        ("consign_time", order.shipped if order.refunded is None else None),
        ("end_time", order.ended),
    ):
        if moment is not None and moment <= now:
            row[name] = _naked(moment)
    return order.created, row


def _status(order: ShopOrder, now: datetime) -> tuple[str, datetime]:
    """The vendor's status at ``now``, and since when."""
    if order.ended <= now:
        if order.paid is None:
            return "TRADE_CLOSED_BY_TAOBAO", order.ended
        return ("TRADE_CLOSED" if order.refunded else "TRADE_FINISHED"), order.ended
    if order.paid is None or order.paid > now:
        return "WAIT_BUYER_PAY", order.created
    if order.refunded is None and order.shipped and order.shipped <= now:
        return "WAIT_BUYER_CONFIRM_GOODS", order.shipped
    return "WAIT_SELLER_SEND_GOODS", order.paid


def _changed(one: ShopRefund, now: datetime) -> datetime:
    return one.succeeded if one.succeeded and one.succeeded <= now else one.requested


def _refund(one: ShopRefund, now: datetime) -> tuple[datetime, dict[str, Any]]:
    changed = _changed(one, now)
    status = (
        "SUCCESS" if one.succeeded and one.succeeded <= now else "SELLER_REFUSE_BUYER" if one.succeeded is None else "WAIT_SELLER_AGREE"
    )
    row = {"refund_id": one.number, "tid": one.order.number, "created": _naked(one.requested), "modified": _naked(changed)}
    return changed, {**row, "refund_fee": f"{one.order.amount:.2f}", "status": status}


def _bill(month: str, kind: str, amount: Decimal, booked: datetime) -> dict[str, Any]:
    number = f"ST{month.replace('-', '')}"
    row = {"bid": f"{number}{kind}", "statement_no": number, "period": month, "bill_type": kind, "book_time": _naked(booked)}
    return {**row, "amount": int(amount * 100)}
