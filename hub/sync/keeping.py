"""What a worker does whether or not anything is synced: a look at the rows, again and again, so that nothing is forgotten with a process.

Grants of idle connections are refreshed before their refresh token runs out; an exchange that died with its process is settled; connections that have ended are told to
their platforms; what runs noted on their way is forgotten in time; consents that have run out are ended, and those that will are announced; what is due to be erased is
erased, what was logged too long ago is trimmed. Each platform has loops of its own: one that hangs costs the others nothing, and ending a connection waits for none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Row, text

from hub.access.audit import trim_old
from hub.consent import clock, refusals
from hub.domain.identifiers import CustomerId
from hub.errors import ConsentMissing, HubError
from hub.store.changes import forget_changes
from hub.store.database import STORE_ERRORS, Database
from hub.store.erasure import Erasing
from hub.store.idempotency import forget_keys
from hub.sync import grants
from hub.sync.calls import Calls
from hub.sync.context import Equipment, load
from hub.sync.ending import announce_ends
from hub.sync.grants import Exchange
from hub.sync.journal import forget
from hub.sync.revoking import Revoker, settle_ended

log = structlog.get_logger("hub.keeping")

PERIOD = 15.0
"""Seconds between two looks."""
ERASING_PERIOD = 600.0
"""Seconds between two looks for what is due to be erased: days count there."""
AT_ONCE = 8
"""Grants of one platform that a worker refreshes at a time."""

# The row that is taken is not due again for a while: other workers take others, and one that dies leaves it to be found again.
_TAKE = text("""
    UPDATE credential SET keep_alive_at = clock_timestamp() + CAST(:pause AS interval)
    WHERE (customer_id, connection_id) IN (
        SELECT k.customer_id, k.connection_id FROM credential k
        JOIN connection c ON c.customer_id = k.customer_id AND c.connection_id = k.connection_id
        WHERE k.keep_alive_at <= now() AND k.state IN ('valid', 'unknown', 'exchanging') AND c.status = 'ACTIVE' AND c.connector = :connector
        ORDER BY k.keep_alive_at LIMIT :at_once FOR UPDATE OF k SKIP LOCKED)
    RETURNING customer_id, connection_id, epoch, state
""")
_MAY_CALL = text("""
    SELECT EXISTS (SELECT 1 FROM connection c JOIN consent s ON s.customer_id = c.customer_id AND s.connector = c.connector
        WHERE c.customer_id = :customer AND c.connection_id = :connection AND c.status = 'ACTIVE' AND s.status = 'ACTIVE'
            AND (s.expires_at IS NULL OR s.expires_at > :business))
""")


class Keeper:
    """See the module. One per worker process; any number of them share the work."""

    def __init__(self, equipment: Equipment, calls: Calls, *, period: float = PERIOD) -> None:
        self.equipment, self.calls, self.period = equipment, calls, period
        self.revoker = Revoker(equipment, calls)

    async def work(self) -> None:
        """Until cancelled; an exchange that is under way is seen through."""
        looks: list[Callable[[], Awaitable[int]]] = [partial(settle_ended, self.equipment), partial(forget, self.equipment.database)]
        looks += [partial(forget_keys, self.equipment.database), partial(forget_changes, self.equipment.database)]
        looks += [partial(self._at_the_time, step) for step in (clock.expire_due, clock.announce, refusals.forget)]
        looks.append(partial(announce_ends, self.equipment.database))
        for name in sorted(self.equipment.connectors.keys() & self.equipment.configs.keys()):
            looks += [partial(self.keep_alive, name), partial(self.revoker.look, name)]
        erasing = Erasing(self.equipment.database, self.equipment.vault, self.equipment.clock)
        async with asyncio.TaskGroup() as group:
            for look in looks:
                group.create_task(self._again_and_again(look, self.period))
            for look in (erasing.look, partial(trim_old, self.equipment.database, self.equipment.vault.keys)):
                group.create_task(self._again_and_again(look, ERASING_PERIOD))

    async def _again_and_again(self, look: Callable[[], Awaitable[int]], period: float) -> None:
        """Goes on at once while there is something to do; nothing that fails ends it, or the duties beside it: it is tried again after the period."""
        while True:
            try:
                found = await look()
            except (HubError, *STORE_ERRORS) as error:
                log.warning("keeper_waits", kind=type(error).__name__)
                found = 0
            except Exception as error:  # noqa: BLE001 -- a fault of one duty, ours or a connector's, must not end all the others; its words may hold anything
                log.error("keeper_failed", duty=_named(look), kind=type(error).__name__)
                found = 0
            if not found:
                await asyncio.sleep(period)

    async def _at_the_time(self, step: Callable[[Database, datetime], Awaitable[int]]) -> int:
        """What the business clock does to consents."""
        return await step(self.equipment.database, self.equipment.clock.now())

    async def keep_alive(self, connector: str) -> int:
        """Refreshes the grants of one platform that are due, side by side. Returns how many were due."""
        values = {"connector": connector, "pause": grants.PAUSE, "at_once": AT_ONCE}
        async with self.equipment.database.work() as tx:
            due = (await tx.execute(_TAKE, values)).all()
        await asyncio.gather(*(self._refresh(row) for row in due))
        return len(due)

    async def _refresh(self, row: Row[Any]) -> None:
        """What comes of it stands in the row: fresh, to be tried again later, or for the customer to renew."""
        customer_id = CustomerId(row.customer_id)
        # An exchange that died replaced nothing in the row yet: what is stale is the version before it.
        stale = row.epoch - (row.state == "exchanging")
        try:
            async with self.equipment.database.work() as tx:
                found = await load(self.equipment, tx, customer_id, row.connection_id)
            context = replace(found.context, now=datetime.now(UTC))
            gate = partial(self._gate, customer_id, row)
            await gate()
            exchange = Exchange(self.equipment, self.calls, found.connector, context, customer_id, row.connection_id, gate)
            await grants.refresh(exchange, stale)
        except (HubError, *STORE_ERRORS) as error:
            log.warning("not_kept_alive", connection=str(row.connection_id), kind=type(error).__name__)

    async def _gate(self, customer_id: CustomerId, row: Row[Any]) -> None:
        """No request leaves for a connection that has ended, or that nobody consents to."""
        values = {"customer": customer_id, "connection": row.connection_id, "business": self.equipment.clock.now()}
        async with self.equipment.database.work() as tx:
            if not (await tx.execute(_MAY_CALL, values)).scalar():
                raise ConsentMissing


def _named(look: Callable[[], Awaitable[int]]) -> str:
    """A duty as an operator reads it: its function, and what it is about where that is a word (a platform, a step)."""
    if not isinstance(look, partial):
        return look.__qualname__
    about = [one if isinstance(one, str) else getattr(one, "__qualname__", "") for one in look.args]
    return ":".join(filter(None, (look.func.__qualname__, *about)))
