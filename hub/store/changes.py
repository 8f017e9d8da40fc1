"""The rows that tell of changes (``profile_change``) are kept for whoever lost the line, and then forgotten."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from hub.store.database import Database

KEPT, AT_ONCE = timedelta(days=7), 5_000
"""How long a cursor can be gone on from, and how many rows are forgotten by one statement."""
_FORGET = text("""
    DELETE FROM profile_change WHERE (customer_id, change_id) IN (
        SELECT customer_id, change_id FROM profile_change WHERE at < clock_timestamp() - CAST(:kept AS interval)
        ORDER BY at LIMIT :at_once FOR UPDATE SKIP LOCKED)
""")


async def forget_changes(database: Database) -> int:
    """Deletes what is older than :data:`KEPT`, a batch of it. Returns how many rows."""
    async with database.work() as tx:
        return (await tx.execute(_FORGET, {"kept": KEPT, "at_once": AT_ONCE})).rowcount
