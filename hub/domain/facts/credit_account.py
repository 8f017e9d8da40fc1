"""信贷账户."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hub.domain.enums import Sensitivity, SourceKind, Unit
from hub.domain.facts.declare import about, fact
from hub.domain.identifiers import PersonalId


@fact(source=SourceKind.BUREAU, key=("account_number",), occurred="opened_on")
class CreditAccount:
    """信贷账户: one account in the credit report."""

    account_number: str = about("Account number at the bureau.")
    borrower: PersonalId = about("Identifier (USCC or resident ID) of the borrower.")
    lender: str = about("Lender.")
    kind: str = about("MORTGAGE, OPERATING, CONSUMER, CARD or GUARANTEED.")
    repayment: str = about("AMORTISING, BULLET or REVOLVING.")
    secured: bool = about("Whether collateral or a guarantee stands behind it.")
    open: bool = about("Whether the account is open.")
    bank_tax_loan: bool = about("Whether it is a bank-tax (银税互动) loan.")
    opened_on: date = about("Day of opening.")
    matures_on: date | None = about("Day of maturity.")
    credit_limit: Decimal | None = about("Limit.", unit=Unit.YUAN)
    balance: Decimal = about("Balance.", unit=Unit.YUAN, sensitivity=Sensitivity.C2)
    monthly_due: Decimal = about("Principal and interest due a month if AMORTISING, interest only otherwise.", unit=Unit.YUAN)
