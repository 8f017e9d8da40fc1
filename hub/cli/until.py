"""How a process is told to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

INTERRUPTED = 130
T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Runs a command. SIGTERM and Ctrl-C end it in order: what it started (databases, servers) is stopped, the exit code is 130."""

    async def guarded() -> T:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        return await main

    # What was imported until now is never looked through again.
    gc.freeze()
    gc.enable()
    try:
        return uvloop.run(guarded())
    except asyncio.CancelledError:
        raise SystemExit(INTERRUPTED) from None


class Stop:
    """SIGTERM or Ctrl-C, from the moment this is made: make it before anything is printed, whoever reads it may end the process at once."""

    def __init__(self) -> None:
        self._asked, self._hurried, loop = asyncio.Event(), asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._hear)

    def _hear(self) -> None:
        (self._hurried if self._asked.is_set() else self._asked).set()

    async def wait(self) -> None:
        await self._asked.wait()

    async def hurry(self) -> None:
        """Until it was asked a second time."""
        await self._hurried.wait()
