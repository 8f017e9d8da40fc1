"""What of a window is under way beside the page that is being taken apart: the page before it is committed, the one after it is asked for.

Never more than one of each, so that pages are committed in order. A commit that has failed lets no other request leave.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class _UnderWay(Generic[T]):
    """One task at a time."""

    def __init__(self) -> None:
        self._task: asyncio.Task[T] | None = None

    def begin(self, work: Coroutine[None, None, T]) -> None:
        """The one before must be over."""
        assert self._task is None
        self._task = asyncio.create_task(work)

    async def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def __aenter__(self) -> Self:
        return self


class Writing(_UnderWay[bool]):
    """The commit. Whoever leaves it waits for the one under way, whose error counts for more than what came after; who is cancelled takes it along."""

    async def failing(self) -> None:
        """Raises what the commit raised, if it has failed already."""
        task = self._task
        if task is not None and task.done() and (task.cancelled() or task.exception() is not None):
            await self.over()

    async def over(self) -> bool:
        """What the commit returned, or raises what it raised; False where there is none."""
        task, self._task = self._task, None
        return task is not None and await task

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None and not isinstance(error, Exception):
            await self._cancel()
            return
        await self.over()


class Fetching(_UnderWay[T]):
    """The fetch. What it brings, or raises, comes to light only when it is asked for; whoever leaves it lets go of it."""

    async def come(self) -> T:
        """Raises what the fetch raised."""
        assert self._task is not None
        answer = await self._task
        self._task = None
        return answer

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._cancel()
