"""发票."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.domain.enums import SourceKind, Unit
from hub.domain.facts.declare import about, fact


@fact(source=SourceKind.INVOICE, key=("code", "number"), occurred="issued_on")
class Invoice:
    """发票: one invoice, seen from the customer. A RED invoice keeps its negative net, tax and gross."""

    code: str = about("发票代码, empty for fully digital invoices (数电票).", upstream=("FPDM",))
    number: str = about("发票号码.", upstream=("FPHM",))
    direction: str = about("OUTPUT (销项) or INPUT (进项), decided by comparing tax numbers.")
    kind_code: str = about("发票类型代码.", upstream=("FPLX_DM",))
    issued_on: date = about("Day of issue.", upstream=("KPRQ",))
    seller: str = about("Tax number of the seller.", upstream=("XFSBH",), party=True)
    buyer: str = about("Tax number of the buyer.", upstream=("GFSBH",), party=True)
    net: Decimal = about("不含税金额.", unit=Unit.YUAN, upstream=("HJJE",))
    tax: Decimal = about("税额.", unit=Unit.YUAN, upstream=("HJSE",))
    gross: Decimal = about("价税合计 = net + tax (0.01).", unit=Unit.YUAN, upstream=("JSHJ",))
    status: str = about("NORMAL, VOIDED, RED or REVERSED (a blue invoice that was fully reversed).", upstream=("FPZT_DM",))
    original_number: str | None = about("RED: the invoice it reverses.", upstream=("YFPHM",))
    red_reason: str | None = about("RED: 01 issuing error, 02 return, 03 service stopped, 04 allowance.", upstream=("HZYY_DM",))
