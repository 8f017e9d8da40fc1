"""What looks at the rows once a period for all who watch something, and not while nobody does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from hub.domain.caller import Admitted
from hub.domain.clock import Clock
from hub.errors import TooManySubscriptions
from hub.store.database import Database

log = structlog.get_logger("hub.pulse")


@dataclass(frozen=True, slots=True)
class Rules:
    """Seconds and counts. A subscription ends when nothing happens for ``idle``; a client may hold ``per_client`` of them, a process ``in_all``."""

    period: float = 1.0
    idle: float = 300.0
    per_client: int = 10
    in_all: int = 500


class Watches(Protocol):
    """Somebody who watches."""

    @property
    def admitted(self) -> Admitted: ...


W = TypeVar("W", bound=Watches)


class Looks(Generic[W]):
    """See the module. One per process and kind of watching. ``now`` is real time, which tokens end by."""

    def __init__(self, database: Database, clock: Clock, rules: Rules | None = None, now: Callable[[], float] = time.time) -> None:
        self.database, self.clock, self.rules, self.now = database, clock, rules or Rules(), now
        self._watchers: list[W] = []
        self._looking: asyncio.Task[None] | None = None

    def _enter(self, watcher: W) -> W:
        client = watcher.admitted.caller.client_id
        mine = sum(one.admitted.caller.client_id == client for one in self._watchers)
        if mine >= self.rules.per_client or len(self._watchers) >= self.rules.in_all:
            raise TooManySubscriptions
        self._watchers.append(watcher)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_on())
        return watcher

    def _leave(self, watcher: W) -> None:
        self._watchers.remove(watcher)
        if not self._watchers and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(self.rules.period)
            try:
                await self._look(list(self._watchers))
            except SQLAlchemyError as error:
                # The next look sees the same rows: nothing is lost with this one.
                log.warning("pulse_waits", kind=type(error).__name__)

    async def _look(self, watchers: Sequence[W]) -> None:
        """One statement for all of them."""
        raise NotImplementedError
