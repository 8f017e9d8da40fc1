"""Says of a connection that its authorisation ends soon: once at each of :data:`DAYS` before, in time for whoever asks the customer to authorise again."""

from __future__ import annotations

from sqlalchemy import text

from hub.store.database import Database

DAYS = (30, 7, 1)
"""Days before the end. One that is nearer already when it is first seen is told once, for the nearest."""
AT_ONCE = 200

# Real time, like the platform's own. An authorisation that was renewed has another end, of which nothing was told.
_ANNOUNCE = text("""
    WITH soon AS (
        SELECT c.customer_id, c.connection_id, min(d.days) AS days FROM connection c JOIN unnest(CAST(:days AS int[])) AS d(days)
            ON c.grant_expires_at <= now() + make_interval(days => d.days)
        WHERE c.status = 'ACTIVE' AND c.grant_expires_at > now() AND (c.told_end IS DISTINCT FROM c.grant_expires_at OR c.told_days > d.days)
        GROUP BY c.customer_id, c.connection_id LIMIT :at_once
    ), told AS (
        UPDATE connection c SET told_end = c.grant_expires_at, told_days = s.days FROM soon s
        WHERE c.customer_id = s.customer_id AND c.connection_id = s.connection_id AND (c.told_end IS DISTINCT FROM c.grant_expires_at OR c.told_days > s.days)
        RETURNING c.customer_id, c.connector
    )
    INSERT INTO profile_change (customer_id, kind, of, known_at) SELECT customer_id, 'CONNECTION', connector, now() FROM told RETURNING change_id
""")


async def announce_ends(database: Database) -> int:
    """Returns how many were told of. Workers that look at the same time tell each once: the second waits for the row, and finds it told."""
    async with database.work() as tx:
        return len((await tx.execute(_ANNOUNCE, {"days": list(DAYS), "at_once": AT_ONCE})).all())
