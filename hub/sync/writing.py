"""The page that is being committed while the next one is fetched: never more than one, so that pages are committed in order and a failure throws away one fetch."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Self


class Writing:
    """One per window. Whoever leaves it waits for the commit under way, whose error counts for more than what came after; who is cancelled takes it along."""

    def __init__(self) -> None:
        self._task: asyncio.Task[bool] | None = None

    def begin(self, commit: Coroutine[None, None, bool]) -> None:
        """The one before must be :meth:`over`."""
        assert self._task is None
        self._task = asyncio.create_task(commit)

    async def over(self) -> bool:
        """What the commit returned, or raises what it raised; False where there is none."""
        task, self._task = self._task, None
        return task is not None and await task

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._task is not None and error is not None and not isinstance(error, Exception):
            self._task.cancel()
            await asyncio.wait([self._task])
            return
        await self.over()
