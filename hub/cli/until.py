"""How a process is told to stop."""

from __future__ import annotations

import asyncio
import signal


class Stop:
    """SIGTERM or Ctrl-C, from the moment this is made: make it before anything is printed, whoever reads it may end the process at once."""

    def __init__(self) -> None:
        self._asked, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._asked.set)

    async def wait(self) -> None:
        await self._asked.wait()
