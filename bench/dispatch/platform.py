"""Simulated platforms in a process of their own: each on a port of its own, each counting what it is asked.

``slow:<pages>:<seconds>:<limit>`` answers so many pages, each after so long, and allows so many calls in flight; ``hangs`` takes a request and never answers.
``GET /_log`` tells what a platform counted: calls by token, those in flight, the most there were at once, and how often that was beyond its limit.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from bench.dispatch.connector import QUOTA
from bench.kit.process import until_told_or_alone
from hub.cli.until import Stop

_HEAD = "HTTP/1.1 200 x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"


@dataclass
class Platform:
    """``answered`` lists (token, page) of every answer that was written whole."""

    pages: int
    seconds: float
    limit: int
    hangs: bool
    calls: Counter[str] = field(default_factory=Counter)
    answered: list[tuple[str, int]] = field(default_factory=list)
    in_flight: int = 0
    most: int = 0
    overruns: int = 0

    @staticmethod
    def of(how: str) -> Platform:
        kind, *given = how.split(":")
        pages, seconds, limit = (*given, *("1", "0", str(QUOTA.in_flight))[len(given) :])
        return Platform(int(pages), float(seconds), int(limit), kind == "hangs")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await self._one((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"), reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _one(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = head.split("\r\n")
        url = urlsplit(lines[0].split(" ")[1])
        if url.path == "/_log":
            return await _send(writer, {name: getattr(self, name) for name in ("calls", "answered", "in_flight", "most", "overruns")})
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        token, page = headers["authorization"].removeprefix("Bearer "), int(parse_qs(url.query)["page"][0])
        self.calls[token] += 1
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        self.overruns += self.in_flight > self.limit
        try:
            await self._answer(token, page, reader, writer)
        finally:
            self.in_flight -= 1

    async def _answer(self, token: str, page: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.hangs:
            # Until the caller hangs up.
            await reader.read(1)
            raise ConnectionResetError
        await asyncio.sleep(self.seconds)
        row = {"no": f"{token}-{page}", "order": "o", "at": "2026-01-10T10:00:00+08:00", "amount": "10.00"}
        await _send(writer, {"rows": [row], "next": page + 1 if page < self.pages else None})
        self.answered.append((token, page))


async def _send(writer: asyncio.StreamWriter, answer: object) -> None:
    body = json.dumps(answer).encode()
    writer.write(_HEAD.format(len(body)).encode() + body)
    await writer.drain()


async def main(kinds: Sequence[str]) -> None:
    """Prints an origin per platform, then serves until it is told to stop or whoever started it is gone."""
    stop = Stop()
    for kind in kinds:
        server = await asyncio.start_server(Platform.of(kind).serve, "127.0.0.1", 0, backlog=512)
        print("http://{}:{}".format(*server.sockets[0].getsockname()[:2]), flush=True)
    await until_told_or_alone(stop)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
