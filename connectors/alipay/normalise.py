"""Vendor records to facts. An unknown word or an unreadable field puts one record aside, never the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from connectors.alipay.classify import category_of, invoice_number
from hub.connect import Record, Unreadable
from hub.domain.enums import Direction
from hub.domain.facts import PaymentAccount, PaymentTransaction
from hub.domain.identifiers import PersonalId
from hub.domain.money import yuan
from hub.domain.periods import china_time

DIRECTIONS: Mapping[str, Direction] = {"收入": Direction.IN, "支出": Direction.OUT}
ACCOUNT_TYPES: Mapping[str, str] = {
    "ALIPAY_BALANCE": "ALIPAY",
    "CORPORATE_BANK": "BANK_CORP",
    "PERSONAL_BANK": "BANK_PERSONAL",
    "WECHAT_BALANCE": "WECHAT",
    "ACQUIRING": "ACQUIRING",
}
ROLES: Mapping[str, str] = {"SETTLE": "SETTLEMENT", "COMMON": "GENERAL"}
SCOPES: Mapping[str, str] = {"ALL": "FULL", "PART": "PARTIAL"}

_AMOUNT = re.compile(r"\d+(\.\d{1,2})?")
_BALANCE = re.compile(r"-?\d+(\.\d{1,2})?")


def account(record: Record) -> PaymentAccount:
    """One row of the extension method."""
    certificate = _optional(record, "cert_no")
    opened = _optional(record, "opened_on")
    return PaymentAccount(
        account_number=PersonalId(_text(record, "bill_user_id")),
        type=_word(record, "account_type", ACCOUNT_TYPES),
        institution=_text(record, "institution"),
        holder=PersonalId(certificate) if certificate else None,
        role=_word(record, "account_role", ROLES),
        scope=_word(record, "auth_scope", SCOPES),
        opened_on=_day(opened) if opened else None,
        opening_balance=_money(record, "opening_balance", _BALANCE) if _optional(record, "opening_balance") else None,
    )


def transaction(record: Record) -> PaymentTransaction:
    """One row of the account log."""
    direction = DIRECTIONS.get(_text(record, "direction"))
    if direction is None:
        raise Unreadable("direction", "is neither in nor out")
    counterparty, memo = _optional(record, "other_account"), _optional(record, "trans_memo")
    return PaymentTransaction(
        account_number=PersonalId(_text(record, "bill_user_id")),
        transaction_number=_text(record, "account_log_id"),
        at=_instant(record, "trans_dt"),
        direction=direction,
        amount=_money(record, "trans_amount", _AMOUNT),
        balance_after=_money(record, "balance", _BALANCE) if _optional(record, "balance") else None,
        category=category_of(direction, counterparty, memo, _optional(record, "holder_name")),
        counterparty=PersonalId(counterparty) if counterparty else None,
        counterparty_key=invoice_number(memo),
    )


def _text(record: Record, name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str) or not value:
        raise Unreadable(name, "is missing")
    return value


def _optional(record: Record, name: str) -> str:
    value = record.get(name)
    if value is not None and not isinstance(value, str):
        raise Unreadable(name, "is not text")
    return (value or "").strip()


def _money(record: Record, name: str, pattern: re.Pattern[str]) -> Decimal:
    text = _text(record, name)
    if not pattern.fullmatch(text):
        raise Unreadable(name, "is not an amount in yuan")
    return yuan(text)


def _word(record: Record, name: str, table: Mapping[str, str]) -> str:
    meaning = table.get(_text(record, name))
    if meaning is None:
        raise Unreadable(name, "is a word that stands in no table")
    return meaning


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Unreadable("opened_on", "is not a date") from None


def _instant(record: Record, name: str) -> datetime:
    try:
        return china_time(_text(record, name))
    except ValueError:
        raise Unreadable(name, "is not a time") from None
