"""住房公积金明细."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.domain.enums import Sensitivity, SourceKind, Unit
from hub.domain.facts.declare import about, fact
from hub.domain.identifiers import PersonalId
from hub.domain.periods import Month


@fact(source=SourceKind.HOUSING_FUND, key=("account_number", "serial"), occurred="booked_on")
class HousingFundEntry:
    """住房公积金明细: one booking of a housing-fund account."""

    account_number: PersonalId = about("个人账号.", upstream=("grzh",))
    serial: str = about("Serial number of the booking.", upstream=("lsh",))
    period: Month | None = about("Month the deposit is for (汇缴年月).", upstream=("hjyf",))
    kind: str = about("DEPOSIT, BACK_PAYMENT, WITHDRAWAL, INTEREST, TRANSFER_IN, TRANSFER_OUT or LOAN_OFFSET.", upstream=("ywlx_dm",))
    employer_amount: Decimal = about("Employer part.", unit=Unit.YUAN, upstream=("dwfse",))
    employee_amount: Decimal = about("Employee part.", unit=Unit.YUAN, upstream=("grfse",))
    total: Decimal = about("Total; negative when money leaves.", unit=Unit.YUAN, upstream=("fse",))
    balance_after: Decimal = about("Balance after the booking.", unit=Unit.YUAN, upstream=("zhye",), sensitivity=Sensitivity.C2)
    booked_on: date = about("Day of booking.", upstream=("jzrq",))
    employer: str | None = about("USCC of the employer that paid, where the centre says so.", party=True)
    employer_rate: Decimal | None = about("Employer rate of this deposit, fraction.", unit=Unit.RATIO)
    employee_rate: Decimal | None = about("Employee rate of this deposit, fraction.", unit=Unit.RATIO)
