"""The disturbances: kill -9, freezing past the lease, immediate stops of PostgreSQL. Each phase has work of its own, and an end in time whatever happens."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import psycopg

from bench.chaos.fleet import Fleet
from bench.chaos.settings import LEASE
from bench.chaos.show import Show
from bench.chaos.truth import Truth
from bench.chaos.world import Progress, World

GLANCE = 0.1
FREEZERS = 2
"""How many workers may be frozen at the same time; two others run meanwhile."""
AT_WORK = 8
"""Connections that have something to do while workers freeze."""
SAY = 1.5
"""Seconds a thawed worker has to try what it was about to do."""


@dataclass
class Stage:
    """What a phase works with, and what the phases have done so far."""

    world: World
    fleet: Fleet
    truth: Truth
    dice: random.Random
    show: Show
    kills: int = 0
    freezes: int = 0
    stops: int = 0
    overtaken: int = 0
    resumed: list[float] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def pages(self, customers: Sequence[int]) -> int:
        return sum(self.truth.minimum(customer, 1) for customer in customers)

    async def reaches(self, customers: Sequence[int], pages: float, phase: str) -> bool:
        """Waits for so many committed pages; False when everything was read before."""
        while True:
            at = await self.look(customers, phase)
            if at.complete == len(customers) or at.pages >= pages:
                return at.complete < len(customers)
            await asyncio.sleep(GLANCE)

    async def look(self, customers: Sequence[int], phase: str) -> Progress:
        at = await self.world.progress(customers)
        done = f"{self.kills} kills, {self.freezes} freezes, {self.stops} stops, {at.complete}/{len(customers)} connections"
        self.show.at(phase, at.records, len(customers) * self.truth.records // self.truth.customers, done)
        return at

    async def settle(self, customers: Sequence[int], phase: str) -> None:
        """Until every connection was read to its end."""
        await self.reaches(customers, float("inf"), phase)


async def bounded(stage: Stage, phase: str, work: object, seconds: float) -> None:
    """Runs a phase, at most so long. What it did not reach is missing in the figures."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(seconds):
            await work  # type: ignore[misc]
    except TimeoutError:
        stage.show.say(f"{phase}: ended after {seconds:.0f} s, not finished")
    stage.seconds[phase] = round(time.monotonic() - began, 1)


async def killing(stage: Stage, customers: Sequence[int], kills: int) -> None:
    """Kills are spread over the pages: the next one comes at a random moment after the next share of the work was committed."""
    await stage.world.make_due(customers)
    share = stage.pages(customers) / (kills + 1)
    for number in range(kills):
        if not await stage.reaches(customers, share * (number + 1), "kill"):
            break
        await asyncio.sleep(stage.dice.uniform(0, 0.4))
        stage.fleet.kill()
        stage.kills += 1
    await stage.settle(customers, "kill")


async def freezing(stage: Stage, customers: Sequence[int], freezes: int) -> None:
    """Freezers side by side. Connections that were read to their end are due again, so that whoever freezes is at work."""
    await stage.world.make_due(customers)
    left = iter(range(freezes))
    async with asyncio.TaskGroup() as group:
        for _ in range(FREEZERS):
            group.create_task(_freezer(stage, customers, left))
    await stage.settle(customers, "freeze")


async def _freezer(stage: Stage, customers: Sequence[int], left: object) -> None:
    for _ in left:  # type: ignore[attr-defined]
        await _feed(stage, customers)
        await asyncio.sleep(stage.dice.uniform(0.3, 0.8))
        await _freeze_one(stage)
        await stage.look(customers, "freeze")


async def _feed(stage: Stage, customers: Sequence[int]) -> None:
    at = await stage.look(customers, "freeze")
    missing = AT_WORK - (len(customers) - at.complete)
    if missing <= 0:
        return
    ids = {stage.world.ids[customer]: customer for customer in customers}
    idle = "SELECT connection_id FROM connection WHERE connection_id = ANY(%s) AND due_at IS NULL AND lease_until IS NULL"
    found = [ids[row[0]] for row in await stage.world.rows(idle, (list(ids),))]
    await stage.world.make_due(stage.dice.sample(found, min(missing, len(found))))


async def _freeze_one(stage: Stage) -> None:
    """Frozen until the lease is over and another run has begun, then a moment more; then it may try what it was about to do."""
    before = await stage.world.leased()
    victim = stage.fleet.freeze()
    await asyncio.sleep(LEASE + 0.1)
    stage.overtaken += await _taken_over(stage, before)
    await asyncio.sleep(stage.dice.uniform(0, 0.1))
    stage.fleet.thaw(victim)
    await asyncio.sleep(SAY)
    stage.fleet.retire(victim)
    stage.freezes += 1


async def _taken_over(stage: Stage, before: dict[UUID, int]) -> bool:
    """Whether a run that was there before the freeze has a successor, within two seconds."""
    for _ in range(20):
        now = await stage.world.leased()
        if any(now.get(connection, 0) > epoch for connection, epoch in before.items()):
            return True
        await asyncio.sleep(GLANCE)
    return False


async def stopping(stage: Stage, customers: Sequence[int], stops: int) -> None:
    """Like :func:`killing`, but it is the database that goes; measured is how long it takes until a page is committed again."""
    await stage.world.make_due(customers)
    share = stage.pages(customers) / (stops + 1)
    for number in range(stops):
        if not await stage.reaches(customers, share * (number + 1), "stop"):
            break
        await asyncio.sleep(stage.dice.uniform(0, 0.3))
        await stage.world.stop_at_once()
        await stage.world.start_again()
        stage.stops += 1
        stage.resumed.append(await _resumes(stage, customers))
    await stage.settle(customers, "stop")


async def _resumes(stage: Stage, customers: Sequence[int]) -> float:
    """Seconds from the start of the database to the next committed page."""
    began = time.monotonic()
    before: int | None = None
    while time.monotonic() - began < 30:
        try:
            at = await stage.look(customers, "stop")
        except psycopg.OperationalError:
            await asyncio.sleep(GLANCE)
            continue
        if at.complete == len(customers) or (before is not None and at.pages > before):
            break
        before = at.pages if before is None else before
        await asyncio.sleep(GLANCE)
    return time.monotonic() - began


async def looking_back(stage: Stage, customers: Sequence[int]) -> None:
    """One more cycle in peace: it reads the newest day again, which moved while it was read. Nothing else is asked for."""
    await stage.world.make_due(customers)
    await stage.settle(customers, "look back")
