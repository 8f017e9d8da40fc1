"""Every chain against itself and against what was published. Rows are streamed; the first one of each chain that does not hold is named.

A chain alone shows what was changed within it. That its end was cut off, or that all of it was linked anew by somebody who has the key, only a published head shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from hub.access.audit.chain import ALL, EVENTS, SHARDS, ChainKeys
from hub.access.audit.diagnose import Break, Fault, Finding, diagnose
from hub.access.audit.heads import Lost, Published, read_heads
from hub.access.audit.rows import PAGE, Chain, Row, fetch
from hub.store.database import Database

AT_ONCE = 2
"""Chains that are read at the same time: while one is computed, PostgreSQL reads the other."""
_ANCHORS = "SELECT DISTINCT ON (shard) shard, sequence, hash, seal FROM audit_anchor ORDER BY shard, sequence DESC"
# Rows outside every chain. Those older than the oldest row of a chain were written before there was one.
_SHARDS = f"'{{{','.join(map(str, range(SHARDS)))}}}'::int[]"
_STRAY = f"""
WITH begun AS (SELECT least((SELECT min(a.at) FROM audit_anchor a), (SELECT min(l.at) FROM access_log l WHERE l.shard = ANY ({_SHARDS}) AND l.sequence = 1),
    (SELECT min(e.at) FROM audit_event e WHERE e.shard = {EVENTS} AND e.sequence = 1)) AS at)
SELECT t.id::text, t.at < coalesce(b.at, 'infinity') AS before
FROM (SELECT log_id AS id, at FROM access_log WHERE shard IS NULL OR shard < 0 OR shard >= {SHARDS}
        OR (shard = ANY ({_SHARDS}) AND sequence IS NULL) OR (shard = ANY ({_SHARDS}) AND sequence < 1)
    UNION ALL SELECT event_id, at FROM audit_event WHERE sequence IS NULL OR shard IS DISTINCT FROM {EVENTS} OR sequence < 1) t, begun b
"""  # noqa: S608


@dataclass(slots=True)
class Verified:
    """``rows`` held; ``before`` stand in no chain because they were written before there was one: they prove nothing. ``lines`` of published heads were compared;
    ``lost`` is what went with a backup that was restored: no fault, and nothing to keep quiet about."""

    rows: int = 0
    before: int = 0
    lines: int = 0
    findings: list[Finding] = field(default_factory=list)
    lost: Sequence[Lost] = ()


@dataclass(frozen=True, slots=True)
class Anchor:
    """From where on a chain is told."""

    sequence: int
    hash: bytes


async def verify(database: Database, keys: ChainKeys, published: Published, tell: Callable[[int], None] = lambda rows: None) -> Verified:
    """``tell`` hears how many rows were looked at."""
    done = Verified(lines=published.lines, findings=list(published.faults), lost=published.lost)
    anchors = await read_anchors(database, keys, done.findings)
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(shard: int) -> None:
        async with gate:
            walk = Walk(database, Chain(shard, keys), published.of.get(shard, {}), anchors.get(shard), tell)
            finding = await walk.to_its_end()
        done.rows += walk.rows
        done.findings += [finding] if finding else []

    await asyncio.gather(*(one(shard) for shard in ALL))
    await _stray(database, done)
    done.findings.sort(key=lambda found: (found.shard is not None, found.shard or 0, found.sequence))
    return done


async def count(database: Database, keys: ChainKeys) -> int:
    """How many rows there are to verify: for a progress bar."""
    anchors = await read_anchors(database, keys, [])
    heads = (await read_heads(database)).of
    return sum(sequence - (anchors[shard].sequence if shard in anchors else 0) for shard, (sequence, _) in heads.items())


async def read_anchors(database: Database, keys: ChainKeys, findings: list[Finding]) -> Mapping[int, Anchor]:
    """One that does not bear the hub's seal is told, and believed by nobody."""
    found = {}
    for shard, sequence, head, seal in await fetch(database, _ANCHORS, {}):
        if seal == keys.anchor(shard, sequence, head):
            found[shard] = Anchor(sequence, head)
        else:
            findings.append(Finding(shard, sequence, None, Fault.EDITED, "The anchor, from where on this chain is told, is not the hub's."))
    return found


async def _stray(database: Database, done: Verified) -> None:
    for row, before in await fetch(database, _STRAY, {}):
        if before:
            done.before += 1
        else:
            done.findings.append(Finding(None, 0, row, Fault.INSERTED, "This row stands in no chain."))


class Walk:
    """One chain, from its beginning or its anchor to its end. ``agreed`` is the last place at which it agrees with a published head."""

    def __init__(
        self, database: Database, chain: Chain, published: Mapping[int, str], anchor: Anchor | None, tell: Callable[[int], None]
    ) -> None:
        self.database, self.chain, self.tell = database, chain, tell
        self.rows, self.begun = 0, anchor.sequence if anchor else 0
        self.sequence, self.hash = self.begun, anchor.hash if anchor else chain.keys.begin(chain.shard)
        self.published = {place: found for place, found in published.items() if place >= self.begun}
        self.agreed = self.begun

    async def to_its_end(self) -> Finding | None:
        """The first thing that is wrong."""
        if self.published.get(self.begun, self.hash.hex()) != self.hash.hex():
            return self._rewritten(self.begun)
        page = await self.chain.page(self.database, self.sequence + 1)
        while page:
            # The next page is asked for before this one is looked at.
            following = asyncio.create_task(self._behind(page))
            await asyncio.sleep(0)
            broken = self._through(page)
            self.tell(len(page))
            page = await following
            if broken is not None:
                place = Break(self.chain, self.sequence + 1, self.hash)
                return broken if isinstance(broken, Finding) else await diagnose(self.database, place, broken)
        return self._end()

    async def _behind(self, page: Sequence[Row]) -> list[Row]:
        return await self.chain.page(self.database, page[-1].sequence, page[-1].id) if len(page) == PAGE else []

    def _through(self, page: Sequence[Row]) -> Row | Finding | None:
        """The row at which the chain breaks, what a published head says about it, or None."""
        link, published, sequence, before = self.chain.linker(), self.published, self.sequence, self.hash
        for row in page:
            if row.sequence != sequence + 1 or link(before, row, row.sequence) != row.hash:
                self.sequence, self.hash = sequence, before
                return row
            sequence, before = row.sequence, row.hash
            self.rows += 1
            if sequence in published:
                if published[sequence] != before.hex():
                    return self._rewritten(sequence)
                self.agreed = sequence
        self.sequence, self.hash = sequence, before
        return None

    def _rewritten(self, place: int) -> Finding:
        first = self.agreed + 1
        detail = f"A head was published for row {place}, and it is another: the rows from {first} to {place} were linked anew."
        return Finding(self.chain.shard, first, None, Fault.RECHAINED, detail)

    def _end(self) -> Finding | None:
        last = max(self.published, default=0)
        if last > self.sequence:
            detail = f"A head was published for row {last}, and the chain ends with row {self.sequence}."
            return Finding(self.chain.shard, self.sequence + 1, None, Fault.CUT, detail)
        return None
