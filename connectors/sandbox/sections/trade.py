"""What it trades: shop, ledger, procurement, farm."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from connectors.sandbox.sections.part import (
    Count,
    Day,
    DayOfMonth,
    Degrees,
    Flag,
    Money,
    MonthText,
    Ordinal,
    Part,
    PartnerCode,
    Ratio,
    Series,
)
from connectors.sandbox.sections.who import Place

Category = Literal[
    "SALES_RECEIPT", "PLATFORM_PAYOUT", "OWN_TRANSFER", "LOAN_DISBURSEMENT", "CAPITAL_INJECTION", "REFUND_IN", "TAX_REFUND", "SUBSIDY",
    "PURCHASE", "WAGE", "RENT", "UTILITY", "LOGISTICS", "PLATFORM_FEE", "AD", "TAX", "SOCIAL", "LOAN_REPAYMENT", "OWNER_DRAW", "INVESTMENT",
    "CASH", "UNKNOWN",
]  # fmt: skip


class ShopMonth(Part):
    month: MonthText
    for_months: Ordinal = 1
    orders: Count
    unit_price: Money
    refunds: Count = 0
    late_refunds: Count = 0
    refused_refunds: Count = 0
    unpaid: Count = 0


class Buyers(Part):
    distinct: Ordinal
    repeat: Ordinal


class ShopScores(Part):
    description: Ratio
    service: Ratio
    logistics: Ratio


class Skus(Part):
    listed: Count
    sold: Count


class Penalty(Part):
    kind: Literal["FAKE_TRADE", "IP", "QUALITY", "OTHER"]
    severity: str | None = None
    decided_on: Day
    points: Count | None = None


class ShopSection(Part):
    name: str
    owner: str
    opened_on: Day
    category: str | None = None
    scope: Literal["FULL", "PARTIAL"] = "FULL"
    months: tuple[ShopMonth, ...]
    fee_rate: Ratio
    buyers: Buyers | None = None
    top_address_orders: Count = 0
    receiver_cities: Annotated[tuple[str, ...], Field(min_length=1)]
    ship_from: Place
    score: ShopScores
    skus: Skus | None = None
    penalties: tuple[Penalty, ...] = ()


class Account(Part):
    id: str
    type: Literal["BANK_CORP", "BANK_PERSONAL", "ALIPAY", "WECHAT", "ACQUIRING"]
    institution: str
    holder: str
    role: Literal["SETTLEMENT", "GENERAL"]
    opened_on: Day | None = None
    opening_balance: Money


class Flow(Series):
    account: str
    category: Category
    direction: Literal["IN", "OUT"]
    per_month: Ordinal = 1
    days: tuple[DayOfMonth, ...] | None = None


class Ledger(Part):
    scope: Literal["FULL", "PARTIAL"] = "FULL"
    accounts: tuple[Account, ...]
    flows: tuple[Flow, ...]


class Buyer(Part):
    name: str
    uscc: PartnerCode
    government: Flag


class PurchaseOrderRow(Part):
    id: str
    buyer: str
    amount: Money
    confirmed: Money
    signed_on: Day
    deliver_by: Day
    delivered_on: Day | None = None
    paid_on: Day | None = None
    status: Literal["OPEN", "DELIVERED", "CANCELLED"]
    invoiced: Money


class Procurement(Part):
    account_locked: Flag
    buyers: dict[str, Buyer]
    orders: tuple[PurchaseOrderRow, ...]


class PlotRow(Part):
    id: str
    crop: str
    season: str
    claimed_mu: Ratio
    satellite_mu: Ratio
    register_mu: Ratio | None = None
    insured_mu: Ratio | None = None
    claimed_yield: Ratio
    lat: Degrees
    lon: Degrees


class Farm(Part):
    register_holder: str
    policy_holder: str
    verified_seasons: Count
    insured: Flag
    purchase_contract: Flag
    credit_village: Flag
    harvest_on: Day
    plots: Annotated[tuple[PlotRow, ...], Field(min_length=1)]
