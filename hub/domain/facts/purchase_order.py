"""采购订单."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.domain.enums import SourceKind, Unit
from hub.domain.facts.declare import about, fact


@fact(source=SourceKind.PROCUREMENT, key=("buyer", "order_number"), occurred="signed_on")
class PurchaseOrder:
    """采购订单: an order of a government or core-enterprise buyer. Of an OPEN one max(0, min(amount, confirmed) - invoiced) is still to be invoiced."""

    order_number: str = about("Number of the order or contract (合同编号).", upstream=("htbh",))
    buyer: str = about("USCC of the buyer (采购人).", upstream=("cgrdm",), party=True)
    buyer_name: str | None = about("Name of the buyer.", upstream=("cgrmc",))
    government: bool = about("The buyer is a government body or buys with public money (政府采购).", upstream=("cgrlx",))
    amount: Decimal = about("合同金额: what was ordered.", unit=Unit.YUAN, upstream=("htje",))
    confirmed: Decimal = about("确权金额: what the buyer stands by.", unit=Unit.YUAN, upstream=("qqje",))
    verified_by: str | None = about("BUYER or PLATFORM: who confirms it.", upstream=("qqf",))
    signed_on: date = about("Day of signing.", upstream=("qdrq",))
    deliver_by: date = about("Last day of delivery.", upstream=("jhqx",))
    delivered_on: date | None = about("Day on which the delivery was accepted (验收).", upstream=("ysrq",))
    invoiced: Decimal = about("已开票金额, VAT included.", unit=Unit.YUAN, upstream=("kpje",))
    received: Decimal | None = about("已回款金额; null where the platform does not see the money.", unit=Unit.YUAN, upstream=("hkje",))
    paid_on: date | None = about("Day on which the buyer had paid in full.", upstream=("hkrq",))
    status: str = about("OPEN, DELIVERED or CANCELLED.", upstream=("htzt",))
