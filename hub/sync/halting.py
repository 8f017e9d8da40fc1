"""How a process that is told to stop ends its runs: no new call, the page in hand is committed, the rest is handed back (trust rules, section k)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

GRACE = 10.0
"""Seconds that a call under way or a commit may take after the process was told to stop. What takes longer is asked again by the next run."""
GLANCE = 0.25
"""Seconds a hand must have been empty: between an answer and its commit it is, for an instant."""


class HandedBack(Exception):
    """The run was cut short because the process is told to stop: its connection is due, and somebody else's."""


class Hand:
    """What a run has in hand: calls under way, pages being committed."""

    def __init__(self) -> None:
        self._held, self._taken, self._closed, self._idle = 0, 0, False, asyncio.Event()
        self._idle.set()

    @asynccontextmanager
    async def calling(self) -> AsyncIterator[None]:
        """A call; none begins once the hand is closed: whoever closed it ends this task."""
        if self._closed:
            await asyncio.Event().wait()
        async with self.committing():
            yield

    @asynccontextmanager
    async def committing(self) -> AsyncIterator[None]:
        """Something that is seen through."""
        self._held += 1
        self._taken += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._held -= 1
            if not self._held:
                self._idle.set()

    async def emptied(self) -> None:
        """Closes the hand, then waits until nothing is in it."""
        self._closed, before = True, -1
        while self._held or before != self._taken:
            await self._idle.wait()
            before = self._taken
            await asyncio.sleep(GLANCE)


class Halt:
    """One per engine. Told once, its runs end with the page in hand; told twice, at once."""

    def __init__(self, grace: float = GRACE) -> None:
        self.grace, self._told, self._hurried = grace, asyncio.Event(), asyncio.Event()

    def tell(self) -> None:
        (self._hurried if self._told.is_set() else self._told).set()

    @property
    def told(self) -> bool:
        return self._told.is_set()

    @property
    def hurried(self) -> bool:
        return self._hurried.is_set()

    async def may_end(self, hand: Hand) -> None:
        """Returns when a run with this hand is to be cut short; never, while nobody has told."""
        await self._told.wait()
        waits = [asyncio.create_task(hand.emptied()), asyncio.create_task(self._hurried.wait())]
        with suppress(TimeoutError):
            async with asyncio.timeout(self.grace):
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
