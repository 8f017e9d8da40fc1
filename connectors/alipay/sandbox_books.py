"""What the simulated platform knows of a persona: accounts under numbers of the platform, and their log in the vendor's words."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from connectors.sandbox.expand import Reach, at
from connectors.sandbox.expand_ledger import LedgerAccount, Movement, ledger_accounts
from connectors.sandbox.persona import Persona
from hub.domain.enums import SourceKind
from hub.domain.periods import CHINA, china_day, china_text, last_day, month_of

Row = dict[str, Any]

TYPES = {
    "ALIPAY": "ALIPAY_BALANCE",
    "BANK_CORP": "CORPORATE_BANK",
    "BANK_PERSONAL": "PERSONAL_BANK",
    "WECHAT": "WECHAT_BALANCE",
    "ACQUIRING": "ACQUIRING",
}


@dataclass(frozen=True)
class Books:
    """The accounts of one persona by bill_user_id. A persona without a ledger has one account without movements."""

    persona: Persona
    user_id: str
    accounts: dict[str, LedgerAccount]
    reach: Reach

    @staticmethod
    def of(persona: Persona) -> Books:
        reach = Reach(persona, SourceKind.PAYMENT)
        connected = ledger_accounts(persona) if reach.source else ()
        accounts = {bill_user_id(persona, one.account.id): one for one in connected}
        return Books(persona, next(iter(accounts), bill_user_id(persona, "")), accounts, reach)

    def listed(self) -> list[Row]:
        return [_account_row(number, one) for number, one in self.accounts.items()]

    def knows(self, number: str) -> bool:
        return number in self.accounts or number == self.user_id

    def ranges(self, start: datetime, end: datetime) -> list[tuple[date, date]]:
        """The covered days of the half-open range."""
        return self.reach.intervals(china_day(start), china_day(end - timedelta(microseconds=1)))

    def log(self, number: str, start: datetime, end: datetime) -> list[Movement]:
        """The movements of the covered days of the half-open range."""
        account = self.accounts.get(number)
        found: list[Movement] = []
        for first, last in self.ranges(start, end) if account else []:
            found += account.between(max(start, at(first, 0)), min(end, at(last + timedelta(days=1), 0))) if account else ()
        return found

    def is_first(self, number: str, movement: Movement) -> bool:
        """Whether this is the very first movement served of the persona's first account."""
        served = (one for one in self.accounts[number].movements if self.reach.covers(china_day(one.at)))
        return number == self.user_id and next(served, None) is movement

    def busy_month(self) -> tuple[datetime, datetime] | None:
        """The latest whole month served that has movements of the first account, as a half-open range."""
        account = self.accounts.get(self.user_id)
        for movement in reversed(account.movements if account else ()):
            month = month_of(china_day(movement.at))
            end = last_day(month)
            if self.reach.covers(china_day(movement.at)) and self.reach.covers(end):
                return at(end.replace(day=1), 0), datetime.combine(end + timedelta(days=1), time(), CHINA)
        return None


def bill_user_id(persona: Persona, account: str) -> str:
    """2088 and twelve digits, as the platform numbers its users."""
    digest = hashlib.sha256(f"{persona.id}|{account}".encode()).hexdigest()
    return f"2088{int(digest[:12], 16) % 10**12:012d}"


def log_row(account: LedgerAccount, movement: Movement) -> Row:
    """One entry of detail_list. Text that is empty is left out."""
    number = f"{account.account.id}{movement.number:06d}"
    row = {
        "account_log_id": number,
        "alipay_order_no": f"{movement.at:%Y%m%d}{movement.number:020d}",
        "trans_dt": china_text(movement.at),
        "trans_amount": f"{movement.amount:.2f}",
        "balance": f"{movement.balance:.2f}",
        "direction": "收入" if movement.direction == "IN" else "支出",
        "type": "转账",
        "bill_source": account.account.institution,
        "other_account": movement.counterparty,
        "trans_memo": movement.memo,
    }
    return {name: value for name, value in row.items() if value}


def _account_row(number: str, one: LedgerAccount) -> Row:
    account = one.account
    row = {
        "bill_user_id": number,
        "account_type": TYPES[account.type],
        "institution": account.institution,
        "holder_name": one.holder_name,
        "cert_no": one.holder_id,
        "account_role": "SETTLE" if account.role == "SETTLEMENT" else "COMMON",
        "opened_on": account.opened_on.isoformat() if account.opened_on else "",
        "opening_balance": f"{one.opening_balance:.2f}",
        "auth_scope": "ALL" if one.scope == "FULL" else "PART",
    }
    return {name: value for name, value in row.items() if value}
