"""Loan: what the lender last said of one."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import strawberry

from hub.domain.models import LoanState
from schema.access import DataKind, access, shown

LOAN_RULE = access("loans:read", DataKind.PROFILE)


@strawberry.type(
    description="贷款状态: what the lender said of one of its loans, the latest up to the day and instant asked for. A partner sees what it recorded itself.",
    directives=[LOAN_RULE],
)
class Loan:
    number: str = shown("The lender's number of the loan.")
    scenario: str = shown("Scenario under which it was granted.")
    state: LoanState = shown("State.")
    status_on: date = shown("Day it speaks of.")
    granted_on: date = shown("Granted.")
    matures_on: date | None = shown("Ends.")
    granted: Decimal = shown("Limit granted, in yuan.")
    balance: Decimal = shown("Drawn and not repaid, in yuan.")
    due: Decimal = shown("What of it is overdue, in yuan.")
    days_past_due: int = shown("逾期天数: days since the oldest amount that is overdue was due; 0: none is.")
    partner: strawberry.ID | None = shown("联合贷款: client of the platform with which it is lent jointly; null: the lender alone.")
    partner_share: Decimal | None = shown("Of the loan, funded by the partner.")
    evaluation_id: strawberry.ID | None = shown("The evaluation on which it was granted; `node(id)` finds it.")
    known_from: datetime = shown("When the hub was told.")
