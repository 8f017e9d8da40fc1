"""An operator's word against a platform's: it asked to be left alone for long, and whoever runs it said that it may be asked again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from sqlalchemy import text

from hub.store.database import Database, Write

_LEDGER = text("""
    UPDATE quota_ledger SET parked_until = NULL, circuit_until = CASE WHEN circuit = 'OPEN' THEN clock_timestamp() ELSE circuit_until END
    WHERE connector = :connector AND (parked_until > clock_timestamp() OR (circuit = 'OPEN' AND circuit_until > clock_timestamp()))
""")
_CONNECTIONS = text("""
    UPDATE connection SET due_at = clock_timestamp()
    WHERE connector = :connector AND status = 'ACTIVE' AND due_at > clock_timestamp()
        AND (last_verdict = 'PARKED' OR last_fault = 'PlatformUnreachable')
""")


class Resumed(NamedTuple):
    """How many credentials may be used again, and how many connections are due again."""

    credentials: int
    connections: int


async def resume(database: Database, connector: str, told: Callable[[Write, Resumed], Awaitable[None]] | None = None) -> Resumed:
    """Calls to a platform may leave again, behind a probe where its circuit is open. Quotas stay as they are counted. What was parked, or met no
    answer, is due now. ``told`` hears of it in the same transaction.
    """
    async with database.work() as tx:
        credentials = (await tx.execute(_LEDGER, {"connector": connector})).rowcount
        done = Resumed(credentials, (await tx.execute(_CONNECTIONS, {"connector": connector})).rowcount)
        if told is not None:
            await told(tx, done)
        return done
