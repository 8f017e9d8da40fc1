"""What it trades: shop, ledger, procurement, farm."""

from __future__ import annotations

from datetime import date
from typing import Literal

from connectors.sandbox.sections.part import Money, MonthText, Part, Series
from connectors.sandbox.sections.who import Place


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
