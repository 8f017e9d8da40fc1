"""住房公积金账户."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.domain.enums import Sensitivity, SourceKind, Unit
from hub.domain.facts.declare import about, fact
from hub.domain.identifiers import PersonalId
from hub.domain.periods import Month


@fact(source=SourceKind.HOUSING_FUND, key=("account_number",), occurred=None)
class HousingFundAccount:
    """住房公积金账户."""

    account_number: PersonalId = about("个人账号.", upstream=("grzh",))
    person: PersonalId = about("Resident ID of the holder.", upstream=("zjhm",))
    employer: str | None = about("USCC of the employer.", upstream=("tyshxydm",), party=True)
    city: str | None = about("City of the centre.")
    base: Decimal = about("缴存基数.", unit=Unit.YUAN, upstream=("grjcjs",), sensitivity=Sensitivity.C2)
    employer_rate: Decimal = about("单位缴存比例, fraction.", unit=Unit.RATIO, upstream=("dwjcbl",))
    employee_rate: Decimal = about("个人缴存比例, fraction.", unit=Unit.RATIO, upstream=("grjcbl",))
    employer_monthly: Decimal = about("单位月缴存额.", unit=Unit.YUAN, upstream=("dwyjce",))
    employee_monthly: Decimal = about("个人月缴存额.", unit=Unit.YUAN, upstream=("gryjce",))
    balance: Decimal = about("余额.", unit=Unit.YUAN, upstream=("grzhye",), sensitivity=Sensitivity.C2)
    status: str = about("NORMAL, SEALED (封存), CLOSED, MOVED or OTHER.", upstream=("grzhzt",))
    opened_on: date | None = about("Day of opening.", upstream=("khrq",))
    paid_through: Month | None = about("缴至年月.", upstream=("jzny",))
