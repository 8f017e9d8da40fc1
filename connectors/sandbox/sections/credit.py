"""What it pays in and owes: social insurance, housing fund, bureau."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from connectors.sandbox.sections.part import Money, MonthText, Part


class EmployerMonths(Part):
    first: MonthText
    headcount: tuple[int, ...]
    base: tuple[Money, ...]
    late: tuple[MonthText, ...] = ()
    unpaid: tuple[MonthText, ...] = ()


class Employer(Part):
    name: str
    uscc: str


class BackPaid(Part):
    period: MonthText
    paid_on: date


class InsuredStint(Part):
    person: str
    employer: Employer | None
    first: MonthText = Field(alias="from")
    last: MonthText = Field(alias="to")
    base: Money
    missed: tuple[MonthText, ...] = ()
    back_paid: tuple[BackPaid, ...] = ()


class SocialInsurance(Part):
    city: str
    rates: dict[str, tuple[Money, Money]]
    employer: EmployerMonths | None = None
    persons: tuple[InsuredStint, ...] = ()


class FundStint(Part):
    person: str
    employer: Employer
    status: Literal["NORMAL", "SEALED"]
    first: MonthText = Field(alias="from")
    last: MonthText = Field(alias="to")
    base: Money
    employer_rate: Money
    employee_rate: Money
    opening_balance: Money | None = None
    missed: tuple[MonthText, ...] = ()
    back_paid: tuple[BackPaid, ...] = ()


class HousingFund(Part):
    city: str
    accounts: tuple[FundStint, ...]


class Statuses(Part):
    first: MonthText
    codes: str


class BureauAccount(Part):
    id: str
    of: str
    lender: str
    kind: str
    secured: bool
    open: bool = True
    repayment: str
    opened_on: date
    matures_on: date | None = None
    limit: Money | None = None
    balance: Money
    monthly_due: Money
    bank_tax_loan: bool = False
    statuses: Statuses


class Inquiry(Part):
    on: date
    reason: str
    org: str


class Bureau(Part):
    accounts: tuple[BureauAccount, ...]
    inquiries: tuple[Inquiry, ...]
