"""The columns of a page as PostgreSQL reads arrays: as it writes them where JSON almost does, in its own binary form where that costs neither side more.

An id or a digest as text is twice as long, and PostgreSQL takes it apart digit by digit.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson
import psycopg
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format

from hub.store.rows import plain

UUID_BYTES, DIGEST_BYTES = 16, 32
_UUID, _UUIDS = 2950, 2951
_BYTES, _BYTE_ARRAYS = 17, 1001


class Uuids(bytes):
    """A ``uuid[]`` in PostgreSQL's binary form."""


class Digests(bytes):
    """A ``bytea[]`` in PostgreSQL's binary form."""


class _AsIs(Dumper):
    format = Format.BINARY

    def dump(self, obj: Any) -> Buffer:
        return obj  # type: ignore[no-any-return]


class _UuidsAsTheyAre(_AsIs):
    oid = _UUIDS


class _DigestsAsTheyAre(_AsIs):
    oid = _BYTE_ARRAYS


psycopg.adapters.register_dumper(Uuids, _UuidsAsTheyAre)
psycopg.adapters.register_dumper(Digests, _DigestsAsTheyAre)


def ids(count: int) -> Uuids:
    """UUIDv7 like :func:`hub.domain.identifiers.new_id`, many at once, each after the one before: the index that holds them grows at one place."""
    kept, order = _pattern(count)
    head = (time.time_ns() // 1_000_000 << 16).to_bytes(8, "big") + bytes(8)
    made = int.from_bytes(os.urandom(UUID_BYTES * count), "big") & kept | order | int.from_bytes(head * count, "big")
    return Uuids(_array(_UUID, made.to_bytes(UUID_BYTES * count, "big"), UUID_BYTES))


@lru_cache(maxsize=16)
def _pattern(count: int) -> tuple[int, int]:
    """Of so many ids side by side: the bits that are random, and the version, the place among them (in 4,096ths) and the variant."""
    order = b"".join((0x7000 | place * 4096 // count).to_bytes(8, "big") + (0x2 << 62).to_bytes(8, "big") for place in range(count))
    return int.from_bytes((bytes(8) + ((1 << 62) - 1).to_bytes(8, "big")) * count, "big"), int.from_bytes(order, "big")


def digests(column: Sequence[str]) -> Digests:
    """SHA-256 in hex as bytes."""
    return Digests(_array(_BYTES, bytes.fromhex("".join(column)), DIGEST_BYTES))


def _array(element: int, data: bytes, size: int) -> bytes:
    """One dimension, no nulls; each element with its length."""
    if not data:
        return struct.pack("!iiI", 0, 0, element)
    length = struct.pack("!i", size)
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    return struct.pack("!iiIii", 1, 0, element, len(parts), 1) + length + length.join(parts)


def literal(column: Sequence[Any]) -> str:
    """An array as PostgreSQL writes it. JSON's is the same in other brackets, unless there is something to escape."""
    text = orjson.dumps(column, default=plain)
    if b"\\" in text:
        return "{" + ",".join("NULL" if value is None else _quoted(value) for value in column) + "}"
    return "{" + text[1:-1].decode() + "}"


def _quoted(value: object) -> str:
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
