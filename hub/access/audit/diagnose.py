"""What is wrong with the first row that does not hold.

The chain itself tells: a row that was moved still links at the place it was made for, a row that was edited still carries the hash its successor was linked to, and
behind a wrong key nothing links any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from hub.access.audit.rows import Chain, Row
from hub.store.database import Database

AHEAD = 50
"""Rows behind the broken one that are looked at for whether anything links again."""


class Fault(StrEnum):
    EDITED = "edited"
    MISSING = "missing"
    REORDERED = "reordered"
    INSERTED = "inserted"
    CUT = "cut tail"
    RECHAINED = "re-chained"
    HEAD = "published head"


@dataclass(frozen=True, slots=True)
class Finding:
    """``shard`` is None for what is about a file of heads; ``row`` is the id of the row that stands there."""

    shard: int | None
    sequence: int
    row: str | None
    fault: Fault
    detail: str


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain breaks: its row ``sequence`` should follow the hash ``before``."""

    chain: Chain
    sequence: int
    before: bytes

    def finding(self, fault: Fault, row: Row | None, detail: str) -> Finding:
        return Finding(self.chain.shard, self.sequence, row.id if row else None, fault, detail)


async def diagnose(database: Database, broken: Break, found: Row) -> Finding:
    """``found`` is the row that was met where the chain breaks."""
    if found.sequence < broken.sequence:
        told = Break(broken.chain, found.sequence, b"")
        return told.finding(Fault.INSERTED, found, "A second row stands in this place.")
    link, n = broken.chain.linker(), broken.sequence
    ahead = await broken.chain.page(database, n, most=AHEAD)
    here = [row for row in ahead if row.sequence == n]
    genuine = [row for row in here if link(broken.before, row, n) == row.hash]
    if genuine:
        return broken.finding(Fault.INSERTED, next(row for row in here if row not in genuine), "A second row stands in this place.")
    moved = await _moved(database, broken, link)
    if not here:
        return _gap(broken, ahead, moved)
    return _mismatch(broken, here[0], ahead, moved, link)


Link = Callable[[bytes, Row, int], bytes]


async def _moved(database: Database, broken: Break, link: Link) -> Row | None:
    """The row that belongs where the chain breaks, if it stands somewhere behind."""
    sequence, after = broken.sequence, None
    while page := await broken.chain.page(database, sequence, after):
        for row in page:
            if link(broken.before, row, broken.sequence) == row.hash:
                return row
        sequence, after = page[-1].sequence, page[-1].id
    return None


def _gap(broken: Break, ahead: Sequence[Row], moved: Row | None) -> Finding:
    if moved is not None:
        return broken.finding(Fault.REORDERED, moved, f"The row of this place stands at {moved.sequence}.")
    last = ahead[0].sequence - 1
    return broken.finding(Fault.MISSING, None, "This row is gone." if last == broken.sequence else f"The rows up to {last} are gone.")


def _mismatch(broken: Break, row: Row, ahead: Sequence[Row], moved: Row | None, link: Link) -> Finding:
    """A row stands where one belongs, and it is not the one that was linked."""
    n, behind = broken.sequence, [one for one in ahead if one.sequence > broken.sequence]
    if moved is not None:
        return _displaced(broken, row, behind, moved, link)
    if not behind:
        return broken.finding(Fault.EDITED, row, "Its content is not what was linked.")
    follower = behind[0]
    if link(row.hash, follower, follower.sequence) == follower.hash:
        return broken.finding(Fault.EDITED, row, "Its content is not what was linked; its hash is.")
    if link(link(broken.before, row, n), follower, follower.sequence) == follower.hash:
        return broken.finding(Fault.EDITED, row, "Its hash is not what was linked; its content is.")
    if link(row.hash, follower, follower.sequence + 1) == follower.hash:
        return broken.finding(Fault.MISSING, None, "The row of this place is gone, and those behind it were given other places.")
    if any(link(one.hash, other, other.sequence) == other.hash for one, other in pairwise(behind)):
        return broken.finding(Fault.EDITED, row, "Neither its content nor its hash is what was linked.")
    return broken.finding(Fault.RECHAINED, row, "From here on no row is linked under the hub's key.")


def _displaced(broken: Break, row: Row, behind: Sequence[Row], moved: Row, link: Link) -> Finding:
    """The row of this place stands behind: another was put before it, or both changed places."""
    n = broken.sequence
    beyond = next((one for one in behind if one.sequence == moved.sequence + 1), None)
    shifted = beyond is None or link(moved.hash, beyond, n + 1) == beyond.hash
    if moved.sequence == n + 1 and shifted and link(moved.hash, row, n + 1) != row.hash:
        return broken.finding(Fault.INSERTED, row, "It was put in here, and those behind it were given other places.")
    return broken.finding(Fault.REORDERED, row, f"The row of this place stands at {moved.sequence}.")
