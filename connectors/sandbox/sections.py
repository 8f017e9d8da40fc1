"""The sections of a persona, one model per block of the format. :mod:`connectors.sandbox.persona` puts them together."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from hub.domain.identifiers import is_resident_id, is_uscc
from hub.domain.money import yuan
from hub.domain.periods import Month


def _decimal(value: object) -> Decimal:
    return yuan(value if isinstance(value, str) else "")


def _month(value: object) -> str:
    datetime.strptime(str(value), "%Y-%m")
    return str(value)


def _uscc(value: object) -> str:
    if not is_uscc(str(value)):
        raise ValueError("not a valid unified social credit code (check character)")
    return str(value)


def _resident(value: object) -> str:
    if not is_resident_id(str(value)):
        raise ValueError("not a valid resident ID (check character)")
    return str(value)


Money = Annotated[Decimal, BeforeValidator(_decimal)]
MonthText = Annotated[Month, BeforeValidator(_month)]
Uscc = Annotated[str, BeforeValidator(_uscc)]
ResidentId = Annotated[str, BeforeValidator(_resident)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Place(Part):
    city: str
    lat: float
    lon: float
    verified_on: date | None = None


class Education(Part):
    level: str
    verified: bool
    graduated_on: date | None = None


class Person(Part):
    name: str
    resident_id: ResidentId
    residence_city: str
    hukou_city: str
    hukou_since: date
    home: Place | None = None
    education: Education | None = None


class Business(Part):
    uscc: Uscc
    name: str
    industry: str
    status: str
    established_on: date
    registered_capital: Money | None = None
    responsible: str
    responsible_since: date | None = None
    registered_to: str
    registered_at: Place
    operates_at: Place | None = None
    qualifications: tuple[str, ...] = ()


class Source(Part):
    first: MonthText = Field(alias="from")
    until: date | None = None
    gaps: tuple[MonthText, ...] = ()
    orders_from: MonthText | None = None
    consent: Literal["ACTIVE", "NEVER", "REVOKED", "EXPIRED"] = "ACTIVE"
    consent_changed_on: date | None = None


class Series(Part):
    """Rule E4: explicit amounts per ``step`` months, or a total to be split over ``months``."""

    first: MonthText
    step: int = 1
    amounts: tuple[Money, ...] | None = None
    total: Money | None = None
    months: int | None = None


class VatReturns(Part):
    first: str
    declared: tuple[Money, ...]
    exempt: tuple[Money, ...] | None = None
    filed_day: int


class Amendment(Part):
    period: str
    declared: Money
    filed_on: date


class TaxPaymentSeries(Series):
    kind: str
    day: int


class Rating(Part):
    year: int
    grade: str
    published_on: date


class Withholding(Part):
    first: MonthText
    headcount: tuple[int, ...]
    wages: tuple[Money, ...]


class IncomeSeries(Series):
    person: str
    payer: str | None = None


class Arrears(Part):
    amount: Money
    since: date
    open: bool
    cleared_on: date | None = None


class Tax(Part):
    holder: str
    taxpayer_type: Literal["SMALL_SCALE", "GENERAL"] | None = None
    frequency: Literal["MONTH", "QUARTER"] | None = None
    vat_returns: tuple[VatReturns, ...] = ()
    amendments: tuple[Amendment, ...] = ()
    missed: tuple[str, ...] = ()
    payments: tuple[TaxPaymentSeries, ...] = ()
    ratings: tuple[Rating, ...] = ()
    withholding: Withholding | None = None
    personal_income: tuple[IncomeSeries, ...] = ()
    arrears: tuple[Arrears, ...] = ()


class BalanceSheet(Part):
    on: date
    lines: dict[str, Money]


class ProfitAndLoss(Part):
    year: int
    lines: dict[str, Money]


class Financials(Part):
    balance_sheets: tuple[BalanceSheet, ...]
    profit_and_loss: tuple[ProfitAndLoss, ...]


class TradeParty(Part):
    name: str
    uscc: str


class PartyShare(Part):
    party: str
    share: Money
    invoices: int = 1
    days: tuple[int, ...] | None = None


class InvoiceStream(Part):
    first: MonthText
    net: tuple[Money, ...]
    tax_rate: Money
    split: tuple[PartyShare, ...]


class RedInvoice(Part):
    on: date
    party: str
    net: Money
    tax_rate: Money
    reason: str
    original_month: MonthText


class VoidInvoice(Part):
    on: date
    party: str
    net: Money
    tax_rate: Money


class Invoices(Part):
    parties: dict[str, TradeParty]
    output: tuple[InvoiceStream, ...]
    input: tuple[InvoiceStream, ...]
    red: tuple[RedInvoice, ...] = ()
    void: tuple[VoidInvoice, ...] = ()


class Related(Part):
    party: str
    type: str
    share: Money | None = None


class Relations(Part):
    related: tuple[Related, ...]


class ShopMonth(Part):
    month: MonthText
    for_months: int = 1
    orders: int
    unit_price: Money
    refunds: int = 0
    late_refunds: int = 0
    refused_refunds: int = 0
    unpaid: int = 0


class Buyers(Part):
    distinct: int
    repeat: int


class ShopScores(Part):
    description: Money
    service: Money
    logistics: Money


class Skus(Part):
    listed: int
    sold: int


class Penalty(Part):
    kind: str
    severity: str | None = None
    decided_on: date
    points: int | None = None


class ShopSection(Part):
    name: str
    owner: str
    opened_on: date
    category: str | None = None
    scope: Literal["FULL", "PARTIAL"] = "FULL"
    months: tuple[ShopMonth, ...]
    fee_rate: Money
    buyers: Buyers | None = None
    top_address_orders: int = 0
    receiver_cities: tuple[str, ...]
    ship_from: Place
    score: ShopScores
    skus: Skus | None = None
    penalties: tuple[Penalty, ...] = ()


class Account(Part):
    id: str
    type: str
    institution: str
    holder: str
    role: str
    opened_on: date | None = None
    opening_balance: Money


class Flow(Series):
    account: str
    category: str
    direction: Literal["IN", "OUT"]
    per_month: int = 1
    days: tuple[int, ...] | None = None


class Ledger(Part):
    scope: Literal["FULL", "PARTIAL"] = "FULL"
    accounts: tuple[Account, ...]
    flows: tuple[Flow, ...]


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


class IdentityCheck(Part):
    person: str
    method: str
    result: str
    on: date


class Identity(Part):
    checks: tuple[IdentityCheck, ...]
    place: Place | None = None


class SessionCount(Part):
    city: str
    count: int


class Device(Part):
    sessions: tuple[SessionCount, ...]
    devices: int


class PublicRecordRow(Part):
    kind: str
    role: str
    status: str
    filed_on: date
    closed_on: date | None = None
    amount: Money | None = None


class Buyer(Part):
    name: str
    uscc: str
    government: bool


class PurchaseOrderRow(Part):
    id: str
    buyer: str
    amount: Money
    confirmed: Money
    signed_on: date
    deliver_by: date
    delivered_on: date | None = None
    paid_on: date | None = None
    status: str
    invoiced: Money


class Procurement(Part):
    account_locked: bool
    buyers: dict[str, Buyer]
    orders: tuple[PurchaseOrderRow, ...]


class PlotRow(Part):
    id: str
    crop: str
    season: str
    claimed_mu: Money
    satellite_mu: Money
    register_mu: Money | None = None
    insured_mu: Money | None = None
    claimed_yield: Money
    lat: float
    lon: float


class Farm(Part):
    register_holder: str
    policy_holder: str
    verified_seasons: int
    insured: bool
    purchase_contract: bool
    credit_village: bool
    harvest_on: date
    plots: tuple[PlotRow, ...]


class RequestSection(Part):
    purpose: Literal["OPERATING", "CONSUMPTION"]
    amount: Money | None = None
