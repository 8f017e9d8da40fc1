"""支付账户."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.domain.enums import SourceKind, Unit
from hub.domain.facts.declare import about, fact
from hub.domain.identifiers import PersonalId


@fact(source=SourceKind.PAYMENT, key=("account_number",), occurred=None)
class PaymentAccount:
    """支付/银行账户: an account whose transactions the payment source serves."""

    account_number: PersonalId = about("Account number.")
    type: str = about("BANK_CORP, BANK_PERSONAL, ALIPAY, WECHAT or ACQUIRING.")
    institution: str = about("Institution that keeps the account; the lending bank means at the lender.")
    holder: PersonalId | None = about("Identifier (USCC or resident ID) of the account holder.")
    role: str = about("SETTLEMENT: the account that receives platform or sales money; GENERAL otherwise.")
    scope: str = about("FULL, or PARTIAL when not all accounts of the customer are connected: then receipts are a lower bound.")
    opened_on: date | None = about("Day of opening.")
    opening_balance: Decimal | None = about("Balance before the first transaction served.", unit=Unit.YUAN)
