"""A server for one test: it stops when it is told to, without waiting for whoever still hangs on the line."""

from __future__ import annotations

import socket
from typing import Any

from connectors.sandbox.serve import Server, bind


class Brief(Server):
    """On a free port of loopback."""

    def __init__(self, app: Any, listener: Any = None) -> None:
        super().__init__(app, listener or bind("127.0.0.1", 0))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for task in list(self.server_state.tasks):
            task.cancel()
