"""Whom to evaluate anew: whose facts changed, of whose loan the lender has said something, and whose running loan was not looked at today.

The rows decide, not the job that asks: whichever run ends last finds the work, a second one finds none. Some warnings come because nothing happens any more, so a
loan that runs is looked at every business day.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import text

from hub.domain.identifiers import CustomerId
from hub.store.database import Read, Write

RECENT, AT_ONCE = timedelta(days=7), 500
_LOAN_IS_NEWS = """l.known_to IS NULL AND NOT EXISTS (SELECT 1 FROM evaluation v WHERE v.customer_id = l.customer_id AND v.scenario = l.scenario
    AND v.use_purpose = 'POST_LOAN' AND NOT v.what_if AND v.known_at >= l.known_from)"""
_LOAN_IS_DUE = """l.known_to IS NULL AND l.state = 'ACTIVE' AND NOT EXISTS (SELECT 1 FROM loan_status n WHERE n.customer_id = l.customer_id
    AND n.number = l.number AND n.known_to IS NULL AND n.status_on > l.status_on)
    AND NOT EXISTS (SELECT 1 FROM evaluation v WHERE v.customer_id = l.customer_id AND v.scenario = l.scenario
    AND v.use_purpose = 'POST_LOAN' AND NOT v.what_if AND v.as_of >= :today)"""
_WATCHED = """EXISTS (SELECT 1 FROM consent c JOIN policy p ON p.policy_id = l.scenario WHERE c.customer_id = l.customer_id AND c.purpose = 'POST_LOAN'
    AND c.status = 'ACTIVE' AND c.grantee = :grantee AND l.scenario = ANY (c.scenarios))"""

_TO_REFRESH = text(f"""
    SELECT DISTINCT c.purpose, s.scenario FROM consent c CROSS JOIN LATERAL unnest(c.scenarios) AS s(scenario)
    WHERE c.customer_id = :customer AND c.grantee = :grantee AND c.status = 'ACTIVE'
      AND EXISTS (SELECT 1 FROM policy p WHERE p.policy_id = s.scenario)
      AND NOT EXISTS (SELECT 1 FROM connection n WHERE n.customer_id = :customer AND n.status = 'ACTIVE'
                      AND (n.due_at <= now() OR n.lease_until > now()))
      AND (EXISTS (SELECT 1 FROM sync_run r WHERE r.customer_id = :customer AND r.stored > 0 AND r.ended_at > coalesce(
            (SELECT max(v.created_at) FROM evaluation v WHERE v.customer_id = :customer AND v.scenario = s.scenario AND NOT v.what_if), '-infinity'))
        OR (c.purpose = 'POST_LOAN' AND EXISTS (SELECT 1 FROM loan_status l WHERE l.customer_id = :customer AND l.scenario = s.scenario
            AND (({_LOAN_IS_NEWS}) OR ({_LOAN_IS_DUE})))))
    ORDER BY 1, 2
""")  # noqa: S608 -- our own text
_CUSTOMERS = text("""
    SELECT DISTINCT r.customer_id FROM sync_run r
    WHERE r.stored > 0 AND r.ended_at > now() - interval '7 days' AND EXISTS (
        SELECT 1 FROM consent c CROSS JOIN LATERAL unnest(c.scenarios) AS s(scenario) JOIN policy p ON p.policy_id = s.scenario
        WHERE c.customer_id = r.customer_id AND c.status = 'ACTIVE' AND NOT EXISTS (
            SELECT 1 FROM evaluation v WHERE v.customer_id = r.customer_id AND v.scenario = s.scenario AND NOT v.what_if AND v.created_at >= r.ended_at))
    LIMIT 500
""")
_TOLD = text(f"SELECT DISTINCT l.customer_id FROM loan_status l WHERE l.known_from > :since AND {_LOAN_IS_NEWS} AND {_WATCHED} LIMIT :most")  # noqa: S608 -- our own text
_RUNNING = text(f"SELECT DISTINCT l.customer_id FROM loan_status l WHERE {_LOAN_IS_DUE} AND {_WATCHED} LIMIT :most")  # noqa: S608 -- our own text


async def scenarios_to_refresh(tx: Read | Write, customer_id: CustomerId, grantee: str, today: date) -> list[tuple[str, str]]:
    """(purpose, scenario) to evaluate anew: consented, changed since the last evaluation or due today, and nothing of the customer still syncing."""
    rows = (await tx.execute(_TO_REFRESH, {"customer": customer_id, "grantee": grantee, "today": today})).all()
    return [(row.purpose, row.scenario) for row in rows]


async def customers_to_refresh(tx: Read | Write) -> list[CustomerId]:
    """Customers of whom :func:`scenarios_to_refresh` may say something, because of their facts."""
    return [CustomerId(found) for found in (await tx.execute(_CUSTOMERS)).scalars()]


async def borrowers_told_of(tx: Read | Write, grantee: str, now: datetime) -> list[CustomerId]:
    """Likewise because the lender has said something of their loans in the last days."""
    found = await tx.execute(_TOLD, {"since": now - RECENT, "grantee": grantee, "most": AT_ONCE})
    return [CustomerId(one) for one in found.scalars()]


async def borrowers_to_watch(tx: Read | Write, grantee: str, today: date) -> list[CustomerId]:
    """Likewise because a loan of theirs runs that was not looked at today. Empty: all were."""
    found = await tx.execute(_RUNNING, {"grantee": grantee, "today": today, "most": AT_ONCE})
    return [CustomerId(one) for one in found.scalars()]
