"""个人社保缴费."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.domain.enums import Sensitivity, SourceKind, Unit
from hub.domain.facts.declare import about, fact
from hub.domain.identifiers import PersonalId
from hub.domain.periods import Month


@fact(source=SourceKind.SOCIAL_INSURANCE, key=("person", "employer", "insurance", "period", "kind"), occurred="period")
class SocialInsuranceContribution:
    """社保缴费: a person's contribution to one insurance for one month. Only months that were paid have a record with ``paid_on``."""

    person: PersonalId = about("Resident ID (or personal number) of the person.", upstream=("aac001",))
    employer: str = about("USCC of the employer; empty for flexible enrolment.", upstream=("aab998",), party=True)
    insurance: str = about("PENSION, MEDICAL, UNEMPLOYMENT, WORK_INJURY or MATERNITY.", upstream=("aae140",))
    period: Month = about("Month the contribution is for (费款所属期).", upstream=("aae003",))
    kind: str = about("NORMAL, BACK_PAYMENT or REFUND.", upstream=("aae143",))
    city: str | None = about("City of the centre.", upstream=("aab301",))
    base: Decimal = about("缴费基数.", unit=Unit.YUAN, upstream=("aae180",), sensitivity=Sensitivity.C2)
    declared_wage: Decimal | None = about("缴费工资.", unit=Unit.YUAN, upstream=("aac040",), sensitivity=Sensitivity.C2)
    employer_amount: Decimal = about("单位缴费.", unit=Unit.YUAN, upstream=("dwjfje",))
    employee_amount: Decimal = about("个人缴费.", unit=Unit.YUAN, upstream=("grjfje",))
    paid_on: date | None = about("Day of receipt (到账); null while owed.", upstream=("dzrq",))
