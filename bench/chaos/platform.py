"""The misbehaving platform: a real HTTP server in a process of its own, which nobody kills and which counts what it is asked.

30 % of the answers are 5xx, 10 % of the connections are reset, 3 % of the answers are cut in the middle, 10 % drip; every now and then all calls are refused with 429 for a
moment. ``GET /_log`` tells what happened, to the auditor only.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import socket
import struct
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bench.chaos.connector import QUOTA
from bench.chaos.truth import NEWCOMERS, TODAY, Truth
from hub.cli.until import Stop

STORM_EVERY, STORM_LASTS = 15.0, 1.0
SLOWEST = 0.3
"""Seconds of an ordinary answer; each takes anything up to it."""

FATES = {"5xx": 0.30, "reset": 0.10, "cut": 0.03, "drip": 0.10}


@dataclass
class Ledger:
    """The quota as the platform counts it: a bucket that fills at the documented rate."""

    level: float = float(QUOTA.burst)
    at: float = field(default_factory=time.monotonic)
    overruns: int = 0
    in_flight: int = 0
    most_in_flight: int = 0

    def take(self) -> bool:
        """Whether this call is within the quota. A tenth of a second's calls more are let pass: calls bunch up on their way."""
        now = time.monotonic()
        self.level, self.at = min(float(QUOTA.burst), self.level + (now - self.at) * QUOTA.per_second), now
        within = self.level >= 1 - QUOTA.per_second / 10
        self.level -= within
        self.overruns += not within
        return within


@dataclass
class Platform:
    """``calls`` holds one entry per call that reached it: when, who, which day, which page, interaction, outcome, hash of the body as served."""

    truth: Truth
    dice: random.Random
    ledger: Ledger = field(default_factory=Ledger)
    calls: list[dict[str, Any]] = field(default_factory=list)
    newcomers: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    outcomes: Counter[str] = field(default_factory=Counter)
    since: float = field(default_factory=time.monotonic)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: request after request, until one of them fares badly."""
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        url = urlsplit(lines[0].split(" ")[1])
        if url.path == "/_log":
            return await self._tell(writer)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        call = {
            "asked": time.monotonic(),
            "customer": int(headers["authorization"].removeprefix("Bearer c-")),
            "day": query["day"],
            "page": int(query["page"]),
            "interaction": headers["x-interaction-id"],
        }
        self.calls.append(call)
        self.ledger.in_flight += 1
        self.ledger.most_in_flight = max(self.ledger.most_in_flight, self.ledger.in_flight)
        try:
            return await self._answer(call, writer)
        finally:
            self.ledger.in_flight -= 1

    async def _answer(self, call: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        fate = call["outcome"] = self._fate()
        self.outcomes[fate] += 1
        if fate in ("429", "over quota"):
            return await _send(writer, 429, b'{"error": "too fast"}', self._retry_after())
        await asyncio.sleep(self.dice.uniform(0.005, SLOWEST))
        if fate == "5xx":
            status, body = self.dice.choice([(500, b'{"error": "oops"}'), (502, b"<html>bad gateway</html>"), (503, b"")])
            return await _send(writer, status, body)
        if fate == "reset" and self.dice.random() < 0.5:
            return _reset(writer)
        body = json.dumps(self._page(call)).encode()
        if fate == "reset":
            writer.write(_head(200, len(body)) + body[: len(body) // 2])
            return _reset(writer)
        if fate == "cut":
            # Complete as HTTP goes, cut as JSON goes: a proxy lost the rest.
            return await _send(writer, 200, body[: self.dice.randrange(1, len(body) - 1)])
        return await self._well(call, writer, body, drip=fate == "drip")

    async def _well(self, call: dict[str, Any], writer: asyncio.StreamWriter, body: bytes, *, drip: bool) -> bool:
        call["sha256"] = hashlib.sha256(body).hexdigest()
        writer.write(_head(200, len(body)))
        pieces = 8 if drip else 1
        size = -(-len(body) // pieces)
        for at in range(0, len(body), size):
            if drip:
                await asyncio.sleep(0.15)
            writer.write(body[at : at + size])
            await writer.drain()
        call["answered"] = time.monotonic()
        return True

    def _page(self, call: dict[str, Any]) -> dict[str, Any]:
        customer, day = call["customer"], date.fromisoformat(call["day"])
        page = self.truth.page(customer, day, call["page"], self.newcomers[customer])
        if day == TODAY and self.newcomers[customer] < NEWCOMERS:
            self.newcomers[customer] += 1
        return page

    def _fate(self) -> str:
        if not self.ledger.take():
            return "over quota"
        if (time.monotonic() - self.since) % STORM_EVERY > STORM_EVERY - STORM_LASTS:
            return "429"
        thrown = self.dice.random()
        for name, share in FATES.items():
            if thrown < share:
                return name
            thrown -= share
        return "well"

    def _retry_after(self) -> str:
        """In seconds, or as a date."""
        if self.dice.random() < 0.5:
            return "1"
        return format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)

    async def _tell(self, writer: asyncio.StreamWriter) -> bool:
        told = {
            "calls": self.calls,
            "outcomes": self.outcomes,
            "newcomers": self.newcomers,
            "overruns": self.ledger.overruns,
            "most_in_flight": self.ledger.most_in_flight,
        }
        return await _send(writer, 200, json.dumps(told).encode())


def _head(status: int, size: int, retry_after: str | None = None) -> bytes:
    wait = f"Retry-After: {retry_after}\r\n" if retry_after else ""
    return f"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n{wait}\r\n".encode()


async def _send(writer: asyncio.StreamWriter, status: int, body: bytes, retry_after: str | None = None) -> bool:
    writer.write(_head(status, len(body), retry_after) + body)
    await writer.drain()
    return True


def _reset(writer: asyncio.StreamWriter) -> bool:
    """Closes with RST, not with FIN."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    return False


async def main(truth: Truth) -> None:
    """Prints its origin, then serves until it is told to stop or whoever started it is gone."""
    stop = Stop()
    platform = Platform(truth, random.Random(truth.seed))  # noqa: S311 -- a dice, no secret
    server = await asyncio.start_server(platform.serve, "127.0.0.1", 0, backlog=512)
    print("http://{}:{}".format(*server.sockets[0].getsockname()[:2]), flush=True)
    loop, gone = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), gone.set)
    waits = [asyncio.create_task(stop.wait()), asyncio.create_task(gone.wait())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


if __name__ == "__main__":
    asyncio.run(main(Truth(*(int(value) for value in sys.argv[1:4]))))
