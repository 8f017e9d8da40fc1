"""Traps in the database, so that a worker is killed at a certain place of a page's transaction and not only by chance: whoever comes by waits until the trap is opened.

They are triggers, which know tables and not the hub's code: an engine that writes in another order, or in two transactions, is caught at the same places.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg

PLACES = {"rows": 1, "cursor": 2, "gap": 3}
"""After a page's rows have begun, after its window has moved; neither is committed. The gap is only where :mod:`bench.chaos.sabotage` has made one."""
TRAPS = """
CREATE FUNCTION chaos_trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_advisory_xact_lock_shared(4711, TG_ARGV[0]::int);
    RETURN NULL;
END $$;
CREATE TRIGGER chaos_trap_rows AFTER INSERT ON raw_page FOR EACH ROW EXECUTE FUNCTION chaos_trap(1);
CREATE TRIGGER chaos_trap_cursor AFTER UPDATE OF cursor ON sync_window FOR EACH ROW EXECUTE FUNCTION chaos_trap(2);
"""
_CAUGHT = """
SELECT substr(application_name, 7)::int FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND classid = 4711 AND objid = %s AND NOT granted AND application_name LIKE 'chaos-%%'
"""
GLANCE = 0.02


@asynccontextmanager
async def trap(dsn: str, place: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """Closed while the context lasts."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True, connect_timeout=5) as admin:
        await admin.execute("SELECT pg_advisory_lock(4711, %s)", (PLACES[place],))
        yield admin


async def caught(admin: psycopg.AsyncConnection[Any], place: str, seconds: float) -> list[int]:
    """The process ids of the workers that wait there; empty if nobody comes within ``seconds``."""
    for _ in range(int(seconds / GLANCE)):
        if found := await (await admin.execute(_CAUGHT, (PLACES[place],))).fetchall():
            return [row[0] for row in found]
        await asyncio.sleep(GLANCE)
    return []
