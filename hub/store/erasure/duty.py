"""A worker's look at what is due: customer by customer, a small transaction at a time, until nothing is.

What is due is asked of the rows each time; no erasure is ever "under way". The day is the business day.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

import structlog
from sqlalchemy import text

from hub.domain.clock import Clock
from hub.domain.identifiers import CustomerId
from hub.errors import HubError
from hub.store.database import STORE_ERRORS, Database
from hub.store.erasure.batch import Group, erase_group
from hub.store.erasure.subject import erase_rest, reapply
from hub.vault import Vault

log = structlog.get_logger("hub.erasure")

AT_ONCE = 200
"""Customers that one look finds."""

_DUE = text("""
    (SELECT customer_id FROM raw_page WHERE life_ends_on <= :today LIMIT :most)
    UNION (SELECT p.customer_id FROM raw_page p JOIN consent_due d ON d.customer_id = p.customer_id AND d.consent_id = p.consent_id
        WHERE p.life_ends_on IS NULL AND (p.fetched_at AT TIME ZONE 'Asia/Shanghai')::date + d.data_life_days <= :today LIMIT :most)
    UNION (SELECT d.customer_id FROM consent_due d WHERE d.ends_on <= :today
        AND EXISTS (SELECT 1 FROM raw_page p WHERE p.customer_id = d.customer_id AND p.consent_id = d.consent_id) LIMIT :most)
    UNION (SELECT customer_id FROM item_due WHERE erase_on <= :today LIMIT :most)
    UNION (SELECT customer_id FROM evaluation_due WHERE erase_on <= :today LIMIT :most)
    UNION (SELECT s.customer_id FROM customer s WHERE s.erased_on <= :today
        AND EXISTS (SELECT 1 FROM connection c WHERE c.customer_id = s.customer_id
            UNION ALL SELECT 1 FROM sync_run r WHERE r.customer_id = s.customer_id UNION ALL SELECT 1 FROM raw_page p WHERE p.customer_id = s.customer_id
            UNION ALL SELECT 1 FROM link_session l WHERE l.customer_id = s.customer_id UNION ALL SELECT 1 FROM sync_event e WHERE e.customer_id = s.customer_id) LIMIT :most)
    LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class Erasing:
    """With what a worker erases."""

    database: Database
    vault: Vault
    clock: Clock

    async def look(self) -> int:
        """Everything that is due now, and was destroyed before and came back with a backup. Returns how many rows went."""
        today = self.clock.today()
        again = await reapply(self.database, self.vault, self.clock)
        return again + await erase_everything_due(self.database, today)


async def erase_everything_due(database: Database, today: date) -> int:
    """Returns how many rows went. One customer who cannot be erased now keeps nobody else from it, and is looked at again."""
    total = 0
    while customers := await due(database, today):
        erased = sum([await _attempt(database, one, today) for one in customers])
        if not erased:
            break
        total += erased
    return total


async def _attempt(database: Database, customer_id: CustomerId, today: date) -> int:
    try:
        return sum((await erase_due(database, customer_id, today)).values())
    except (HubError, *STORE_ERRORS) as error:
        log.warning("not_erased", customer=str(customer_id), kind=type(error).__name__)
        return 0


async def due(database: Database, today: date) -> list[CustomerId]:
    """Customers of whom something is due."""
    async with database.work() as tx:
        return [CustomerId(one) for one in (await tx.execute(_DUE, {"today": today, "most": AT_ONCE})).scalars()]


async def erase_due(database: Database, customer_id: CustomerId, today: date) -> dict[str, int]:
    """Everything of one customer that is due, a transaction per part. Returns how many rows of which tables."""
    total = Counter[str]()
    while True:
        async with database.work() as tx:
            rows = await erase_group(tx, Group(customer_id, today)) or await erase_rest(tx, customer_id)
        if not rows:
            return dict(total)
        total.update(rows)
        log.info("erased", customer=str(customer_id), count=sum(rows.values()))
