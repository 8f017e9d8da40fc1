"""The disturbances: kill -9 and immediate stops of PostgreSQL; freezing stands in :mod:`bench.chaos.zombies`. Each phase has work of its own, and an end in time whatever happens."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from bench.chaos import traps
from bench.chaos.fleet import Fleet
from bench.chaos.truth import Truth
from bench.chaos.world import Progress, World
from bench.kit.show import Show

GLANCE = 0.1
WAITS = 4.0
"""Seconds in which a worker should come by a trap."""


@dataclass
class Stage:
    """What a phase works with, and what the phases have done so far.

    ``trapped`` kills fell between two statements of a page; ``held`` freezes ended with an answer in hand that another run was waiting for.
    ``thawed`` says when a process (by its id) was woken, in seconds since the epoch.
    """

    world: World
    fleet: Fleet
    truth: Truth
    dice: random.Random
    show: Show
    platform: Callable[[str], Awaitable[Any]]
    kills: int = 0
    freezes: int = 0
    stops: int = 0
    overtaken: int = 0
    trapped: int = 0
    held: int = 0
    thawed: dict[int, float] = field(default_factory=dict)
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
        """How far these are; also shown."""
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


SOUND: tuple[str | None, ...] = ("rows", None, "cursor")


async def killing(stage: Stage, customers: Sequence[int], kills: int, places: tuple[str | None, ...] = SOUND) -> None:
    """Kills are spread over the pages: after each share of the work, in turn when a page's rows have begun, at a random moment, and when a window has moved."""
    await stage.world.make_due(customers)
    share = stage.pages(customers) / (kills + 1)
    for number in range(kills):
        if not await stage.reaches(customers, share * (number + 1), "kill"):
            break
        await _kill(stage, places[number % len(places)])
        stage.kills += 1
    await stage.settle(customers, "kill")


async def _kill(stage: Stage, place: str | None) -> None:
    if place is None:
        await asyncio.sleep(stage.dice.uniform(0, 0.4))
        stage.fleet.kill()
        return
    async with traps.trap(stage.world.embedded.dsn("hub"), place) as admin:
        found = [pid for pid in await traps.caught(admin, place, WAITS) if stage.fleet.has(pid)]
        stage.fleet.kill(stage.dice.choice(found) if found else None)
        stage.trapped += bool(found)


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
