"""Signed heads outside the database: each line holds by its signature and by the one before it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import text

from hub.access.audit.chain import EVENTS, canonical
from hub.access.audit.diagnose import Fault
from hub.access.audit.heads import Heads, _text, listed, public_key, read_heads, signed
from hub.access.audit.publish import HeadsFile, keep_publishing, publish
from hub.cli.backup import note_restore
from hub.store.database import Database
from hub.store.embedded import Urls
from tests.hub.access.audit.logs import KEYS, Secrets, fill, owner_of_everything, verified


async def test_lines_are_added_when_there_is_something_to_say(database: Database, tmp_path: Path) -> None:
    sink, random = HeadsFile(tmp_path / "audit"), Random(1)
    assert await publish(database, KEYS, sink) is None, "nothing was logged yet"
    numbers = []
    for _ in range(3):
        await fill(database, random, rows=2, events=1)
        numbers += [await publish(database, KEYS, sink), await publish(database, KEYS, sink)]
    assert numbers == [1, None, 2, None, 3, None]
    await fill(database, random, rows=1, events=0)
    assert await publish(database, KEYS, sink, younger_than=60) is None, "another process of this home was here a moment ago"
    content = sink.path.read_bytes()
    assert content.count(b"\n") == 3 and (sink.path.stat().st_mode & 0o777) == 0o600
    found = await verified(database, content)
    assert (found.findings, found.lines, found.rows) == ([], 3, 17)


def test_a_line_is_checked_with_the_public_key_alone() -> None:
    line = orjson.loads(signed(KEYS, Heads("2026-01-01T00:00:00.000000Z", {3: (7, "ab" * 32)}), 1, "0" * 64))
    key = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(public_key(KEYS) + "="))
    said = {name: line[name] for name in ("number", "previous", "at", "heads")}
    key.verify(base64.urlsafe_b64decode(line["signature"] + "=="), canonical(said))


def _forged(lines: list[bytes]) -> list[bytes]:
    said = orjson.loads(lines[1])
    said["heads"][0]["sequence"] = 1
    return [lines[0], orjson.dumps(said), *lines[2:]]


def _foreign(lines: list[bytes]) -> list[bytes]:
    said = orjson.loads(lines[1])
    said["signature"] = _text(b"s" * 64)
    return [lines[0], orjson.dumps(said), *lines[2:]]


TAMPERED: dict[str, tuple[Callable[[list[bytes]], list[bytes]], int]] = {
    "a line is taken out": (lambda lines: [lines[0], *lines[2:]], 2),
    "the first line is taken out": (lambda lines: lines[1:], 1),
    "two lines change places": (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], 2),
    "a line is doubled": (lambda lines: [lines[0], lines[0], *lines[1:]], 2),
    "a head is edited": (_forged, 2),
    "a signature is another's": (_foreign, 2),
    "half a line": (lambda lines: [*lines[:2], lines[2][:40]], 3),
    "no line": (lambda lines: [b"x", *lines], 1),
}


@pytest.mark.parametrize("name", TAMPERED)
async def test_a_file_that_was_tampered_with_is_told(database: Database, tmp_path: Path, name: str) -> None:
    sink, random = HeadsFile(tmp_path), Random(2)
    for _ in range(4):
        await fill(database, random, shards=(3,), rows=1, events=0)
        await publish(database, KEYS, sink)
    change, line = TAMPERED[name]
    content = b"\n".join(change(sink.path.read_bytes().splitlines()))
    (found,) = (await verified(database, content)).findings
    assert (found.shard, found.sequence, found.fault) == (None, line, "published head"), found
    assert (await verified(database, sink.path.read_bytes())).findings == []


async def test_processes_publish_by_themselves(database: Database, tmp_path: Path) -> None:
    """Every period, and at once when many rows have come."""
    await fill(database, Random(3), rows=1, events=0)
    crowded, file = asyncio.Event(), HeadsFile(tmp_path)
    duty = asyncio.create_task(keep_publishing(database, KEYS, file, crowded, period=60))
    await asyncio.sleep(0.05)
    assert not file.path.exists()
    crowded.set()
    await _lines(file, 1)
    duty.cancel()
    await fill(database, Random(4), rows=1, events=0)
    duty = asyncio.create_task(keep_publishing(database, KEYS, file, period=0.05))
    await _lines(file, 2)
    duty.cancel()
    await asyncio.wait([duty])


async def _lines(file: HeadsFile, count: int) -> None:
    for _ in range(500):
        if file.path.exists() and file.path.read_bytes().count(b"\n") >= count:
            return
        await asyncio.sleep(0.02)
    raise TimeoutError


@dataclass
class Restore:
    """A database that lost what came after a backup, and goes on. ``content`` is the file of heads."""

    urls: Urls
    database: Database
    sink: HeadsFile

    @property
    def content(self) -> bytes:
        return self.sink.path.read_bytes()

    async def until_now(self) -> Heads:
        """Ten rows are in the backup, more are published after it, and it is put back. Returns the heads that it had."""
        await fill(self.database, Random(1), shards=(3, 9), rows=5, events=2)
        await publish(self.database, KEYS, self.sink)
        had = await read_heads(self.database)
        await fill(self.database, Random(2), shards=(3,), rows=4, events=3)
        await publish(self.database, KEYS, self.sink)
        with owner_of_everything(self.urls) as admin:
            admin.execute("DELETE FROM access_log WHERE sequence > 5")
            admin.execute("DELETE FROM audit_event WHERE sequence > 2")
        return had


@pytest.fixture
def restore(urls: Urls, database: Database, tmp_path: Path) -> Restore:
    return Restore(urls, database, HeadsFile(tmp_path))


async def test_a_restore_is_a_beginning_that_is_named(restore: Restore) -> None:
    """The control is in the middle: without its line it is a cut tail, and soon a chain that was linked anew."""
    had, database = await restore.until_now(), restore.database
    assert {one.fault for one in (await verified(database, restore.content)).findings} == {Fault.CUT}
    before = restore.content
    await note_restore(database, Secrets(), restore.sink, had)
    await fill(database, Random(3), shards=(3,), rows=9, events=9)
    await publish(database, KEYS, restore.sink)
    assert {one.fault for one in (await verified(database, before)).findings} == {Fault.RECHAINED}
    found = await verified(database, restore.content)
    assert found.findings == [] and [(one.line, one.rows) for one in found.lost] == [(3, {3: (6, 9), EVENTS: (3, 5)})]
    async with database.work() as tx:
        event = (await tx.execute(text("SELECT actor, after FROM audit_event WHERE action = 'store.restore'"))).one()
    assert event.actor == "operator" and event.after == {"published": 2, "heads": listed(had)}


async def test_what_a_backup_had_is_still_compared(restore: Restore) -> None:
    had = await restore.until_now()
    await note_restore(restore.database, Secrets(), restore.sink, had)
    with owner_of_everything(restore.urls) as admin:
        admin.execute("DELETE FROM access_log WHERE shard = 9 AND sequence > 3")
    found = await verified(restore.database, restore.content)
    assert [(one.shard, one.sequence, one.fault) for one in found.findings] == [(9, 4, Fault.CUT)]


async def test_nobody_else_can_say_that_there_was_a_restore(restore: Restore) -> None:
    """Nor keep it quiet: the signature is over what it says."""
    await restore.until_now()
    lines = restore.content.splitlines()
    claimed = orjson.loads(lines[-1]) | {"restored": []}
    found = await verified(restore.database, b"\n".join([lines[0], orjson.dumps(claimed)]))
    assert found.findings[0].fault is Fault.HEAD and found.lost == []
    await note_restore(restore.database, Secrets(), restore.sink, await read_heads(restore.database))
    said = orjson.loads(restore.content.splitlines()[-1])
    del said["restored"]
    found = await verified(restore.database, b"\n".join([*lines, orjson.dumps(said)]))
    assert found.findings[0].fault is Fault.HEAD
