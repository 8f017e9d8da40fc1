"""What mutations about a lender's loans are asked, and answer: values, a part of :mod:`schema.services`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from hub.domain.models import LoanState


@dataclass(frozen=True, slots=True)
class LoanStatus:
    """``status_on`` defaults to the business day; ``evaluation_id`` is the one on which the loan was granted."""

    customer_id: str
    number: str
    scenario: str
    state: LoanState
    status_on: date | None
    granted_on: date
    matures_on: date | None
    granted: Decimal
    balance: Decimal
    due: Decimal
    days_past_due: int
    evaluation_id: str | None = None
    reachable: bool | None = None
    marketing: bool | None = None
    contacts: int | None = None


@dataclass(frozen=True, slots=True)
class RecordLoanStatuses:
    statuses: tuple[LoanStatus, ...]


@dataclass(frozen=True, slots=True)
class LoansRecorded:
    """``customers`` in the order of asking."""

    customers: tuple[str, ...]
    changed: int
    unchanged: int
