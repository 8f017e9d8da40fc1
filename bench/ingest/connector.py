"""The platform's connector: one stream of orders, one window, pages by number, into the real :class:`hub.domain.facts.order.Order`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from bench.kit import speaking
from hub.connect import Connector, Context, ContractBroken, Json, Page, Quota, Record, Request, Response, Window
from hub.connect.answers import json_object
from hub.domain.enums import SourceKind
from hub.domain.facts.order import Order, OrderStatus
from hub.domain.identifiers import PersonalId

NAME = "ingest"
STATUS = {status.value: status for status in OrderStatus}


@dataclass(frozen=True)
class Orders:
    """All orders in one chain of pages, each named by the one before: no contestant may fetch two at once."""

    pages: int
    size: int
    name: str = "orders"
    source: SourceKind = SourceKind.SHOP
    facts: tuple[type, ...] = (Order,)
    window_days: int | None = None
    look_back_days: int = 3650

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        return [Window(self.name, first, last)]

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        number = cursor["page"] if cursor else 1
        return Request("GET", "/orders", query=(("page", str(number)), ("pages", str(self.pages)), ("size", str(self.size))))

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        if response.status != 200:
            raise ContractBroken(f"status {response.status}")
        answer = json_object(response, context.now)
        following = answer["next"]
        return Page(tuple(answer["orders"]), next=None if following is None else {"page": following}, total=answer["total"])

    def normalise(self, context: Context, record: Record) -> Sequence[Order]:
        instant = datetime.fromisoformat
        return (
            Order(
                platform=NAME,
                order_number=record["tid"],
                status=STATUS[record["status"]],
                created_at=instant(record["created"]),
                paid_at=instant(paid) if (paid := record["pay_time"]) else None,
                shipped_at=instant(shipped) if (shipped := record["consign_time"]) else None,
                completed_at=instant(ended) if (ended := record["end_time"]) else None,
                goods_amount=Decimal(record["total_fee"]),
                discount=Decimal(record["discount_fee"]),
                paid_amount=Decimal(record["payment"]),
                buyer=PersonalId(record["buyer_open_uid"]),
                receiver_address=PersonalId(record["receiver_address"]),
                receiver_city=record["receiver_city"],
            ),
        )


def connector(pages: int, size: int) -> Connector:
    """A quota that nobody reaches; the ledger is asked all the same."""
    return speaking.connector(NAME, "Orders from memory.", Quota(10_000, 10_000, 16), Orders(pages, size))
