"""A real ``hub serve`` that is killed (SIGKILL) at the moment at which PostgreSQL has committed, and before the process hears of it.

All that the process says to PostgreSQL goes through a socket of ours. What PostgreSQL answers is read message by message; the answer to the COMMIT that was
chosen is not passed on: the process is killed instead. So the death lies behind the commit and before every byte of the reply, whatever the process does.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from hub.store.embedded import Urls
from tests.hub.app.conftest import NOW
from tests.hub.app.once.scene import GRANTEE

ROOT = Path(__file__).resolve().parents[4]
PORT = 5432
PATIENCE = 60.0
_WRITES = (b"INSERT", b"UPDATE", b"DELETE", b"MERGE")


@dataclass
class Between:
    """The way from the process to PostgreSQL. ``armed`` counts down the commits of transactions that wrote; at none the process dies. ``settings`` are those of
    a process that goes this way."""

    target: str
    settings: dict[str, str]
    armed: int = 0
    victim: asyncio.subprocess.Process | None = None
    connections: set[asyncio.Task[None]] = field(default_factory=set)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, there = await asyncio.open_unix_connection(self.target)
        except OSError:
            writer.close()
            return
        ways = [asyncio.create_task(self._forth(reader, there)), asyncio.create_task(self._back(back, writer))]
        self.connections.update(ways)
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for end in (there, writer):
            end.close()
        self.connections.difference_update(ways)

    async def _forth(self, reader: asyncio.StreamReader, there: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                there.write(data)
                await there.drain()

    async def _back(self, back: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Message by message: a type, a length, a body."""
        wrote = False
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await back.readexactly(5)
                body = await back.readexactly(int.from_bytes(head[1:]) - 4)
                if head[:1] == b"C":
                    done = body.rstrip(b"\0").split()
                    wrote = wrote or (done[0] in _WRITES and done[-1] != b"0")
                    if done[0] == b"COMMIT" and wrote and self._is_the_one():
                        return
                    wrote = wrote and done[0] not in (b"COMMIT", b"ROLLBACK")
                writer.write(head + body)
                await writer.drain()

    def _is_the_one(self) -> bool:
        if not self.armed:
            return False
        self.armed -= 1
        if self.armed or self.victim is None:
            return False
        self.victim.kill()
        return True


@asynccontextmanager
async def between(urls: Urls) -> AsyncIterator[Between]:
    asked = parse_qs(urlsplit(urls.owner).query)
    target = f"{asked['host'][0]}/.s.PGSQL.{asked['port'][0]}"
    with tempfile.TemporaryDirectory(prefix="between-") as folder:
        names = {"HUB_DATABASE_URL": urls.owner, "HUB_APP_DATABASE_URL": urls.app, "HUB_WORKER_DATABASE_URL": urls.worker}
        through = f"?host={quote(folder, safe='')}&port={PORT}"
        way = Between(target, {name: url.partition("?")[0] + through for name, url in names.items()})
        server = await asyncio.start_unix_server(way.carry, f"{folder}/.s.PGSQL.{PORT}")
        try:
            yield way
        finally:
            server.close()
            for task in list(way.connections):
                task.cancel()


@dataclass
class Served:
    """``hub serve`` on one port, started anew after each death. ``module`` is what is run in its place by a control."""

    way: Between
    home: Path
    port: int
    module: str = "hub.cli"
    process: asyncio.subprocess.Process | None = None

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def up(self) -> None:
        """It serves now, and does not die before it is told to."""
        self.way.armed = 0
        if self.process is not None and self.process.returncode is None:
            return
        given = {**os.environ, **self.way.settings, "HUB_GRANTEE": GRANTEE, "HUB_CLOCK": NOW.isoformat(), "PYTHONPATH": str(ROOT)}
        command = (sys.executable, "-m", self.module, "serve", "--home", str(self.home), "--port", str(self.port))
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(*command, env=given, stderr=pipe, stdout=asyncio.subprocess.DEVNULL)
        self.way.victim = self.process
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            async for line in self.process.stderr:
                if b"Serving" in line:
                    self.reading = asyncio.create_task(_drained(self.process.stderr))
                    return
        raise AssertionError("hub serve did not start")

    async def down(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
            await self.reading

    async def died(self) -> bool:
        """Whether it was killed just now."""
        assert self.process is not None
        if self.way.armed:
            return False
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait() == -9


async def _drained(lines: asyncio.StreamReader) -> None:
    async for _ in lines:
        pass


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
