"""Signed heads leave the database: every minute, or when many rows have come, one line is added to a file in the home.

The file is one implementation of the port :class:`Sink`; a SIEM or a time-stamping authority (RFC 3161) is another. Processes of one home share its file: whoever comes
first within the period writes, and none writes what the last line says already.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import orjson
import structlog

from hub.access.audit.chain import ChainKeys
from hub.access.audit.heads import BEGIN, Heads, digest, number_of, read_heads, signed
from hub.store.database import STORE_ERRORS, Database

log = structlog.get_logger("hub.audit")
PERIOD = 60.0
"""Seconds between two lines."""
_TAIL = 65_536


class Sink(Protocol):
    """Where signed heads go."""

    def add(self, heads: Heads, sign: Callable[[int, str], bytes], younger_than: float = 0.0) -> int | None:
        """Keeps the line that ``sign`` makes for the next number and the digest of the line before, for good, and returns its number. None where the last line
        says the same, or is younger than so many seconds."""
        ...


class HeadsFile:
    """Lines in ``heads.jsonl``. Only ever added to; on the disk before :meth:`add` returns."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "heads.jsonl"

    @property
    def last(self) -> int:
        """The number of the last line; 0 where there is none."""
        if not self.path.exists():
            return 0
        with self.path.open("rb") as file:
            return number_of(_last_line(file.fileno(), os.fstat(file.fileno()).st_size))

    def add(self, heads: Heads, sign: Callable[[int, str], bytes], younger_than: float = 0.0) -> int | None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "r+b", buffering=0) as file:
            # Another process of this home waits; the lock ends with the file.
            fcntl.flock(file, fcntl.LOCK_EX)
            state = os.fstat(file.fileno())
            last = _last_line(file.fileno(), state.st_size)
            if last is not None and (time.time() - state.st_mtime < younger_than or _says(last) == heads.of):
                return None
            number = number_of(last) + 1
            file.write(sign(number, digest(last) if last is not None else BEGIN))
            os.fsync(file.fileno())
        return number


def _last_line(handle: int, size: int) -> bytes | None:
    """None for an empty file. Half a line, left by a process that died, counts as one: it is told by the verification."""
    tail = os.pread(handle, _TAIL, max(0, size - _TAIL)).rstrip(b"\n")
    return tail.rpartition(b"\n")[2] if tail else None


def _says(line: bytes) -> object:
    try:
        return {one["shard"]: (one["sequence"], one["hash"]) for one in orjson.loads(line)["heads"]}
    except (ValueError, KeyError, TypeError):
        return None


async def publish(database: Database, keys: ChainKeys, sink: Sink, younger_than: float = 0.0, restored: Heads | None = None) -> int | None:
    """Publishes the heads of all chains as they are now. Returns the line's number, None where there was nothing new to say. ``restored``: see :func:`signed`."""
    heads = await read_heads(database)
    if not heads.of:
        return None
    return await asyncio.to_thread(sink.add, heads, lambda number, previous: signed(keys, heads, number, previous, restored), younger_than)


async def keep_publishing(
    database: Database, keys: ChainKeys, sink: Sink, crowded: asyncio.Event | None = None, period: float = PERIOD
) -> None:
    """The duty of every process that serves or works. ``crowded`` says that many rows have come: then it does not wait for the period."""
    crowded = crowded or asyncio.Event()
    while True:
        try:
            async with asyncio.timeout(period):
                await crowded.wait()
        except TimeoutError:
            pass
        young = 0.0 if crowded.is_set() else 0.9 * period
        crowded.clear()
        try:
            await publish(database, keys, sink, young)
        except (*STORE_ERRORS, OSError) as error:
            # The next line says all that this one would have said.
            log.warning("heads_not_published", kind=type(error).__name__)
