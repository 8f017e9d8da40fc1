"""What it declares: tax, financial statements, invoices."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from connectors.sandbox.sections.part import (
    Count,
    Day,
    DayOfMonth,
    FilingDay,
    Flag,
    Money,
    MonthText,
    Ordinal,
    Part,
    PartnerCode,
    PeriodText,
    Ratio,
    Series,
)

BALANCE = (
    "total_assets", "total_liabilities", "equity", "fixed_assets", "cash", "acceptance_deposits", "receivables", "inventory",
    "prepayments", "payables", "advances_received",
)  # fmt: skip
RESULT, MOVEMENTS = ("revenue", "cost", "net_profit"), ("owner_withdrawals", "injections", "appreciation", "depreciation", "research_cost")
"""``research_cost`` is this project's own addition to the format: no line of persona/1 says what scenario S11 asks for."""


class VatReturns(Part):
    first: PeriodText
    declared: tuple[Money, ...]
    exempt: tuple[Money, ...] | None = None
    filed_day: FilingDay


class Amendment(Part):
    period: PeriodText
    declared: Money
    filed_on: Day


class TaxPaymentSeries(Series):
    kind: Literal["VAT", "CIT", "IIT_BUSINESS", "SURCHARGE", "OTHER"]
    day: DayOfMonth


class Rating(Part):
    year: Count
    grade: Literal["A", "B", "M", "C", "D"]
    published_on: Day


class Withholding(Part):
    first: MonthText
    headcount: tuple[Count, ...]
    wages: tuple[Money, ...]


class IncomeSeries(Series):
    person: str
    payer: PartnerCode | None = None


class Arrears(Part):
    amount: Money
    since: Day
    open: Flag
    cleared_on: Day | None = None


class Tax(Part):
    holder: str
    taxpayer_type: Literal["SMALL_SCALE", "GENERAL"] | None = None
    frequency: Literal["MONTH", "QUARTER"] | None = None
    vat_returns: tuple[VatReturns, ...] = ()
    amendments: tuple[Amendment, ...] = ()
    missed: tuple[PeriodText, ...] = ()
    payments: tuple[TaxPaymentSeries, ...] = ()
    ratings: tuple[Rating, ...] = ()
    withholding: Withholding | None = None
    personal_income: tuple[IncomeSeries, ...] = ()
    arrears: tuple[Arrears, ...] = ()


def _balance(lines: dict[str, Decimal]) -> dict[str, Decimal]:
    return _lines(lines, BALANCE, ())


def _result(lines: dict[str, Decimal]) -> dict[str, Decimal]:
    return _lines(lines, RESULT, MOVEMENTS)


def _lines(lines: dict[str, Decimal], needed: tuple[str, ...], allowed: tuple[str, ...]) -> dict[str, Decimal]:
    missing = [name for name in needed if name not in lines]
    unknown = [name for name in lines if name not in (*needed, *allowed)]
    if missing or unknown:
        raise ValueError(f"the line {missing[0]} is missing" if missing else f"the format knows no line {unknown[0]}")
    return lines


class BalanceSheet(Part):
    on: Day
    lines: Annotated[dict[str, Money], AfterValidator(_balance)]


class ProfitAndLoss(Part):
    year: Annotated[Count, Field(ge=1, le=9999)]
    lines: Annotated[dict[str, Money], AfterValidator(_result)]


class Financials(Part):
    balance_sheets: tuple[BalanceSheet, ...]
    profit_and_loss: tuple[ProfitAndLoss, ...]


class TradeParty(Part):
    name: str
    uscc: PartnerCode


class PartyShare(Part):
    party: str
    share: Ratio
    invoices: Ordinal = 1
    days: tuple[DayOfMonth, ...] | None = None


class InvoiceStream(Part):
    first: MonthText
    net: tuple[Money, ...]
    tax_rate: Ratio
    split: Annotated[tuple[PartyShare, ...], Field(min_length=1)]


class RedInvoice(Part):
    on: Day
    party: str
    net: Money
    tax_rate: Ratio
    reason: Literal["01", "02", "03", "04"]
    original_month: MonthText


class VoidInvoice(Part):
    on: Day
    party: str
    net: Money
    tax_rate: Ratio


class Invoices(Part):
    parties: dict[str, TradeParty]
    output: tuple[InvoiceStream, ...]
    input: tuple[InvoiceStream, ...]
    red: tuple[RedInvoice, ...] = ()
    void: tuple[VoidInvoice, ...] = ()


class Related(Part):
    party: str
    type: str
    share: Ratio | None = None


class Relations(Part):
    related: tuple[Related, ...]
