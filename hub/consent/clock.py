"""What the clock does to consents: it ends those that have run out, and says once of each that it will.

Neither is needed for the gates, which look at the time themselves; both are for whoever reads the history.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text

from hub.consent import grants
from hub.domain.enums import ConsentStatus, ConsentStep
from hub.domain.identifiers import CustomerId
from hub.store.database import Database

AT_ONCE = 200
_OVER = text("""
    SELECT customer_id, consent_id FROM consent WHERE status IN ('PENDING', 'ACTIVE', 'PAUSED') AND expires_at <= :now
    ORDER BY expires_at LIMIT :at_once FOR UPDATE SKIP LOCKED
""")
_SOON = text("""
    SELECT c.customer_id, c.consent_id, c.status, c.expires_at FROM consent c
    WHERE c.status IN ('ACTIVE', 'PAUSED') AND c.expires_at > :now AND c.expires_at <= :soon AND NOT EXISTS (
        SELECT 1 FROM consent_event e WHERE e.customer_id = c.customer_id AND e.consent_id = c.consent_id AND e.step = 'ENDS_SOON')
    ORDER BY c.expires_at LIMIT :at_once FOR UPDATE OF c SKIP LOCKED
""")


async def expire_due(database: Database, now: datetime) -> int:
    """Ends what has run out, a batch of it. Returns how many."""
    async with database.work() as tx:
        found = (await tx.execute(_OVER, {"now": now, "at_once": AT_ONCE})).all()
        for row in found:
            await grants.expire(tx, CustomerId(row.customer_id), row.consent_id, now)
    return len(found)


async def announce(database: Database, now: datetime) -> int:
    """Notes of consents that end within :data:`hub.consent.grants.SOON` that they do: once of each. Returns how many."""
    async with database.work() as tx:
        found = (await tx.execute(_SOON, {"now": now, "soon": now + grants.SOON, "at_once": AT_ONCE})).all()
        for row in found:
            state, ends = ConsentStatus(row.status), {"expires_at": [None, row.expires_at.isoformat()]}
            customer = CustomerId(row.customer_id)
            await grants.event(tx, customer, row.consent_id, ConsentStep.ENDS_SOON, (state, state), now, "clock", ends)
    return len(found)
