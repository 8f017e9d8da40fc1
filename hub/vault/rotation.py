"""Rotation of the key-encryption key, online: data keys are wrapped anew, a batch at a time, while everybody goes on reading.

What a data key sealed stays as it is. Readers accept every key in the file, so nothing needs to stop; whoever dies in the middle leaves rows that the next
rotation finds, since what is left is asked of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from hub.errors import SecretMissing
from hub.store.database import Database, Write
from hub.vault.keys import KeyService
from hub.vault.register import wrap_binding

BATCH = 500
"""Rows that one transaction wraps anew."""
_FIRST = UUID(int=0)

# A row that somebody holds is left for a later look: a customer who is being erased, or another rotation at work.
_TAKE = text("""
    SELECT customer_id, key_id, wrapped, kek_id FROM data_key
    WHERE wrapped IS NOT NULL AND kek_id <> :current AND (customer_id, key_id) > (:customer, :key)
    ORDER BY customer_id, key_id LIMIT :batch FOR UPDATE SKIP LOCKED
""")
_PUT = text("""
    UPDATE data_key d SET wrapped = u.wrapped, kek_id = u.kek_id
    FROM unnest(CAST(:customers AS uuid[]), CAST(:keys AS uuid[]), CAST(:wrapped AS bytea[]), CAST(:keks AS text[])) AS u(customer_id, key_id, wrapped, kek_id)
    WHERE d.customer_id = u.customer_id AND d.key_id = u.key_id AND d.wrapped IS NOT NULL
""")
_LEFT = text("SELECT kek_id, count(*) FROM data_key WHERE wrapped IS NOT NULL GROUP BY kek_id ORDER BY kek_id")


@dataclass(slots=True)
class Rewrapped:
    """``unreadable`` are rows that no key in the file opens: they stay as they are."""

    wrapped: int = 0
    unreadable: int = 0


async def rewrap(database: Database, keys: KeyService, tell: Callable[[int], None] = lambda done: None) -> Rewrapped:
    """Wraps every data key under the current key-encryption key. ``tell`` hears how many after each batch."""
    done, place = Rewrapped(), (_FIRST, _FIRST)
    while True:
        async with database.work() as tx:
            values = {"current": keys.current, "customer": place[0], "key": place[1], "batch": BATCH}
            rows = (await tx.execute(_TAKE, values)).all()
            if not rows:
                return done
            wrapped = await _put(tx, keys, rows)
        done.wrapped += wrapped
        done.unreadable += len(rows) - wrapped
        place = (rows[-1].customer_id, rows[-1].key_id)
        tell(len(rows))


async def _put(tx: Write, keys: KeyService, rows: Sequence[Row[Any]]) -> int:
    """Returns how many of the rows could be opened."""
    customers, ids, wrapped, keks = [], [], [], []
    for row in rows:
        binding = wrap_binding(row.customer_id, row.key_id)
        try:
            made = keys.wrap(keys.unwrap(row.wrapped, row.kek_id, binding), binding)
        except SecretMissing:
            continue
        customers.append(row.customer_id)
        ids.append(row.key_id)
        wrapped.append(made.key)
        keks.append(made.kek_id)
    await tx.execute(_PUT, {"customers": customers, "keys": ids, "wrapped": wrapped, "keks": keks})
    return len(customers)


async def under(database: Database) -> dict[str, int]:
    """How many data keys are wrapped under each key-encryption key."""
    async with database.work() as tx:
        return {row[0]: row[1] for row in await tx.execute(_LEFT)}
