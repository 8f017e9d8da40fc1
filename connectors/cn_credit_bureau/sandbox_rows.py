"""A persona's credit file as the rows of a report, in the bureau's codes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from connectors.cn_credit_bureau.normalise import KINDS, REASONS, REPAYMENTS
from connectors.sandbox.expand_bureau import CreditFile, ReportedAccount, ReportedMonth
from connectors.sandbox.sections import Inquiry

Row = dict[str, Any]
SECTIONS = ("accounts", "repayments", "inquiries")

_KIND = {value: code for code, value in KINDS.items()}
_REPAYMENT = {value: code for code, value in REPAYMENTS.items()}
_REASON = {value: code for code, value in REASONS.items()}


def rows(file: CreditFile, section: str, first: str, last: str, *, in_fen: bool) -> list[Row]:
    """The rows of a section; months and inquiries only within the range of days that was asked for."""
    if section == "accounts":
        return [account_row(one, fen_text if in_fen else yuan_text) for one in file.accounts]
    if section == "repayments":
        return [month_row(one) for one in file.months if first <= f"{one.month}-01" and one.month <= last[:7]]
    return [inquiry_row(one) for one in file.inquiries if first <= one.on.isoformat() <= last]


def account_row(one: ReportedAccount, text: Callable[[Decimal], str]) -> Row:
    account = one.account
    return {
        "account_no": account.id,
        "borrower_id": one.borrower_id,
        "lender": account.lender,
        "kind_code": _KIND[account.kind],
        "repayment_code": _REPAYMENT[account.repayment],
        "secured": "Y" if account.secured else "N",
        "state_code": "1" if account.open else "2",
        "bank_tax": "Y" if account.bank_tax_loan else "N",
        "opened_on": account.opened_on.isoformat(),
        "matures_on": account.matures_on.isoformat() if account.matures_on else None,
        "credit_limit": None if account.limit is None else text(account.limit),
        "balance": text(account.balance),
        "monthly_due": text(account.monthly_due),
    }


def month_row(one: ReportedMonth) -> Row:
    return {"account_no": one.account, "month": one.month, "status": one.status}


def inquiry_row(one: Inquiry) -> Row:
    return {"inquired_on": one.on.isoformat(), "reason_code": _REASON[one.reason], "organisation": one.org}


def yuan_text(amount: Decimal) -> str:
    return f"{amount:.2f}"


def fen_text(amount: Decimal) -> str:
    return str(int(amount * 100))
