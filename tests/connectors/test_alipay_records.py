"""alipay's records: what cannot be read is put aside, and what a movement was for."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.alipay.classify import category_of, invoice_number
from connectors.alipay.normalise import transaction
from connectors.sandbox.expand_ledger import WORDING
from hub.connect import (
    Unreadable,
)
from hub.domain.enums import Direction


def _row(**changes: Any) -> dict[str, Any]:
    row = {
        "bill_user_id": "2088",
        "holder_name": "杭州南枝面馆",
        "account_log_id": "1",
        "trans_dt": "2025-12-31 23:59:59",
        "trans_amount": "12.30",
        "balance": "-1.00",
        "direction": "收入",
        "other_account": "客户",
        "trans_memo": "货款",
    }
    return {name: value for name, value in (row | changes).items() if value is not None}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("trans_amount", "n/a"),
        ("trans_amount", "-1.00"),
        ("trans_amount", "1.234"),
        ("trans_amount", Decimal("1.00")),
        ("balance", "1e3"),
        ("direction", "入账"),
        ("trans_dt", "2025-12-31T23:59:59"),
        ("account_log_id", None),
        ("trans_memo", 7),
    ],
)
def test_a_field_that_cannot_be_read_is_named_without_its_value(field: str, value: Any) -> None:
    with pytest.raises(Unreadable) as fault:
        transaction(_row(**{field: value}))
    assert fault.value.path == field
    assert str(value) not in fault.value.reason


def test_time_is_china_time() -> None:
    assert transaction(_row()).at == datetime(2025, 12, 31, 15, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("direction", "counterparty", "memo", "category"),
    [
        ("IN", "乔南枝", "货款", "OWN_TRANSFER"),
        ("IN", "某某客户", "12月货款", "SALES_RECEIPT"),
        ("OUT", "某某公司", "货款", "PURCHASE"),
        ("OUT", "客户", "货款", "SALES_RECEIPT"),
        ("IN", "平台", "平台货款 2025-12", "PLATFORM_PAYOUT"),
        ("OUT", "某银行", "归还贷款还款第3期", "LOAN_REPAYMENT"),
        ("IN", "国家金库", "", "TAX_REFUND"),
        ("OUT", "国家金库", "", "TAX"),
        ("OUT", "理财或设备供应商", "", "INVESTMENT"),
        ("IN", "放款银行", "", "LOAN_DISBURSEMENT"),
        ("IN", "", "", "UNKNOWN"),
        ("IN", "其他", "红包", "UNKNOWN"),
    ],
)
def test_classification(direction: str, counterparty: str, memo: str, category: str) -> None:
    assert category_of(Direction(direction), counterparty, memo, "乔南枝") == category


@pytest.mark.parametrize("category", sorted(set(WORDING) - {"OWN_TRANSFER"}))
def test_the_wording_of_each_category_is_understood(category: str) -> None:
    counterparty, memo = WORDING[category]
    assert {category_of(direction, counterparty, memo, "乔南枝") for direction in Direction} == {category}


@pytest.mark.parametrize(
    ("memo", "number"),
    [
        ("货款 20251210000000000017", "20251210000000000017"),
        ("付发票号：12345678 货款", "12345678"),
        ("发票12345678", "12345678"),
        ("订单12345678", None),
        ("202512100000000000171", None),
        ("", None),
    ],
)
def test_an_invoice_number_in_the_memo(memo: str, number: str | None) -> None:
    assert invoice_number(memo) == number
