"""What it pays in and owes: social insurance, housing fund, bureau."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from connectors.sandbox.sections.part import Count, Day, Flag, Money, MonthText, Part, PartnerCode, Ratio, text_of

Insurance = Literal["PENSION", "MEDICAL", "UNEMPLOYMENT", "WORK_INJURY", "MATERNITY"]
StatusCodes = Annotated[str, BeforeValidator(text_of(r"[N1-7CDZGBM*#]+", "a row of repayment statuses"))]


class EmployerMonths(Part):
    first: MonthText
    headcount: tuple[Count, ...]
    base: tuple[Money, ...]
    late: tuple[MonthText, ...] = ()
    unpaid: tuple[MonthText, ...] = ()


class Employer(Part):
    name: str
    uscc: PartnerCode


class BackPaid(Part):
    period: MonthText
    paid_on: Day


class InsuredStint(Part):
    """``employer`` is null for flexible enrolment."""

    person: str
    employer: Employer | None
    first: MonthText = Field(alias="from")
    last: MonthText = Field(alias="to")
    base: Money
    missed: tuple[MonthText, ...] = ()
    back_paid: tuple[BackPaid, ...] = ()


class SocialInsurance(Part):
    city: str
    rates: dict[Insurance, tuple[Ratio, Ratio]]
    employer: EmployerMonths | None = None
    persons: tuple[InsuredStint, ...] = ()


class FundStint(Part):
    person: str
    employer: Employer
    status: Literal["NORMAL", "SEALED"]
    first: MonthText = Field(alias="from")
    last: MonthText = Field(alias="to")
    base: Money
    employer_rate: Ratio
    employee_rate: Ratio
    opening_balance: Money | None = None
    missed: tuple[MonthText, ...] = ()
    back_paid: tuple[BackPaid, ...] = ()


class HousingFund(Part):
    city: str
    accounts: tuple[FundStint, ...]


class Statuses(Part):
    first: MonthText
    codes: StatusCodes


class BureauAccount(Part):
    id: str
    of: str
    lender: str
    kind: Literal["MORTGAGE", "OPERATING", "CONSUMER", "CARD", "GUARANTEED"]
    secured: Flag
    open: Flag = True
    repayment: Literal["AMORTISING", "BULLET", "REVOLVING"]
    opened_on: Day
    matures_on: Day | None = None
    limit: Money | None = None
    balance: Money
    monthly_due: Money
    bank_tax_loan: Flag = False
    statuses: Statuses


class Inquiry(Part):
    on: Day
    reason: Literal["LOAN_APPROVAL", "CARD_APPROVAL", "GUARANTEE_REVIEW", "POST_LOAN", "SELF"]
    org: str


class Bureau(Part):
    accounts: tuple[BureauAccount, ...]
    inquiries: tuple[Inquiry, ...]
