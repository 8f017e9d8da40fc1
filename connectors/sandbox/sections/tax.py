"""What it declares: tax, financial statements, invoices."""

from __future__ import annotations

from datetime import date
from typing import Literal

from connectors.sandbox.sections.part import Money, MonthText, Part, Series


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
