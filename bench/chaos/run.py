"""A whole run: platform, store, workers, the phases one after the other, the audit."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from bench.chaos import journal, phases, zombies
from bench.chaos.auditor import audit
from bench.chaos.fleet import Fleet
from bench.chaos.phases import Stage, bounded
from bench.chaos.report import calls_of, figures
from bench.chaos.settings import Asked
from bench.chaos.truth import Truth
from bench.chaos.worker import journal_of
from bench.chaos.world import World
from bench.kit.command import Outcome
from bench.kit.ground import folder
from bench.kit.process import serving
from bench.kit.show import Show
from hub.http import Caller

LIMIT = {"kill": 60.0, "freeze": 60.0, "stop": 60.0}
"""Seconds a phase may take at least; each disturbance adds to it."""
PER = {"kill": 4.0, "freeze": 6.0, "stop": 8.0}
PER_RECORD = 0.005
CONTROL = 12.0
"""Seconds of a phase whose guard is broken."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The customers of a phase."""

    phase: str
    disturbances: int
    customers: Sequence[int]

    def limit(self, truth: Truth) -> float:
        records = len(self.customers) * truth.records // truth.customers
        return LIMIT[self.phase] + PER[self.phase] * self.disturbances + PER_RECORD * records


def batches(asked: Asked, truth: Truth) -> list[Batch]:
    """A phase that shall not disturb has no customers."""
    main = Truth.of(asked.seed, asked.records).customers
    found, first = [], 0
    for phase, count, customers in (
        ("kill", asked.kills, main),
        ("freeze", asked.freezes, _quarter(main) if asked.freezes else 0),
        ("stop", asked.stops, _quarter(main) if asked.stops else 0),
    ):
        found.append(Batch(phase, count, range(first, first + customers)))
        first += customers
    return [batch for batch in found if batch.customers]


def _quarter(customers: int) -> int:
    """Customers of another phase. Alone it has enough to do for two workers."""
    return max(6 if customers == 0 else 2, customers // 4)


async def run(asked: Asked, show: Show) -> Outcome:
    main = Truth.of(asked.seed, asked.records)
    extra = _quarter(main.customers) * (bool(asked.freezes) + bool(asked.stops))
    truth = Truth(main.seed, main.customers + extra, main.per_day)
    with folder() as home:
        async with _platform(truth) as (origin,), _asking(origin) as platform, _world(home) as world:
            post = await world.prepare(truth.customers, origin, asked)
            dice = random.Random(asked.seed)  # noqa: S311 -- a dice, no secret
            fleet = Fleet(post, home / "logs", dice)
            stage = Stage(world, fleet, truth, dice, show, platform)
            show.say(
                f"{truth.customers} connections, {truth.records:,} records, {sum(truth.minimum(c, 2) for c in range(truth.customers)):,} pages"
            )
            try:
                fleet.start()
                await _phases(stage, batches(asked, truth), asked.broken)
                await fleet.stop()
            finally:
                fleet.abandon()
            return await _findings(asked, stage, journal.acknowledged(journal_of(home)))


async def _phases(stage: Stage, todo: Sequence[Batch], control: str | None) -> None:
    """A control ends when its time is over: what its broken guard does is in the figures by then, and some of it never settles."""
    places = ("gap",) if control == "checkpoint" else phases.SOUND
    works: dict[str, Callable[..., Awaitable[None]]] = {
        "kill": partial(phases.killing, places=places),
        "freeze": zombies.freezing,
        "stop": phases.stopping,
    }
    for batch in todo:
        work = works[batch.phase](stage, batch.customers, batch.disturbances)
        await bounded(stage, batch.phase, work, CONTROL if control else batch.limit(stage.truth))
    if control:
        return
    everybody = range(stage.truth.customers)
    await bounded(stage, "look back", phases.looking_back(stage, everybody), 60 + PER_RECORD * stage.truth.records)


async def _findings(asked: Asked, stage: Stage, acknowledged: set[str]) -> Outcome:
    log = await stage.platform("/_log")
    found = await audit(stage.world, stage.truth, log, range(stage.truth.customers), acknowledged)
    events = stage.fleet.events()
    return Outcome(figures(asked, stage, found, calls_of(asked, stage, log), events), stage.seconds)


@asynccontextmanager
async def _asking(origin: str) -> AsyncIterator[Callable[[str], Awaitable[Any]]]:
    """The auditor's own way to the platform."""
    caller = Caller(origin)

    async def ask(path: str) -> Any:
        return orjson.loads((await caller.get(path)).body)

    try:
        yield ask
    finally:
        await caller.close()


@asynccontextmanager
async def _world(home: Path) -> AsyncIterator[World]:
    world = await asyncio.to_thread(World, home)
    try:
        yield world
    finally:
        await asyncio.to_thread(world.close)


def _platform(truth: Truth) -> AbstractAsyncContextManager[list[str]]:
    return serving("bench.chaos.platform", str(truth.seed), str(truth.customers), str(truth.per_day))
