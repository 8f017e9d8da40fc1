"""Rows of a report to facts. A code that stands in no table puts one record aside; it is never guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from hub.connect import Record, Unreadable
from hub.domain.facts import CreditAccount, CreditInquiry, RepaymentMonth
from hub.domain.identifiers import PersonalId
from hub.domain.money import fen, yuan
from hub.domain.periods import Month

KINDS: Mapping[str, str] = {"11": "MORTGAGE", "21": "OPERATING", "31": "CONSUMER", "41": "CARD", "51": "GUARANTEED"}
REPAYMENTS: Mapping[str, str] = {"1": "AMORTISING", "2": "BULLET", "3": "REVOLVING"}
STATES: Mapping[str, bool] = {"1": True, "2": False}
FLAGS: Mapping[str, bool] = {"Y": True, "N": False}
REASONS: Mapping[str, str] = {
    "01": "LOAN_APPROVAL",
    "02": "CARD_APPROVAL",
    "03": "GUARANTEE_REVIEW",
    "04": "POST_LOAN",
    "05": "SELF",
}
STATUSES = frozenset("N1234567CDZGBM*#")

T = TypeVar("T")

_AMOUNT = {"1": re.compile(r"\d+\.\d{2}"), "2": re.compile(r"\d+")}


def account(record: Record) -> CreditAccount:
    return CreditAccount(
        account_number=_text(record, "account_no"),
        borrower=PersonalId(_text(record, "borrower_id")),
        lender=_text(record, "lender"),
        kind=_code(record, "kind_code", KINDS),
        repayment=_code(record, "repayment_code", REPAYMENTS),
        secured=_code(record, "secured", FLAGS),
        open=_code(record, "state_code", STATES),
        bank_tax_loan=_code(record, "bank_tax", FLAGS),
        opened_on=_day(record, "opened_on"),
        matures_on=_day(record, "matures_on") if record.get("matures_on") else None,
        credit_limit=_money(record, "credit_limit") if record.get("credit_limit") else None,
        balance=_money(record, "balance"),
        monthly_due=_money(record, "monthly_due"),
    )


def repayment(record: Record) -> RepaymentMonth:
    status = _text(record, "status")
    if status not in STATUSES:
        raise Unreadable("status", "is a code that stands in no table")
    return RepaymentMonth(account_number=_text(record, "account_no"), month=_month(record, "month"), status=status)


def inquiry(record: Record) -> CreditInquiry:
    return CreditInquiry(
        inquired_on=_day(record, "inquired_on"),
        reason=_code(record, "reason_code", REASONS),
        organisation=_text(record, "organisation"),
    )


def _text(record: Record, name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str) or not value:
        raise Unreadable(name, "is missing")
    return value


def _code(record: Record, name: str, table: Mapping[str, T]) -> T:
    meaning = table.get(_text(record, name))
    if meaning is None:
        raise Unreadable(name, "is a code that stands in no table")
    return meaning


def _money(record: Record, name: str) -> Decimal:
    """Yuan with two decimals or whole fen, as the page's unit says: so one is never read as the other."""
    text, unit = _text(record, name), str(record.get("unit"))
    if unit not in _AMOUNT or not _AMOUNT[unit].fullmatch(text):
        raise Unreadable(name, "is not an amount in the unit of the page")
    return yuan(text) if unit == "1" else fen(text)


def _day(record: Record, name: str) -> date:
    try:
        return datetime.strptime(_text(record, name), "%Y-%m-%d").date()
    except ValueError:
        raise Unreadable(name, "is not a date") from None


def _month(record: Record, name: str) -> Month:
    text = _text(record, name)
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        raise Unreadable(name, "is not a month")
    return Month(text)
