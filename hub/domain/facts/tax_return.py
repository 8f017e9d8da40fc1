"""纳税申报."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.domain.enums import SourceKind, Unit
from hub.domain.facts.declare import about, fact


@fact(source=SourceKind.TAX, key=("tax_kind", "period_start", "period_end", "amendment"), occurred="period_end")
class TaxReturn:
    """纳税申报: one return for one period. The latest amendment counts."""

    tax_kind: str = about("VAT, CIT, IIT_BUSINESS, IIT_WITHHOLDING, SURCHARGE or OTHER.", upstream=("ZSXM_DM",))
    period_start: date = about("First day of the tax period.", upstream=("SKSSQQ",))
    period_end: date = about("Last day of the tax period.", upstream=("SKSSQZ",))
    amendment: int = about("0 for the original, then 1, 2 ...", upstream=("GZXH",))
    filed_on: date = about("Day of filing.", upstream=("SBRQ",))
    due_on: date | None = about("Due day.", upstream=("SBQX",))
    declared_revenue: Decimal | None = about("VAT: sum of sales lines 1, 5, 7 and 8 of the current-period columns.", unit=Unit.YUAN)
    exempt_revenue: Decimal | None = about("VAT: exempt part (line 8).", unit=Unit.YUAN, upstream=("MSXSE",))
    output_tax: Decimal | None = about("VAT output tax.", unit=Unit.YUAN, upstream=("XXSE",))
    input_tax: Decimal | None = about("VAT input tax.", unit=Unit.YUAN, upstream=("JXSE",))
    tax_payable: Decimal | None = about("Tax payable.", unit=Unit.YUAN, upstream=("YNSE", "YNSEHJ"))
    headcount: int | None = about("IIT_WITHHOLDING: persons declared.", unit=Unit.HEADS, upstream=("NSRS",))
    wage_total: Decimal | None = about("IIT_WITHHOLDING: wages declared.", unit=Unit.YUAN, upstream=("SRE",))
