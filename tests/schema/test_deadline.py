"""A deadline is held against asyncio's own: whatever is asked of both, they say the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from schema.deadline import Deadline

SOON, LATER = 0.01, 30.0
Limit = Callable[[float], AbstractAsyncContextManager[object]]


@asynccontextmanager
async def ours(seconds: float) -> AsyncIterator[None]:
    with Deadline(seconds):
        yield


async def in_time(limit: Limit) -> None:
    async with limit(LATER):
        await asyncio.sleep(0)


async def too_late(limit: Limit) -> None:
    async with limit(SOON):
        await asyncio.sleep(LATER)


async def inner_too_late(limit: Limit) -> None:
    async with limit(LATER), limit(SOON):
        await asyncio.sleep(LATER)


async def outer_too_late(limit: Limit) -> None:
    async with limit(SOON):
        async with limit(LATER):
            await asyncio.sleep(LATER)


async def late_but_caught(limit: Limit) -> None:
    async with limit(SOON):
        try:
            await asyncio.sleep(LATER)
        except asyncio.CancelledError:
            raise KeyError from None


async def cancelled_from_outside(limit: Limit) -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().call_soon(task.cancel)
    async with limit(LATER):
        await asyncio.sleep(LATER)


async def both_at_once(limit: Limit) -> None:
    task = asyncio.current_task()
    assert task is not None
    async with limit(SOON):
        try:
            await asyncio.sleep(LATER)
        finally:
            task.cancel()


async def fails(limit: Limit) -> None:
    async with limit(LATER):
        raise ValueError


CASES = (in_time, too_late, inner_too_late, outer_too_late, late_but_caught, cancelled_from_outside, both_at_once, fails)


async def came_of(work: Awaitable[None]) -> tuple[str, int]:
    """What it raised, and how many cancellations are left of the task."""
    task = asyncio.ensure_future(work)
    await asyncio.wait([task], timeout=2)
    if not task.done():
        task.cancel()
        return "still there", 0
    error = asyncio.CancelledError() if task.cancelled() else task.exception()
    return type(error).__name__, task.cancelling()


@pytest.mark.parametrize("case", CASES)
async def test_it_ends_as_asyncio_does(case: Callable[[Limit], Awaitable[None]]) -> None:
    assert await came_of(case(ours)) == await came_of(case(asyncio.timeout))


async def test_nothing_is_left_waiting() -> None:
    with Deadline(SOON):
        pass
    await asyncio.sleep(2 * SOON)
    task = asyncio.current_task()
    assert task is not None and task.cancelling() == 0


@pytest.mark.parametrize("part", ["_end", "__exit__"])
async def test_a_deadline_without_its_parts_is_noticed(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    """Control."""
    monkeypatch.setattr(Deadline, part, lambda *_: None)
    monkeypatch.setattr("tests.schema.test_deadline.LATER", 1.0)
    assert await came_of(too_late(ours)) != ("TimeoutError", 0)
