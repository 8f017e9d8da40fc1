"""The ledger of a persona as single movements of its accounts (rules E1, E2, E3, E4, E10).

A movement's number and balance count every movement of its account in order; at the same time the flow that stands first in the file
comes first. Which of them a platform shows is decided by the source's reach.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import accumulate, pairwise

from connectors.sandbox.expand import Reach, at, monthly, on_day, split, spread
from connectors.sandbox.persona import Persona
from connectors.sandbox.sections import Account, Flow
from hub.domain.enums import SourceKind
from hub.domain.money import ZERO
from hub.domain.periods import Month, china_day

IN_HOUR, OUT_HOUR = 10, 15

WORDING: dict[str, tuple[str, str]] = {
    "SALES_RECEIPT": ("客户", "货款"),
    "PLATFORM_PAYOUT": ("平台结算户", "平台货款结算"),
    "OWN_TRANSFER": ("", "本人账户互转"),
    "LOAN_DISBURSEMENT": ("放款银行", "贷款发放"),
    "CAPITAL_INJECTION": ("股东", "增资款"),
    "REFUND_IN": ("供应商", "采购退款"),
    "TAX_REFUND": ("国家金库", "退税"),
    "SUBSIDY": ("财政局", "补贴"),
    "PURCHASE": ("供应商", "采购货款"),
    "OWNER_DRAW": ("业主或股东", "业主提取"),
    "CASH": ("", "现金存取"),
    "WAGE": ("代发工资户", "工资"),
    "RENT": ("出租方", "房租"),
    "UTILITY": ("供电供水公司", "水电费"),
    "LOGISTICS": ("快递物流公司", "运费"),
    "PLATFORM_FEE": ("电商平台", "平台服务费"),
    "AD": ("推广服务商", "广告推广费"),
    "TAX": ("国家金库", "税款"),
    "SOCIAL": ("社会保险基金", "社会保险费"),
    "LOAN_REPAYMENT": ("放款银行", "贷款还款"),
    "INVESTMENT": ("理财或设备供应商", "投资款"),
    "UNKNOWN": ("其他", ""),
}
"""Counterparty and memo by category (E10). The counterparty of an own transfer is the account holder; cash has none."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One posted movement. ``number`` counts from 1 within its account; ``category`` is never sent."""

    number: int
    at: datetime
    direction: str
    amount: Decimal
    balance: Decimal
    category: str
    counterparty: str
    memo: str


@dataclass(frozen=True, slots=True)
class LedgerAccount:
    """An account with all its movements that exist, oldest first.

    ``opening_balance`` is the balance at the beginning of what the source serves.
    """

    account: Account
    holder_id: str
    holder_name: str
    scope: str
    opening_balance: Decimal
    movements: tuple[Movement, ...]

    def between(self, start: datetime, before: datetime) -> tuple[Movement, ...]:
        """The movements at or after ``start`` and before ``before``."""
        first, end = (bisect_left(self.movements, moment, key=lambda movement: movement.at) for moment in (start, before))
        return self.movements[first:end]


def ledger_accounts(persona: Persona) -> tuple[LedgerAccount, ...]:
    """Every account of the persona's ledger; none when it has no ledger."""
    return tuple(_account(persona, account) for account in (persona.ledger.accounts if persona.ledger else ()))


def _account(persona: Persona, account: Account) -> LedgerAccount:
    holder_id, holder_name = persona.holder(account.holder)
    movements = tuple(_movements(persona, account, holder_name))
    reach = Reach(persona, SourceKind.PAYMENT)
    earlier = [movement.balance for movement in movements if china_day(movement.at) < reach.first]
    scope = persona.ledger.scope if persona.ledger else "FULL"
    opening = earlier[-1] if earlier and reach.source else account.opening_balance
    return LedgerAccount(account, holder_id, holder_name, scope, opening, movements)


def _movements(persona: Persona, account: Account, holder_name: str) -> Iterator[Movement]:
    flows = [flow for flow in (persona.ledger.flows if persona.ledger else ()) if flow.account == account.id]
    reach = Reach(persona, SourceKind.PAYMENT)
    parts = [(moment, flow, amount) for flow in flows for moment, amount in _parts(flow) if reach.exists(moment)]
    parts.sort(key=lambda part: part[0])
    signed = (amount if flow.direction == "IN" else -amount for _, flow, amount in parts)
    balances = accumulate(signed, initial=account.opening_balance)
    for number, ((moment, flow, amount), (_, balance)) in enumerate(zip(parts, pairwise(balances), strict=True), 1):
        counterparty, memo = WORDING[flow.category]
        counterparty = holder_name if flow.category == "OWN_TRANSFER" else counterparty
        yield Movement(number, moment, flow.direction, amount, balance, flow.category, counterparty, memo)


def _parts(flow: Flow) -> Iterator[tuple[datetime, Decimal]]:
    hour = IN_HOUR if flow.direction == "IN" else OUT_HOUR
    for month, amount in monthly(flow):
        days = _days(flow, month)
        for day, part in zip(days, split(amount, len(days)), strict=True):
            if part != ZERO:
                yield at(day, hour), part


def _days(flow: Flow, month: Month) -> list[date]:
    if flow.days:
        return [on_day(month, day) for day in flow.days]
    return [spread(month, index, flow.per_month) for index in range(flow.per_month)]
