"""What links one row to the one before it: ``h_n = HMAC-SHA256(k, h_(n-1) || canonical row)``.

There are :data:`SHARDS` chains of the access log, a hash partition of the customers each, so that no row is everybody's; and one of what operators changed. In
each the sequence has no gaps. The key comes from the key service and is never in the database: whoever can write rows cannot make a link.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SHARDS = 16
EVENTS = SHARDS
"""The chain of what operators changed."""
ALL = (*range(SHARDS), EVENTS)
LOCKS = 0x41554454
"""First number of the advisory locks: whoever appends to a chain holds its lock until the commit."""
TIME = '\'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\''
"""How a row's time is written, for ``to_char``: microseconds, always six digits."""

# A statement's snapshot is taken when it begins: the lock is taken by one statement, the head is read by the next.
LOCK = f"SELECT pg_advisory_xact_lock({LOCKS}, s) FROM unnest(CAST(%(shards)s AS int[])) AS s"  # noqa: S608
HEADS = f"""
SELECT s AS shard, coalesce(l.sequence, e.sequence, a.sequence, 0) AS sequence, coalesce(l.hash, e.hash, a.hash) AS hash,
    to_char(clock_timestamp() AT TIME ZONE 'UTC', {TIME}) AS at
FROM unnest(CAST(%(shards)s AS int[])) AS s
LEFT JOIN LATERAL (SELECT l.sequence, l.hash FROM access_log l WHERE l.shard = s AND l.sequence IS NOT NULL ORDER BY l.sequence DESC LIMIT 1) l ON true
LEFT JOIN LATERAL (SELECT e.sequence, e.hash FROM audit_event e WHERE s = {EVENTS} AND e.shard = s ORDER BY e.sequence DESC LIMIT 1) e ON true
LEFT JOIN LATERAL (
    SELECT a.sequence, a.hash FROM audit_anchor a WHERE l.sequence IS NULL AND e.sequence IS NULL AND a.shard = s ORDER BY a.sequence DESC LIMIT 1
) a ON true
ORDER BY s
"""  # noqa: S608
"""The last row of each chain; where a chain was emptied by time, what its anchor remembers."""


class Secrets(Protocol):
    """Where the master key comes from. Implemented by ``hub.vault.KeyService``."""

    @property
    def audit(self) -> bytes: ...


@dataclass(frozen=True)
class ChainKeys:
    """What is derived from the master key: one key that links, one that signs heads."""

    master: bytes

    @staticmethod
    def of(secrets: Secrets) -> ChainKeys:
        return ChainKeys(secrets.audit)

    @cached_property
    def linking(self) -> bytes:
        return hmac.digest(self.master, b"hub|audit|chain", "sha256")

    @cached_property
    def signing(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(hmac.digest(self.master, b"hub|audit|heads", "sha256"))

    def link(self, before: bytes, row: bytes) -> bytes:
        """The hash of a row whose predecessor has the hash ``before``."""
        return hmac.digest(self.linking, before + row, "sha256")

    def begin(self, shard: int) -> bytes:
        """What the first row of a chain is linked to."""
        return hmac.digest(self.linking, b"begin|%d" % shard, "sha256")

    def anchor(self, shard: int, sequence: int, head: bytes) -> bytes:
        """Vouches for the place from where on a trimmed chain is told: only the hub can say that what came before went by rule."""
        return hmac.digest(self.linking, b"anchor|%d|%d|" % (shard, sequence) + head, "sha256")


def shard_of(customer_id: UUID) -> int:
    """The chain of a customer. The last byte of an id is random."""
    return customer_id.bytes[15] % SHARDS


def canonical(row: Mapping[str, Any]) -> bytes:
    """JSON with its members in order, without blanks, in UTF-8."""
    return orjson.dumps(row, option=orjson.OPT_SORT_KEYS)


@dataclass(slots=True)
class Head:
    """The end of a chain, while rows are added to it."""

    shard: int
    sequence: int
    hash: bytes
    at: str

    @staticmethod
    def of(keys: ChainKeys, row: Any) -> Head:
        """``row`` is one of :data:`HEADS`."""
        shard, sequence, found, at = row
        return Head(shard, sequence, bytes(found) if found is not None else keys.begin(shard), at)

    def add(self, keys: ChainKeys, values: Mapping[str, Any]) -> bytes:
        """The next row as JSON, with its place and hash."""
        self.sequence += 1
        row = canonical({**values, "shard": self.shard, "sequence": self.sequence, "at": self.at})
        self.hash = keys.link(self.hash, row)
        return row[:-1] + b',"hash":"%s"}' % self.hash.hex().encode()


def array(rows: Sequence[bytes]) -> str:
    """A JSON array of rows."""
    return "[" + b",".join(rows).decode() + "]"
