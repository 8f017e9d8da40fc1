"""退款."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from hub.domain.enums import SourceKind, Unit
from hub.domain.facts.declare import about, fact


class RefundStatus(StrEnum):
    """Normalised state of a refund request."""

    REQUESTED = "REQUESTED"
    SUCCEEDED = "SUCCEEDED"
    REFUSED = "REFUSED"


@fact(source=SourceKind.SHOP, key=("platform", "refund_number"), occurred="requested_at")
class Refund:
    """退款: one refund request. Only SUCCEEDED counts, in the month of ``succeeded_at``."""

    platform: str = about("Marketplace.")
    refund_number: str = about("Refund number.", upstream=("refund_id",))
    order_number: str = about("Order it belongs to.", upstream=("tid",))
    requested_at: datetime = about("Requested.", upstream=("created",))
    succeeded_at: datetime | None = about("Paid back.", upstream=("modified",))
    amount: Decimal = about("Amount asked back.", unit=Unit.YUAN, upstream=("refund_fee",))
    status: RefundStatus = about("Normalised state.", upstream=("status",))
