"""What the platform serves, by its numbers alone: page ``p`` of a stream of orders, as bytes and as one JSON object per order.

A page is made when it is first asked for and kept; all are asked for before a contestant is measured.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any

import orjson

PER_PAGE = 200
CHINA = timezone(timedelta(hours=8))
BEGIN = datetime(2025, 1, 16, tzinfo=CHINA)
CITIES = ("杭州市", "深圳市", "成都市", "武汉市", "佛山市")
STATUS = ("COMPLETED", "COMPLETED", "COMPLETED", "PAID", "PAID_THEN_REFUNDED", "UNPAID_CLOSED")


def order(number: int) -> dict[str, Any]:
    """One order as the platform's own JSON has it. Amounts are text, times carry their offset, as platforms document them."""
    status, created = STATUS[number % len(STATUS)], BEGIN + timedelta(seconds=number * 97)
    paid = status != "UNPAID_CLOSED"
    goods, discount = 1000 + number * 7919 % 90_000, number * 31 % 900
    return {
        "tid": f"{3_300_000_000_000_000_000 + number * 7}",
        "status": status,
        "created": created.isoformat(),
        "pay_time": (created + timedelta(minutes=3)).isoformat() if paid else None,
        "consign_time": (created + timedelta(hours=20)).isoformat() if paid else None,
        "end_time": (created + timedelta(days=5)).isoformat() if status == "COMPLETED" else None,
        "total_fee": _yuan(goods),
        "discount_fee": _yuan(discount),
        "payment": _yuan(goods - discount),
        "buyer_open_uid": f"AAHd{number * 7919 % 60_000:06d}xLqzW8kNvTb2",
        "receiver_address": f"{CITIES[number % 5]}文三路{number % 997}号{number % 31}室",
        "receiver_city": CITIES[number % 5],
    }


def _yuan(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


@cache
def page(number: int, pages: int, per_page: int) -> bytes:
    """Page ``number`` (from 1): the total, the orders, and the number of the next page or null."""
    first = (number - 1) * per_page
    orders = [order(first + offset) for offset in range(per_page)]
    return orjson.dumps({"total": pages * per_page, "orders": orders, "next": number + 1 if number < pages else None})
