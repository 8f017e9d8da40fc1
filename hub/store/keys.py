"""Which keys a page brings: what tells one record from another while a window is read, and two records of a page from each other.

A key is told by 8 bytes of SHA-256 over ``kind|source key``; PostgreSQL computes the same from a stored fact (:data:`OF_FACT`). That two keys of one window share theirs
is a matter of one in billions; a record too few is then counted, or a deleted fact stays.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from hub.domain.facts import spec_of
from hub.store.facts import Batch

SIZE = 8
OF_FACT = f"substring(sha256(convert_to(%(kind)s || '|' || f.source_key, 'UTF8')) FROM 1 FOR {SIZE})"
"""The key of a row ``f`` of a fact table, in SQL."""


class Doubles(NamedTuple):
    """Records of a page whose keys are all those of later ones on it. ``same`` counts those with the same content, which say nothing new; ``other`` are the positions
    of those with another: of two such records only one can be kept, the later."""

    same: int
    other: frozenset[int]


def doubles(batch: Batch) -> Doubles:
    """A record that has a key of its own beside the shared one is not lost, so it is none."""
    if not batch.displaced:
        return Doubles(0, frozenset())
    kept = {position for rows in batch.kinds.values() for position, _ in rows.values()}
    lost = {position for _, position, _ in batch.displaced} - kept
    other = {position for cls, position, row in batch.displaced if position in lost and batch.kinds[cls][row[0]][1][1] != row[1]}
    return Doubles(len(lost) - len(other), frozenset(other))


def digests(batch: Batch) -> tuple[bytes, bytes]:
    """Of the records and of the facts that a page brings, each once."""
    sha256 = hashlib.sha256
    facts: list[bytes] = []
    positions: list[int] = []
    for cls, rows in batch.kinds.items():
        head = f"{spec_of(cls).name}|".encode()
        facts += [sha256(head + key.encode()).digest()[:SIZE] for key in rows]
        positions += [position for position, _ in rows.values()]
    told = b"".join(facts)
    return told if len(set(positions)) == len(positions) else _by_record(positions, facts), told


def _by_record(positions: list[int], facts: list[bytes]) -> bytes:
    """One key for what a record brings, where one brings several facts."""
    records: dict[int, list[bytes]] = {}
    for position, digest in zip(positions, facts, strict=True):
        records.setdefault(position, []).append(digest)
    return b"".join(own[0] if len(own) == 1 else hashlib.sha256(b"".join(own)).digest()[:SIZE] for own in records.values())
