"""What the lender says of its loans: recorded, corrected, and read as of a day and as known at an instant. Nothing is overwritten."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from hub.credit.models.lender import Contact, Loan
from hub.domain.identifiers import CustomerId, new_id
from hub.domain.models import LoanState
from hub.errors import InvalidInput
from hub.store.database import Read, Write
from hub.store.tables import evaluation, loan_status

_TOLD = (
    "scenario",
    "state",
    "granted_on",
    "matures_on",
    "granted",
    "balance",
    "due",
    "days_past_due",
    "evaluation_id",
    "reachable",
    "marketing",
    "contacts",
    "partner",
    "partner_share",
)
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('loan:' || :customer, 0))")
_KNOWN = text("""
    SELECT DISTINCT ON (l.customer_id, l.number) l.*, (SELECT o.status_id FROM loan_status o WHERE o.customer_id = l.customer_id AND o.number = l.number AND o.days_past_due > 0
        AND o.status_on <= :as_of AND o.known_from <= :known_at AND (o.known_to IS NULL OR o.known_to > :known_at) ORDER BY o.status_on, o.status_id LIMIT 1) AS overdue_id
    FROM loan_status l WHERE customer_id = ANY (:customers) AND status_on <= :as_of AND known_from <= :known_at AND (known_to IS NULL OR known_to > :known_at)
    ORDER BY l.customer_id, l.number, l.status_on DESC, l.known_from DESC
""")  # fmt: skip
_NAMED = text("""
    SELECT l.*, o.status_id AS overdue_id FROM unnest(CAST(:words AS uuid[]), CAST(:overdue AS uuid[])) AS k(word, overdue)
    JOIN loan_status l ON l.customer_id = :customer AND l.status_id = k.word
    LEFT JOIN loan_status o ON o.customer_id = l.customer_id AND o.number = l.number AND o.status_id = k.overdue AND o.days_past_due > 0 ORDER BY l.number
""")


@dataclass(frozen=True, slots=True)
class LoanWord:
    """What is said of a loan for a day. ``evaluation_id``: the evaluation on which it was granted."""

    number: str
    scenario: str
    state: LoanState
    status_on: date
    granted_on: date
    matures_on: date | None
    granted: Decimal
    balance: Decimal
    due: Decimal
    days_past_due: int
    evaluation_id: UUID | None = None
    reachable: bool | None = None
    marketing: bool | None = None
    contacts: int | None = None
    partner: str | None = None
    partner_share: Decimal | None = None

    def values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in (*_TOLD, "number", "status_on")}


@dataclass(frozen=True, slots=True)
class Recorded:
    """``before`` is what was said of that day until now; None: nothing. ``changed``: it says something else now."""

    status_id: UUID
    before: Mapping[str, Any] | None
    changed: bool


async def record(tx: Write, customer_id: CustomerId, word: LoanWord, client_id: str, now: datetime) -> Recorded:
    """Keeps a word; the same word again changes nothing. Raises InvalidInput for an evaluation that is none of the customer's."""
    await tx.execute(_ONE_AT_A_TIME, {"customer": str(customer_id)})
    await _check_evaluation(tx, customer_id, word)
    mine = (loan_status.c.customer_id == customer_id, loan_status.c.number == word.number, loan_status.c.status_on == word.status_on)
    row = (await tx.execute(select(loan_status).where(*mine, loan_status.c.known_to.is_(None)))).mappings().first()
    before = {name: row[name] for name in _TOLD} if row else None
    values = word.values()
    if row and all(before[name] == values[name] for name in _TOLD if before):
        return Recorded(row["status_id"], before, changed=False)
    if row:
        await tx.execute(update(loan_status).where(*mine, loan_status.c.known_to.is_(None)).values(known_to=now))
    status_id = new_id()
    kept = {"customer_id": customer_id, "status_id": status_id, **values, "recorded_by": client_id, "known_from": now}
    await tx.execute(insert(loan_status), kept)
    return Recorded(status_id, before, changed=True)


async def _check_evaluation(tx: Write, customer_id: CustomerId, word: LoanWord) -> None:
    if word.evaluation_id is None:
        return
    mine = (evaluation.c.customer_id == customer_id, evaluation.c.evaluation_id == word.evaluation_id)
    found = (await tx.execute(select(evaluation.c.scenario).where(*mine))).scalar()
    if found != word.scenario:
        raise InvalidInput("The evaluation is none of this customer and scenario.", remedy="Name the one on which the loan was granted.")


@dataclass(frozen=True, slots=True)
class Told:
    """Which word told of a loan, and which one first of an overdue day of it. ``evaluation_id``: the evaluation on which it was granted."""

    word: UUID
    overdue: UUID | None
    evaluation_id: UUID | None


async def load_loans(
    tx: Read | Write, customers: Sequence[CustomerId], as_of: date, known_at: datetime
) -> Mapping[CustomerId, dict[Loan, Told]]:
    """The latest word on each loan of some customers."""
    found = defaultdict[CustomerId, dict[Loan, Told]](dict)
    for row in await tx.execute(_KNOWN, {"customers": list(customers), "as_of": as_of, "known_at": known_at}):
        found[CustomerId(row.customer_id)][_loan(row)] = _told(row)
    return found


async def named_loans(tx: Read | Write, customer_id: CustomerId, words: Sequence[tuple[str, str | None]]) -> dict[Loan, Told]:
    """The loans of which these words tell: the word itself, and the one of an overdue day."""
    columns = {"words": [word for word, _ in words], "overdue": [overdue for _, overdue in words]}
    return {_loan(row): _told(row) for row in await tx.execute(_NAMED, {"customer": customer_id, **columns})}


def _told(row: Any) -> Told:
    return Told(row.status_id, row.overdue_id, row.evaluation_id)


def _loan(row: Any) -> Loan:
    return Loan(
        number=row.number,
        scenario=row.scenario,
        state=LoanState(row.state),
        status_on=row.status_on,
        granted_on=row.granted_on,
        matures_on=row.matures_on,
        granted=row.granted,
        balance=row.balance,
        due=row.due,
        days_past_due=row.days_past_due,
        ever_overdue=row.overdue_id is not None,
        contact=Contact(row.reachable, row.marketing, row.contacts),
    )
