"""What goes by its age alone, in whole days."""

from __future__ import annotations

from datetime import date

from sqlalchemy import text

from hub.consent.retention import retention
from hub.store.database import Database

_DAY = text("SELECT set_config('hub.today', :today, true)")
_DELETE = text("""
    DELETE FROM access_log WHERE ((at AT TIME ZONE 'Asia/Shanghai')::date + CAST(CAST(:life AS text) AS interval))::date <= hub_today()
""")


async def purge_access_log(database: Database, today: date) -> int:
    """Deletes who was given what, on the day on which it is three years ago. Returns how many rows."""
    async with database.work() as tx:
        await tx.execute(_DAY, {"today": today.isoformat()})
        return (await tx.execute(_DELETE, {"life": retention().tables["access_log"].life})).rowcount
