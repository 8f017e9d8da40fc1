"""The simulated platform's asynchronous notifications: what changed after the fact is booked, and told to the application's notify address."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlencode

from connectors.alipay.notify import RECEIVED
from connectors.alipay.sandbox_books import Books
from connectors.alipay.sign import signature_of
from connectors.sandbox.expand_ledger import Movement
from connectors.sandbox.push import Letter, Push
from hub.connect.signatures import form_text
from hub.domain.periods import china_text

REPEATS = (240.0, 600.0, 600.0, 3600.0, 7200.0, 21600.0, 54000.0)


def booked(books: Books, at: datetime, amount: Decimal, memo: str) -> Movement:
    """One more receipt on the first account, as if it had been there. The balances of later movements are not written again."""
    account = books.accounts[books.user_id]
    before = [one for one in account.movements if one.at <= at]
    balance = (before[-1].balance if before else account.opening_balance) + amount
    made = Movement(len(account.movements) + 1, at, "IN", amount, balance, "SALES_RECEIPT", "客户", memo)
    after = account.movements[len(before) :]
    books.accounts[books.user_id] = replace(account, movements=(*before, made, *after))
    return made


def notification(platform: str, application: str, key: str, seller: str, made: Movement) -> Push:
    """``trade_status_sync`` of one payment. Its id is the same in every attempt, its time is not."""
    told = {
        "notify_id": secrets.token_hex(17),
        "notify_type": "trade_status_sync",
        "app_id": application,
        "charset": "utf-8",
        "version": "1.0",
        "trade_no": f"{made.at:%Y%m%d}{made.number:020d}",
        "out_trade_no": f"o-{made.number}",
        "seller_id": seller,
        "trade_status": "TRADE_SUCCESS",
        "total_amount": f"{made.amount:.2f}",
        "gmt_create": china_text(made.at),
        "gmt_payment": china_text(made.at),
    }

    def sign() -> Letter:
        return letter({**told, "notify_time": china_text(datetime.now(UTC))}, key)

    return Push(platform, sign, lambda status, body: status == 200 and body == RECEIVED, REPEATS)


def letter(fields: Mapping[str, str], key: str) -> Letter:
    form = {**fields, "sign_type": "RSA2", "sign": signature_of(form_text(fields), key)}
    return Letter({"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, urlencode(form).encode())
