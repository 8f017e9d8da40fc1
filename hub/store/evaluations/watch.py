"""What the models know beside a dossier: the lender's loans, active connections, and the evaluation that stood when the oldest open loan was granted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text

from hub.credit.crosscheck.verdict import Tier
from hub.credit.models.lender import Loan, Origin, Watch
from hub.domain.enums import ConnectionStatus, Purpose
from hub.domain.identifiers import CustomerId
from hub.store.database import Read, Write
from hub.store.loans import load_loans
from hub.store.tables import connection, evaluation, feature_value

COMPARED = ("ps_low_balance_days", "ss_refund_rate")
"""Features that a trigger compares with what they were."""
_ACCOUNTS = text("""
    SELECT account_number_hash FROM fact_payment_account WHERE customer_id = :customer AND role = 'SETTLEMENT'
        AND known_from <= :known_at AND (known_to IS NULL OR known_to > :known_at)
""")


async def load_watch(tx: Read | Write, customer_id: CustomerId, scenario: str, purpose: str, as_of: date, known_at: datetime) -> Watch:
    """Loans are watched under consents for POST_LOAN alone."""
    loans = await load_loans(tx, customer_id, as_of, known_at)
    monitoring = purpose == Purpose.POST_LOAN
    watch = Watch(monitoring, tuple(loans), None, await _connections(tx, customer_id))
    open_ones = watch.of(scenario)
    origin = await _origin(tx, customer_id, open_ones[0], loans[open_ones[0]]) if monitoring and open_ones else None
    return Watch(watch.monitoring, watch.loans, origin, watch.connections)


async def _connections(tx: Read | Write, customer_id: CustomerId) -> int:
    mine = (connection.c.customer_id == customer_id, connection.c.status == ConnectionStatus.ACTIVE)
    return int((await tx.execute(select(func.count()).select_from(connection).where(*mine))).scalar_one())


async def _origin(tx: Read | Write, customer_id: CustomerId, loan: Loan, named: UUID | None) -> Origin | None:
    """The evaluation that the lender names, else the last decision of the scenario up to the day on which the loan was granted."""
    mine = [evaluation.c.customer_id == customer_id, evaluation.c.scenario == loan.scenario, ~evaluation.c.what_if]
    mine.append(evaluation.c.evaluation_id == named if named else evaluation.c.as_of <= loan.granted_on)
    newest = (evaluation.c.as_of.desc(), evaluation.c.created_at.desc())
    row = (await tx.execute(select(evaluation).where(*mine).order_by(*newest).limit(1))).first()
    if row is None:
        return None
    tier = Tier(row.tier) if row.tier else None
    return Origin(row.as_of, tier, await _features(tx, row), await _accounts(tx, row))


async def _features(tx: Read | Write, row: Row[Any]) -> Mapping[str, Decimal]:
    mine = (feature_value.c.customer_id == row.customer_id, feature_value.c.evaluation_id == row.evaluation_id)
    wanted = select(feature_value.c.feature_id, feature_value.c.number).where(*mine, feature_value.c.feature_id.in_(COMPARED))
    return {one.feature_id: one.number for one in await tx.execute(wanted) if one.number is not None}


async def _accounts(tx: Read | Write, row: Row[Any]) -> frozenset[str] | None:
    found = await tx.execute(_ACCOUNTS, {"customer": row.customer_id, "known_at": row.known_at})
    return frozenset(found.scalars()) or None
