"""Runs simulated platforms as real HTTP servers on loopback, one port each, so that one of them can be stopped."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import uvicorn

from connectors.sandbox.platform import Platform
from hub.errors import FixConfiguration, PortOccupied

TICK = 1.0
"""Seconds after which the date in the answers is renewed."""
FIRST_PAUSE = 0.01


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises PortOccupied, FixConfiguration; 0 takes any free port."""
    # The protocol is named, else asyncio leaves Nagle's algorithm on and every answer of two writes waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise PortOccupied(f"Port {port} on {host} is in use by another process.") from None
        raise FixConfiguration(f"Nothing can listen on {host}, port {port}: {error}.", remedy="Check the host and the port.") from None
    listener.listen(256)
    listener.setblocking(False)
    return listener


class Server(uvicorn.Server):
    """A server on a socket that is bound already; signals are the composition root's business."""

    def __init__(self, app: Any, listener: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                http="httptools",
                ws="websockets-sansio",
                # Whoever wants to know what a proxy says asks himself (hub.app).
                proxy_headers=False,
                # Messages are bounded like bodies, and like them never compressed.
                ws_max_size=64 * 1024,
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=5,
            )
        )
        self.listener = listener
        self.task: asyncio.Task[None] | None = None
        self._ending = asyncio.Event()

    @property
    def origin(self) -> str:
        host, port = self.listener.getsockname()[:2]
        return f"http://{host}:{port}"

    async def start(self) -> None:
        self.task = asyncio.create_task(self.serve(sockets=[self.listener]))
        while not self.started:
            if self.task.done():
                self.task.result()
            await asyncio.sleep(0.005)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        """As uvicorn's, which looks ten times a second whether it is to end; this one is told."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await self._ending.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, but not a tenth of a second longer than the last answer takes."""
        for server in self.servers:
            server.close()
        for one in sockets or ():
            one.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                await self._is_quiet()
        except TimeoutError:
            for task in self.server_state.tasks:
                task.cancel()

    async def _is_quiet(self) -> None:
        # A connection that was accepted a moment ago shows itself within the first pause, and is answered like the others.
        pause = FIRST_PAUSE
        await asyncio.sleep(pause)
        while self.server_state.connections or self.server_state.tasks:
            await asyncio.sleep(pause)
            pause = min(2 * pause, 10 * FIRST_PAUSE)
        for server in self.servers:
            await server.wait_closed()

    async def stop(self) -> None:
        self.should_exit = True
        self._ending.set()
        if self.task:
            await self.task
            self.task = None


@dataclass(frozen=True)
class Running:
    """One simulated platform that listens."""

    platform: Platform
    server: Server

    @property
    def base_url(self) -> str:
        return self.server.origin + self.platform.base_path

    def describe(self) -> dict[str, Any]:
        """What an outside client needs (JSON of ``hub sandbox --json``)."""
        return {"name": self.platform.name, "base_url": self.base_url, **self.platform.outsider}

    def config(self) -> dict[str, str]:
        """The settings of the hub's connector for this platform."""
        return {**self.platform.config, "base_url": self.base_url}


class Sandbox:
    """All simulated platforms of one process."""

    def __init__(self, platforms: Mapping[str, Platform], *, host: str = "127.0.0.1", port: int = 0) -> None:
        ports = range(port, port + len(platforms)) if port else [0] * len(platforms)
        self.running = {
            name: Running(platform, Server(platform.app, bind(host, at)))
            for (name, platform), at in zip(platforms.items(), ports, strict=True)
        }

    async def start(self) -> None:
        await asyncio.gather(*(one.server.start() for one in self.running.values()))

    async def stop(self, name: str | None = None) -> None:
        """Stops one platform, or all."""
        stopping = [one for key, one in self.running.items() if name in (None, key)]
        await asyncio.gather(*(one.server.stop() for one in stopping))
