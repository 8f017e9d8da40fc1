"""Whether this process can answer: it is up, and the store answers it. For whoever decides where requests go; ``/healthz`` tells only that the process is there.

Anybody may ask, so nobody makes the store work by it: one look at a time, and its outcome holds for a second.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from hub.errors import StoreAway
from hub.store.database import STORE_ERRORS, Database

PATIENCE = 2.0
"""Seconds that the store has for its answer."""
HOLDS = 1.0
"""Seconds that an outcome is good for."""


class Readiness:
    """200, or 503 while the store is away or too slow."""

    def __init__(self, database: Database, now: Callable[[], float] = time.monotonic) -> None:
        self.database, self.now = database, now
        self._looking, self._ready, self._until = asyncio.Lock(), False, 0.0

    async def answer(self, request: Request) -> Response:
        async with self._looking:
            if self.now() >= self._until:
                self._ready = await self._answers()
                self._until = self.now() + HOLDS
        if self._ready:
            return PlainTextResponse("ready")
        return PlainTextResponse("the store does not answer", 503, {"Retry-After": str(StoreAway.seconds)})

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(PATIENCE):
                await self.database.looks.ask(("select 1", {}))
        except (*STORE_ERRORS, TimeoutError):
            return False
        return True
