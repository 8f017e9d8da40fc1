"""A worker's look at what is due: customer by customer, a small transaction at a time, until nothing is.

What is due is asked of the rows each time; no erasure is ever "under way". The day is the business day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

import structlog
from sqlalchemy import text

from hub.domain.clock import Clock
from hub.domain.identifiers import CustomerId
from hub.errors import HubError
from hub.store.database import STORE_ERRORS, Database
from hub.store.erasure.batch import Group, erase_group
from hub.store.erasure.due import branches
from hub.store.erasure.subject import erase_rest, reapply
from hub.vault import Vault

log = structlog.get_logger("hub.erasure")

AT_ONCE = 200
"""Rows that one statement looks for customers in."""


@dataclass(slots=True)
class Looked:
    """What came of one look: how many rows went; who could not be erased, or had nothing that could be; which branches could not be asked."""

    rows: int = 0
    left: set[CustomerId] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)

    @property
    def whole(self) -> bool:
        """Nobody and nothing failed: what was due is gone."""
        return not self.failed


@dataclass(slots=True)
class Erasing:
    """With what a worker erases. Days count: what is due is looked for once a day, and when a process starts; erased subjects each time."""

    database: Database
    vault: Vault
    clock: Clock
    looked_on: date | None = None

    async def look(self) -> int:
        """Everything that is due now, and was destroyed before and came back with a backup. Returns how many rows went."""
        today = self.clock.today()
        again = await reapply(self.database, self.vault, self.clock)
        looked = await erase_everything_due(self.database, today, only_subjects=self.looked_on == today)
        # What failed, a lock that was held or a database that was away, is looked for again with the next look, not on the next day.
        if looked.whole:
            self.looked_on = today
        return again + looked.rows


async def erase_everything_due(database: Database, today: date, *, only_subjects: bool = False) -> Looked:
    """Branch by branch. One customer who cannot be erased now keeps nobody else from it, and one branch that cannot be asked no other branch."""
    looked = Looked()
    for name in ("erased",) if only_subjects else branches():
        try:
            while customers := await due(database, today, name, looked.left):
                for one in customers:
                    await _attempt(database, one, today, looked)
        except (HubError, *STORE_ERRORS) as error:
            log.warning("not_looked_for", branch=name, kind=type(error).__name__)
            looked.failed.add(name)
    return looked


async def _attempt(database: Database, customer_id: CustomerId, today: date, looked: Looked) -> None:
    try:
        rows = sum((await erase_due(database, customer_id, today)).values())
    except (HubError, *STORE_ERRORS) as error:
        log.warning("not_erased", customer=str(customer_id), kind=type(error).__name__)
        looked.left.add(customer_id)
        looked.failed.add(str(customer_id))
        return
    looked.rows += rows
    if not rows:
        looked.left.add(customer_id)


async def due(database: Database, today: date, branch: str, left: Collection[CustomerId] = ()) -> list[CustomerId]:
    """Customers of whom something is due by one branch, but for those who are ``left`` for another look."""
    found = f"SELECT DISTINCT q.customer_id FROM (SELECT b.customer_id FROM ({branches()[branch]}) b WHERE b.customer_id <> ALL(:left) LIMIT :most) q"
    async with database.work() as tx:
        values = {"today": today, "most": AT_ONCE, "left": list(left)}
        return [CustomerId(one) for one in (await tx.execute(text(found), values)).scalars()]


async def erase_due(database: Database, customer_id: CustomerId, today: date) -> dict[str, int]:
    """Everything of one customer that is due, a transaction per part. Returns how many rows of which tables."""
    total = Counter[str]()
    while True:
        async with database.work() as tx:
            rows = await erase_group(tx, Group(customer_id, today)) or await erase_rest(tx, customer_id)
        if not rows:
            break
        total.update(rows)
    if total:
        log.info("erased", customer=str(customer_id), count=total.total())
    return dict(total)
