"""The group committer: access-log rows are durable before the answers leave, and many answers share one commit.

A read hands over its rows and waits. Whatever waits while a commit is under way goes with the next one: the locks of the chains concerned are taken in order, the
rows linked and inserted in two round trips, and only then all those answers go. If it fails, none of them does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from hub.access.audit.chain import HEADS, LOCK, ChainKeys, Head, array, shard_of
from hub.domain.audit import Accessed
from hub.domain.identifiers import new_id
from hub.store.database import Database, is_away
from hub.store.line import Row

_INSERT = """
INSERT INTO access_log (customer_id, log_id, client_id, purpose, operation, document_sha256, fields, consents, terms, withheld, outcome, at, shard, sequence, hash)
SELECT r.customer_id, r.log_id, r.client_id, r.purpose, r.operation, r.document_sha256, r.fields, r.consents, r.terms, r.withheld, r.outcome, r.at, r.shard,
    r.sequence, decode(r.hash, 'hex')
FROM json_to_recordset(CAST(%(rows)s AS json)) AS r(customer_id uuid, log_id uuid, client_id text, purpose text, operation text, document_sha256 text,
    fields text[], consents uuid[], terms text[], withheld text[], outcome text, at timestamptz, shard smallint, sequence bigint, hash text)
"""
# A process that is stopped while it holds a chain's lock keeps everybody else's answers back for no longer than this.
_LOCK = LOCK.replace("SELECT ", "SELECT set_config('idle_in_transaction_session_timeout', '5s', true), ", 1)
MOST = 1_000
"""Rows of one commit."""
Waiting = tuple[Sequence[Accessed], "asyncio.Future[None]"]


class AccessLog:
    """See the module. One per process. ``added`` counts rows; ``crowded`` is set when ``every`` more of them are there."""

    def __init__(self, database: Database, keys: ChainKeys, every: int = 10_000) -> None:
        self.database, self.keys, self.every = database, keys, every
        self.added, self.crowded = 0, asyncio.Event()
        self._waiting: list[Waiting] = []
        self._working: asyncio.Task[None] | None = None

    async def write(self, rows: Sequence[Accessed]) -> None:
        """Returns when the rows are durable. Raises whatever kept them from it."""
        if not rows:
            return
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((rows, done))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        await done

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._settle(self._taken())
        finally:
            # Whoever stops this task, at the end of the process, must leave nobody waiting.
            for _, done in self._waiting:
                done.cancel()
            self._waiting.clear()

    def _taken(self) -> list[Waiting]:
        """Those who wait, up to :data:`MOST` rows, and never nobody."""
        taken, rows = 1, len(self._waiting[0][0])
        while taken < len(self._waiting) and rows + len(self._waiting[taken][0]) <= MOST:
            rows += len(self._waiting[taken][0])
            taken += 1
        found, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return found

    async def _settle(self, group: list[Waiting]) -> None:
        """Tells everybody of a group how it went. A row that the database refuses costs its own answer, not its neighbours'."""
        try:
            await self._commit([row for rows, _ in group for row in rows])
            _tell(group, None)
        except (SQLAlchemyError, OSError) as error:
            if len(group) > 1 and not is_away(error):
                for one in group:
                    await self._settle([one])
            _tell(group, error)
        finally:
            # Whatever else happened: nobody is left waiting for what will not come.
            for _, done in group:
                done.cancel()

    def _head(self, row: Row) -> Head:
        """As PostgreSQL writes it."""
        shard, sequence, found, at = ((value or b"").decode() for value in row)
        return Head.of(self.keys, (int(shard), int(sequence), bytes.fromhex(found[2:]) if found else None, at))

    async def _commit(self, rows: Sequence[Accessed]) -> None:
        shards = sorted({shard_of(row.customer_id) for row in rows})
        async with self.database.writers.held() as say:
            # No client and no purpose to tell: the role that writes here sees all rows of the log.
            *_, found = await say(("BEGIN", {}), (_LOCK, {"shards": shards}), (HEADS, {"shards": shards}))
            heads = {head.shard: head for head in map(self._head, found)}
            linked = [heads[shard_of(row.customer_id)].add(self.keys, _values(row)) for row in rows]
            await say((_INSERT, {"rows": array(linked)}), ("COMMIT", {}))
        if (self.added + len(rows)) // self.every > self.added // self.every:
            self.crowded.set()
        self.added += len(rows)


def _tell(group: Sequence[Waiting], error: Exception | None) -> None:
    for _, done in group:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)


def _values(row: Accessed) -> dict[str, object]:
    return {
        "customer_id": row.customer_id,
        "log_id": new_id(),
        "client_id": row.client_id,
        "purpose": row.purpose,
        "operation": row.operation,
        "document_sha256": row.document_sha256,
        "fields": row.fields,
        "consents": row.consents,
        "terms": row.terms,
        "withheld": row.withheld,
        "outcome": row.outcome,
    }
