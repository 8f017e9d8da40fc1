"""Idempotency keys: key, digest of the input and answer stand in the mutation's own transaction, so that a key has one effect and one answer.

A twin waits for the first one at the unique key and then answers from its row; when the first one rolls back, nothing was stored and the twin does the work.

A key is kept for :data:`KEPT`, for whoever did not hear the answer; then it is forgotten, and the same key is a new one. Its digest is keyed (``OnceKey``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from hub.errors import KeyReused, TwinRunning
from hub.store.database import Database, Write
from hub.store.tables import idempotency_key

TWIN_WAIT = "1s"
"""Less than a statement of a partner may take: else the wait would end as a statement that took too long."""
_LOCK_NOT_AVAILABLE = "55P03"
KEPT, AT_ONCE = timedelta(days=7), 1_000
"""How long a mutation can be repeated under its key, and how many keys are forgotten by one statement."""
_FORGET = text("""
    DELETE FROM idempotency_key WHERE (client_id, key) IN (
        SELECT client_id, key FROM idempotency_key WHERE created_at < clock_timestamp() - CAST(:kept AS interval)
        ORDER BY created_at LIMIT :at_once FOR UPDATE SKIP LOCKED)
""")


@dataclass(frozen=True, slots=True)
class OnceKey:
    """A client's key, and a keyed hash over the SHA-256 of mutation name and input; ``before`` is that SHA-256, which rows of earlier versions hold."""

    client_id: str
    key: str
    request_sha256: str
    before: str = ""


Answer = Mapping[str, Any]


async def once(tx: Write, key: OnceKey, effect: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer of ``effect``, run at most once per key. Raises KeyReused, TwinRunning."""
    mine = (idempotency_key.c.client_id == key.client_id, idempotency_key.c.key == key.key)
    if not await _take(tx, key):
        row = (await tx.execute(select(idempotency_key).where(*mine))).one()
        if row.request_sha256 not in (key.request_sha256, key.before):
            raise KeyReused
        return dict(row.response)
    answer = await effect()
    await tx.execute(update(idempotency_key).where(*mine).values(response=dict(answer)))
    return answer


async def _take(tx: Write, key: OnceKey) -> bool:
    """Whether this transaction is the key's first."""
    row = {
        "client_id": key.client_id,
        "key": key.key,
        "request_sha256": key.request_sha256,
        "response": {},
        "created_at": datetime.now(UTC),
    }
    await tx.execute(text(f"set local lock_timeout = '{TWIN_WAIT}'"))
    try:
        statement = insert(idempotency_key).values(row).on_conflict_do_nothing().returning(idempotency_key.c.key)
        made = (await tx.execute(statement)).first() is not None
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise TwinRunning from None
        raise
    await tx.execute(text("set local lock_timeout to default"))
    return made


async def forget_keys(database: Database) -> int:
    """Deletes what is older than :data:`KEPT`, a batch of it. Returns how many rows."""
    async with database.work() as tx:
        return (await tx.execute(_FORGET, {"kept": KEPT, "at_once": AT_ONCE})).rowcount
