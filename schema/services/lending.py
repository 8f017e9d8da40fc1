"""What is evaluated, and what the lender says beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from hub.domain.models import LoanState


@dataclass(frozen=True, slots=True)
class Session:
    session_number: str
    at: datetime
    device: str
    city: str
    form_seconds: int | None
    paste_ratio: Decimal | None


@dataclass(frozen=True, slots=True)
class RecordBehaviourSessions:
    customer_id: str
    sessions: tuple[Session, ...]
    complete_from: date
    complete_until: date


@dataclass(frozen=True, slots=True)
class SessionsRecorded:
    stored: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Evaluate:
    """``purpose`` is what the money is for: OPERATING or CONSUMPTION. ``as_of`` and ``known_at`` default to the business clock."""

    customer_id: str
    scenario: str
    purpose: str
    requested_amount: Decimal | None
    as_of: date | None
    known_at: datetime | None


@dataclass(frozen=True, slots=True)
class Evaluated:
    customer_id: str
    evaluation_id: str


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
    partner: str | None = None
    partner_share: Decimal | None = None


@dataclass(frozen=True, slots=True)
class RecordLoanStatuses:
    statuses: tuple[LoanStatus, ...]


@dataclass(frozen=True, slots=True)
class LoansRecorded:
    """``customers`` in the order of asking."""

    customers: tuple[str, ...]
    changed: int
    unchanged: int
