"""The group committer: access-log rows are durable before the answers leave, and many answers share one commit.

A read hands over its rows and waits. Whatever waits while a commit is under way goes with the next one: the locks of the chains concerned are taken in order, the
rows linked and inserted in two round trips, and only then all those answers go. If it fails, none of them does.

What is still pending of a read's admission is settled by the same commit (ADR 71): the proof is used, and who has shown it before, or is not what he was remembered as, is
answered nothing and leaves no row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from hub.access.admissions import admitting, by_proof, standing
from hub.access.audit.chain import HEADS, LOCK, ChainKeys, Head, array, shard_of
from hub.domain.audit import Accessed
from hub.domain.caller import Pending, Reconsider, Standing
from hub.domain.identifiers import new_id
from hub.store.database import Database, is_away
from hub.store.line import Row, Statement

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


class Waiting(msgspec.Struct, frozen=True):
    """One answer that waits."""

    rows: Sequence[Accessed]
    pending: Pending | None
    done: asyncio.Future[None]

    @property
    def proof(self) -> tuple[str, str] | None:
        return by_proof(self.pending.asked) if self.pending is not None and self.pending.asked["proof"] is not None else None

    def holds(self, standing: Standing | None) -> bool:
        return standing is None or (self.pending is not None and self.pending.holds(standing))


class AccessLog:
    """See the module. One per process. ``added`` counts rows; ``crowded`` is set when ``every`` more of them are there."""

    def __init__(self, database: Database, keys: ChainKeys, every: int = 10_000) -> None:
        self.database, self.keys, self.every = database, keys, every
        self.added, self.crowded = 0, asyncio.Event()
        self._waiting: list[Waiting] = []
        self._working: asyncio.Task[None] | None = None

    async def write(self, rows: Sequence[Accessed], pending: Pending | None = None) -> None:
        """Returns when the rows are durable, and what was ``pending`` is settled. Raises whatever kept them from it; Reconsider where the admission does not hold: then no row
        was written."""
        if pending is not None and pending.settled:
            pending = None
        if not rows and pending is None:
            return
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(rows, pending, done))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        if pending is not None:
            # With its group, whether or not anybody still waits for it.
            pending.settled = True
        try:
            await done
        except (SQLAlchemyError, OSError) as error:
            if pending is not None and not is_away(error):
                # Nothing of that commit is kept. Where the store went away nobody knows.
                pending.settled = False
            raise

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._settle(self._taken())
        finally:
            # Whoever stops this task, at the end of the process, must leave nobody waiting.
            for one in self._waiting:
                one.done.cancel()
            self._waiting.clear()

    def _taken(self) -> list[Waiting]:
        """Those who wait, up to :data:`MOST` rows, and never nobody; before one who shows a proof that another of them shows, too: he finds it used."""
        taken, rows, proofs = 0, 0, set[tuple[str, str]]()
        for one in self._waiting:
            rows += len(one.rows)
            if taken and (rows > MOST or taken >= MOST or one.proof in proofs):
                break
            taken += 1
            if one.proof is not None:
                proofs.add(one.proof)
        found, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return found

    async def _settle(self, group: list[Waiting]) -> None:
        """Tells everybody of a group how it went. A row that the database refuses costs its own answer, not its neighbours'."""
        try:
            standings = await self._commit(group)
            for one, found in zip(group, standings, strict=True):
                _tell(one, found)
        except (SQLAlchemyError, OSError) as error:
            if len(group) > 1 and not is_away(error):
                for one in group:
                    await self._settle([one])
            for one in group:
                if not one.done.done():
                    one.done.set_exception(error)
        finally:
            # Whatever else happened: nobody is left waiting for what will not come.
            for one in group:
                one.done.cancel()

    def _head(self, row: Row) -> Head:
        """As PostgreSQL writes it."""
        shard, sequence, found, at = ((value or b"").decode() for value in row)
        return Head.of(self.keys, (int(shard), int(sequence), bytes.fromhex(found[2:]) if found else None, at))

    async def _commit(self, group: Sequence[Waiting]) -> list[Standing | None]:
        """How the requests stand whose admission was pending."""
        shards = sorted({shard_of(row.customer_id) for one in group for row in one.rows})
        pending = sorted((one for one in group if one.pending is not None), key=lambda one: one.proof or ("", ""))
        # No client and no purpose to tell: the role that writes here sees all rows of the log. Locks before proofs, in every process: nobody waits in a circle.
        first: list[Statement] = [("BEGIN", {})]
        if shards:
            listed = {"shards": f"{{{','.join(map(str, shards))}}}"}
            first += [(_LOCK, listed), (HEADS, listed)]
        if pending:
            first.append(admitting([one.pending.asked for one in pending if one.pending is not None]))
        async with self.database.writers.held() as say:
            found = await say(*first)
            stands = {id(one): standing(row) for one, row in zip(pending, found[-1], strict=True)} if pending else {}
            standings = [stands.get(id(one)) for one in group]
            rows = [row for one, how in zip(group, standings, strict=True) if one.holds(how) for row in one.rows]
            heads = {head.shard: head for head in map(self._head, found[2])} if shards else {}
            linked = [heads[shard_of(row.customer_id)].add(self.keys, _values(row)) for row in rows]
            await say(*[(_INSERT, {"rows": array(linked)})] if linked else [], ("COMMIT", {}))
        if (self.added + len(rows)) // self.every > self.added // self.every:
            self.crowded.set()
        self.added += len(rows)
        return standings


def _tell(one: Waiting, found: Standing | None) -> None:
    """What was committed."""
    try:
        if one.pending is not None and found is not None:
            one.pending.settle_as(found)
    except Reconsider as changed:
        if not one.done.done():
            one.done.set_exception(changed)
    else:
        if not one.done.done():
            one.done.set_result(None)


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
