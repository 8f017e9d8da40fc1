"""单位社保月度."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.domain.enums import SourceKind, Unit
from hub.domain.facts.declare import about, fact
from hub.domain.periods import Month


@fact(source=SourceKind.SOCIAL_INSURANCE, key=("employer", "month", "insurance"), occurred="month")
class EmployerSocialInsuranceMonth:
    """单位社保: what a business owed and paid as an employer for one insurance and month. All zeros: known to have no employees."""

    employer: str = about("USCC of the employer.", upstream=("aab998",), party=True)
    month: Month = about("Month.", upstream=("aae003",))
    insurance: str = about("PENSION, MEDICAL, UNEMPLOYMENT, WORK_INJURY or MATERNITY.", upstream=("aae140",))
    headcount: int = about("Insured persons.", unit=Unit.HEADS, upstream=("cbrs",))
    base_sum: Decimal = about("Sum of the contribution bases.", unit=Unit.YUAN, upstream=("jfjs",))
    due: Decimal = about("Employer part due.", unit=Unit.YUAN, upstream=("yjje",))
    due_on: date | None = about("Due day.", upstream=("jkqx",))
    paid: Decimal = about("Employer part paid.", unit=Unit.YUAN, upstream=("sjje",))
    paid_on: date | None = about("Day of receipt; null while unpaid.", upstream=("dzrq",))
    arrears: Decimal = about("Arrears.", unit=Unit.YUAN, upstream=("aae120",))
