"""Carries what simulated platforms push to a hub, as their own senders would: at once, and again for as long as nobody confirms it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from connectors import registry
from connectors.sandbox.platform import World
from connectors.sandbox.push import Push
from hub.http import Caller, PlatformUnreachable


def hooks_of(origin: str) -> dict[str, str]:
    """Where each platform that pushes reaches the hub."""
    return {name: f"{origin.rstrip('/')}/webhooks/{name}" for name, one in registry.load_all().items() if one.webhook is not None}


@asynccontextmanager
async def courier(world: World) -> AsyncIterator[None]:
    """Carries pushes while the block runs."""
    carrying = asyncio.create_task(_carry(world))
    try:
        yield
    finally:
        carrying.cancel()
        await asyncio.gather(carrying, return_exceptions=True)


async def _carry(world: World) -> None:
    async with asyncio.TaskGroup() as group:
        while True:
            push = await world.pushes.get()
            group.create_task(_deliver(push, world.hooks[push.platform]))


async def _deliver(push: Push, address: str) -> None:
    for wait in (0.0, *push.repeats):
        await asyncio.sleep(wait)
        if await _is_received(push, address):
            return


async def _is_received(push: Push, address: str) -> bool:
    parts, letter = urlsplit(address), push.sign()
    hub = Caller(f"{parts.scheme}://{parts.netloc}")
    try:
        answer = await hub.post(parts.path, letter.body, dict(letter.headers))
    except PlatformUnreachable:
        return False
    finally:
        await hub.close()
    return push.is_received(answer.status, answer.body)
