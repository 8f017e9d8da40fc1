"""A scene of its own for each test: a linked connection that is not due, and everything read once. Keys differ by test, so that nobody meets another's events."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.hub.events.scene import Scene, pushing
from tests.hub.sync.conftest import shared_urls, world
from tests.hub.sync.world import World

__all__ = ["shared_urls", "world"]


@pytest.fixture
async def scene(world: World) -> AsyncIterator[Scene]:
    made = Scene.of(world, pushing())
    await made.link()
    yield made
    await made.client.aclose()
