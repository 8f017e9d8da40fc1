"""The misbehaving platform: a real HTTP server in a process of its own, which nobody kills and which counts what it is asked.

30 % of the answers are 5xx, 10 % of the connections are reset, 3 % of the answers are cut in the middle, 10 % drip; every now and then all calls are refused with 429 for a
moment. The quota is counted in :mod:`bench.chaos.book`. Three addresses are the auditor's only: ``/_log`` tells what happened, ``/_hold`` keeps a customer's answers back,
``/_let`` sends them.
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

from bench.chaos.book import Book
from bench.chaos.connector import QUOTA
from bench.chaos.truth import NEWCOMERS, TODAY, Truth
from bench.kit.process import until_told_or_alone
from hub.cli.until import Stop

STORM_EVERY, STORM_LASTS = 15.0, 1.0
SLOWEST = 0.3
"""Seconds of an ordinary answer; each takes anything up to it, one that drips 1.2 more."""

FATES = {"5xx": 0.30, "reset": 0.10, "cut": 0.03, "drip": 0.10}


@dataclass
class Held:
    """The answers to one customer that are kept back: which calls wait, of which process, and what lets each of them go."""

    waiting: list[tuple[dict[str, Any], asyncio.Event]] = field(default_factory=list)

    def let(self, worker: int | None = None) -> None:
        """Sends what a process waits for, or everything."""
        for call, event in self.waiting:
            if worker in (None, call["worker"]):
                event.set()
        self.waiting = [one for one in self.waiting if not one[1].is_set()]


@dataclass
class Platform:
    """``calls`` holds one entry per call that reached it: when, who (customer and worker), which day, which page, interaction, outcome, hash of the body as served."""

    truth: Truth
    dice: random.Random
    book: Book = field(default_factory=lambda: Book(QUOTA))
    held: dict[int, Held] = field(default_factory=dict)
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
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path in ("/_log", "/_hold", "/_let"):
            told = {"/_log": self._told, "/_hold": self._hold, "/_let": self._let}[url.path](query)
            return await _send(writer, 200, json.dumps(told).encode())
        call: dict[str, Any] = {
            "asked": time.time(),
            "worker": int(headers["x-worker"]),
            "customer": int(headers["authorization"].removeprefix("Bearer c-")),
            "day": query["day"],
            "page": int(query["page"]),
            "interaction": headers["x-interaction-id"],
        }
        self.calls.append(call)
        call["over"] = self.book.arrives(call["asked"])
        try:
            return await self._answer(call, writer)
        finally:
            if "held" not in call:
                self.book.leaves()

    async def _answer(self, call: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        fate = call["outcome"] = self._fate(call)
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
        if (held := self.held.get(call["customer"])) is not None:
            # The platform is done with it; it is the auditor who keeps it back.
            call["held"] = True
            self.book.leaves()
            held.waiting.append((call, event := asyncio.Event()))
            await event.wait()
        call["sha256"] = hashlib.sha256(body).hexdigest()
        writer.write(_head(200, len(body)))
        pieces = 8 if drip else 1
        size = -(-len(body) // pieces)
        for at in range(0, len(body), size):
            if drip:
                await asyncio.sleep(0.15)
            writer.write(body[at : at + size])
            await writer.drain()
        call["answered"] = time.time()
        return True

    def _page(self, call: dict[str, Any]) -> dict[str, Any]:
        customer, day = call["customer"], date.fromisoformat(call["day"])
        page = self.truth.page(customer, day, call["page"], self.newcomers[customer])
        if day == TODAY and self.newcomers[customer] < NEWCOMERS:
            self.newcomers[customer] += 1
        return page

    def _fate(self, call: dict[str, Any]) -> str:
        if call["over"]:
            return "over quota"
        if call["customer"] in self.held:
            return "well"
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

    def _told(self, _query: dict[str, str]) -> object:
        """Everything that happened. Calls whose answers were kept back and never let go are told as they stand."""
        book = {"overruns": self.book.overruns, "most": self.book.most}
        return {"calls": self.calls, "outcomes": self.outcomes, "newcomers": self.newcomers, **book}

    def _hold(self, query: dict[str, str]) -> object:
        """From now on a customer's answers are kept back, and none is spoiled. Tells who waits."""
        held = self.held.setdefault(int(query["customer"]), Held())
        return [call for call, _ in held.waiting]

    def _let(self, query: dict[str, str]) -> object:
        """Sends what one worker waits for and goes on holding; without a worker everything goes as always again."""
        customer = int(query["customer"])
        held = self.held.get(customer, Held()) if "worker" in query else self.held.pop(customer, Held())
        held.let(int(query["worker"]) if "worker" in query else None)
        return []


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
    await until_told_or_alone(stop)


if __name__ == "__main__":
    asyncio.run(main(Truth(*(int(value) for value in sys.argv[1:4]))))
