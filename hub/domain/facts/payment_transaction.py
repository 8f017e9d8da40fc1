"""账户流水."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from hub.domain.enums import Direction, SourceKind, Unit
from hub.domain.facts.declare import about, fact
from hub.domain.identifiers import PersonalId


@fact(source=SourceKind.PAYMENT, key=("account_number", "transaction_number"), occurred="at")
class PaymentTransaction:
    """账户流水: one posted movement of an account. The category is the hub's own classification of counterparty and memo."""

    account_number: PersonalId = about("Account number.")
    transaction_number: str = about("Number of the movement.", upstream=("account_log_id",))
    at: datetime = about("Posted.", upstream=("trans_dt",))
    direction: Direction = about("IN or OUT.", upstream=("direction",))
    amount: Decimal = about("Positive amount.", unit=Unit.YUAN, upstream=("trans_amount",))
    balance_after: Decimal | None = about("Balance after the movement.", unit=Unit.YUAN, upstream=("balance",))
    category: str = about(
        "SALES_RECEIPT, PLATFORM_PAYOUT, OWN_TRANSFER, LOAN_DISBURSEMENT, CAPITAL_INJECTION, REFUND_IN, TAX_REFUND, SUBSIDY, PURCHASE, WAGE, "
        "RENT, UTILITY, LOGISTICS, PLATFORM_FEE, AD, TAX, SOCIAL, LOAN_REPAYMENT, OWNER_DRAW, INVESTMENT, CASH or UNKNOWN."
    )
    counterparty: PersonalId | None = about("Counterparty.", upstream=("other_account",))
    counterparty_key: str | None = about("Invoice number named in the memo, where there is one.")
