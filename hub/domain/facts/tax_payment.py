"""税款缴纳."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.domain.enums import SourceKind, Unit
from hub.domain.facts.declare import about, fact


@fact(source=SourceKind.TAX, key=("voucher_number", "tax_kind", "late_fee"), occurred="paid_on")
class TaxPayment:
    """税款缴纳: one payment of tax or late fee."""

    voucher_number: str = about("电子税票号码.", upstream=("DZSPHM",))
    tax_kind: str = about("VAT, CIT, IIT_BUSINESS, IIT_WITHHOLDING, SURCHARGE or OTHER.", upstream=("ZSXM_DM",))
    late_fee: bool = about("Whether it is a late fee (滞纳金) and not the tax itself.", upstream=("SKZL_DM",))
    period_start: date = about("First day of the tax period.", upstream=("SKSSQQ",))
    period_end: date = about("Last day of the tax period.", upstream=("SKSSQZ",))
    paid_on: date = about("Day of payment.", upstream=("JKRQ",))
    amount: Decimal = about("Amount paid.", unit=Unit.YUAN, upstream=("SJJE",))
