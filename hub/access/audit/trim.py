"""Old rows leave from the beginning of each chain, and the rest still holds: an anchor remembers the last row that left, under the hub's seal.

Records of who was given what are kept three years (网络数据安全管理条例 12), so nothing younger can be trimmed. Nothing leaves that does not hold: trimming must
not be a way to lose a row that was tampered with. Only the owner of the tables may delete from them; the roles that serve and work may not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from hub.access.audit.chain import ALL, EVENTS, LOCKS, ChainKeys, Secrets
from hub.access.audit.diagnose import Finding
from hub.access.audit.events import audited
from hub.access.audit.rows import Chain
from hub.access.audit.verify import Anchor, read_anchors
from hub.domain.periods import CHINA, china_day
from hub.errors import InvalidInput
from hub.store.database import Database

log = structlog.get_logger("hub.audit")

YEARS = 3
NO_CHAIN = -1
"""Stands for the rows of the access log that are in no chain, where rows are counted by shard."""


async def trim_old(database: Database, secrets: Secrets, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> int:
    """What was logged on a day that is more than three years ago; returns how many rows left. What breaks on the way stays, and is `hub audit verify`'s to name."""
    moment = now()
    try:
        return sum((await trim(database, secrets, kept_from(moment), moment)).values())
    except InvalidInput as error:
        log.error("access_log_not_trimmed", kind=type(error).__name__)
        return 0


def kept_from(now: datetime) -> datetime:
    """The beginning of the day three years ago, in China: what is older may leave. (The 29th of February was the 28th in a year that had none.)"""
    day = china_day(now)
    return datetime.combine(day.replace(year=day.year - YEARS, day=min(day.day, 28) if day.month == 2 else day.day), time.min, CHINA)


@dataclass(frozen=True, slots=True)
class Place:
    """The last row of a chain that may leave."""

    sequence: int
    hash: bytes


async def trim(database: Database, secrets: Secrets, before: datetime, now: datetime) -> dict[int, int]:
    """Removes what is older than ``before`` from every chain and beside them; returns how many rows by shard. Raises InvalidInput where that is less than three years ago, or where
    what would leave does not hold.
    """
    if before > kept_from(now):
        raise InvalidInput("The access log is kept for three years.", remedy="Name an earlier day.")
    keys, findings = ChainKeys.of(secrets), list[Finding]()
    anchors = await read_anchors(database, keys, findings)
    if findings:
        raise InvalidInput(findings[0].detail, remedy="Run `hub audit verify`.")
    gone = {}
    for shard in ALL:
        place = await _oldest_kept(database, Chain(shard, keys), anchors.get(shard), before)
        if place is not None:
            await _anchor(database, keys, shard, place, before)
        # Also what a trim that was interrupted between the two left behind.
        upto = place.sequence if place is not None else anchors[shard].sequence if shard in anchors else 0
        gone[shard] = await _delete(database, shard, upto)
    unchained = await _delete_unchained(database, before)
    if unchained:
        gone[NO_CHAIN] = unchained
    told = {str(shard): rows for shard, rows in gone.items() if rows}
    if told:
        async with database.work() as tx:
            await audited(tx, secrets, actor="clock", action="audit.trim", subject=f"before:{before.isoformat()}", after={"rows": told})
    return {shard: rows for shard, rows in gone.items() if rows}


async def _oldest_kept(database: Database, chain: Chain, anchor: Anchor | None, before: datetime) -> Place | None:
    """The last row before the first one that stays. Raises InvalidInput where the chain breaks on the way."""
    sequence, head = (anchor.sequence, anchor.hash) if anchor else (0, chain.keys.begin(chain.shard))
    begun, link, at = sequence, chain.linker(), _text(before)
    while page := await chain.page(database, sequence + 1):
        for row in page:
            if chain.time_of(row) >= at:
                return Place(sequence, head) if sequence > begun else None
            if row.sequence != sequence + 1 or link(head, row, row.sequence) != row.hash:
                raise InvalidInput(
                    f"Chain {chain.shard} breaks at row {sequence + 1}: nothing was removed from it.", remedy="Run `hub audit verify`."
                )
            sequence, head = row.sequence, row.hash
    return Place(sequence, head) if sequence > begun else None


def _text(moment: datetime) -> str:
    """As a row's time is written, so that both compare as text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


_ANCHOR = text("INSERT INTO audit_anchor (shard, sequence, hash, seal, at) VALUES (:shard, :sequence, :hash, :seal, :at)")


async def _anchor(database: Database, keys: ChainKeys, shard: int, place: Place, before: datetime) -> None:
    row = {
        "shard": shard,
        "sequence": place.sequence,
        "hash": place.hash,
        "seal": keys.anchor(shard, place.sequence, place.hash),
        "at": before,
    }
    async with database.work() as tx:
        # Nobody appends meanwhile: the anchor is the head of a chain that has lost all its rows.
        await tx.execute(text("SELECT pg_advisory_xact_lock(:space, :shard)"), {"space": LOCKS, "shard": shard})
        await tx.execute(_ANCHOR, row)


async def _delete(database: Database, shard: int, upto: int) -> int:
    if not upto:
        return 0
    table = "audit_event" if shard == EVENTS else "access_log"
    statement = f"DELETE FROM {table} WHERE shard = :shard AND sequence BETWEEN 1 AND :upto"  # noqa: S608
    return await _as_owner(database, statement, {"shard": shard, "upto": upto})


async def _delete_unchained(database: Database, before: datetime) -> int:
    """What a version before the chain logged, or one before this while both served: it proves nothing, and is somebody's all the same."""
    return await _as_owner(database, "DELETE FROM access_log WHERE shard IS NULL AND at < :before", {"before": before})


async def _as_owner(database: Database, statement: str, values: dict[str, Any]) -> int:
    """As the owner of the tables, on a connection that ends with it."""
    engine = create_async_engine(database.urls.owner, poolclass=NullPool, hide_parameters=True)
    try:
        async with engine.begin() as owner:
            return (await owner.execute(text(statement), values)).rowcount
    finally:
        await engine.dispose()
