"""What of a window is under way beside the page that is being taken apart: the pages before it are committed, the one after it is asked for.

Pages are committed in order, and two may be under way, so that PostgreSQL has the next one when it is through with the last. If that one failed, the window has not moved,
and the next one fails of itself. A commit that has failed lets no other request leave.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")
AT_ONCE = 2


class Writing:
    """The commits. Whoever leaves them waits for those under way, whose error counts for more than what came after; who is cancelled takes them along."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[bool]] = []

    async def begin(self, work: Coroutine[None, None, bool]) -> None:
        """Waits for a place. Raises what a commit before raised, and does not begin then."""
        try:
            if len(self._tasks) == AT_ONCE:
                await asyncio.wait(self._tasks[:1])
                if _has_failed(self._tasks[0]):
                    await self.over()
                del self._tasks[0]
        except BaseException:
            work.close()
            raise
        self._tasks.append(asyncio.create_task(work))

    async def failing(self) -> None:
        """Raises what a commit raised, if one has failed already."""
        if any(map(_has_failed, self._tasks)):
            await self.over()

    async def over(self) -> bool:
        """What the last commit returned, or raises what the first that failed raised; False where there is none."""
        answers = await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return bool(answers and answers[-1])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None or isinstance(error, Exception):
            await self.over()
            return
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _has_failed(task: asyncio.Task[bool]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


class Fetching(Generic[T]):
    """The fetch. What it brings, or raises, comes to light only when it is asked for; whoever leaves it lets go of it."""

    def __init__(self) -> None:
        self._task: asyncio.Task[T] | None = None

    def begin(self, work: Coroutine[None, None, T]) -> None:
        """The one before must be over."""
        assert self._task is None
        self._task = asyncio.create_task(work)

    async def come(self) -> T:
        """Raises what the fetch raised."""
        assert self._task is not None
        answer = await self._task
        self._task = None
        return answer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
