"""The platform: the fastest server that is still one, so that nobody is measured against it. ``GET /orders?page=1&pages=500&size=200``.

A process of its own; prints its address, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast
from urllib.parse import parse_qs

import uvloop

from bench.ingest.orders import page


class Serving(asyncio.Protocol):
    """One connection: keep-alive, no pipelining, pages from memory."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self.transport, self.heard = cast(asyncio.WriteTransport, transport), b""

    def data_received(self, data: bytes) -> None:
        self.heard += data
        if not self.heard.endswith(b"\r\n\r\n"):
            return
        target, self.heard = self.heard.split(b" ", 2)[1].decode(), b""
        query = parse_qs(target.partition("?")[2])
        number, pages, size = (int(query[name][0]) for name in ("page", "pages", "size"))
        body = page(number, pages, size)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Serving, "127.0.0.1", 0)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    uvloop.run(serve())
