"""订单."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from hub.domain.enums import SourceKind, Unit
from hub.domain.facts.declare import about, fact
from hub.domain.identifiers import PersonalId


class OrderStatus(StrEnum):
    """Normalised state of an order."""

    UNPAID = "UNPAID"
    UNPAID_CLOSED = "UNPAID_CLOSED"
    PAID = "PAID"
    COMPLETED = "COMPLETED"
    PAID_THEN_REFUNDED = "PAID_THEN_REFUNDED"


@fact(source=SourceKind.SHOP, key=("platform", "order_number"), occurred="created_at")
class Order:
    """订单: one shop order. PAID, COMPLETED and PAID_THEN_REFUNDED count as GMV in the month of ``paid_at``."""

    platform: str = about("Marketplace.")
    order_number: str = about("Order number.", upstream=("tid", "order_sn"))
    status: OrderStatus = about("Normalised state.", upstream=("status",))
    created_at: datetime = about("Created.", upstream=("created",))
    paid_at: datetime | None = about("Paid.", upstream=("pay_time", "confirm_time"))
    shipped_at: datetime | None = about("Shipped.", upstream=("consign_time",))
    completed_at: datetime | None = about("Ended.", upstream=("end_time",))
    goods_amount: Decimal = about("Goods before discounts.", unit=Unit.YUAN, upstream=("total_fee", "goods_amount"))
    discount: Decimal = about("Discounts.", unit=Unit.YUAN, upstream=("discount_fee",))
    paid_amount: Decimal = about("Paid by the buyer, VAT included.", unit=Unit.YUAN, upstream=("payment", "pay_amount"))
    buyer: PersonalId | None = about("Opaque buyer identifier of the marketplace.", upstream=("buyer_open_uid",))
    receiver_address: PersonalId | None = about("Receiver address.", upstream=("receiver_address",))
    receiver_city: str | None = about("Receiver city.", upstream=("receiver_city",))
