"""Workers frozen past their lease, that then try to write what they hold.

Every other freeze is constructed: the platform keeps a customer's answers back until a worker waits for them; that worker is frozen, its answers are sent, another run takes
over and is kept waiting at the same page; then the frozen one wakes up with an answer in its hands, and nothing but the fence keeps it from writing. The others freeze
whoever it is at a random moment.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from multiprocessing.context import ForkServerProcess
from typing import Any

from bench.chaos.phases import GLANCE, Stage
from bench.chaos.settings import LEASE

FREEZERS = 2
"""How many workers may be frozen at the same time; two others run meanwhile."""
AT_WORK = 8
"""Connections that have something to do while workers freeze."""
SAY = 1.5
"""Seconds a thawed worker has to try what it was about to do."""
COMPANY = 0.4
"""Seconds until the other windows of the run wait for their answers, too: one that asks first would notice first that it was overtaken."""
TAKEOVER = 8.0
"""Seconds after the lease in which another run should wait for the same page."""
TRIES = 8


async def freezing(stage: Stage, customers: Sequence[int], freezes: int) -> None:
    """Freezers side by side. Connections that were read to their end are due again, so that whoever freezes is at work."""
    await stage.world.make_due(customers)
    left = iter(range(freezes))
    async with asyncio.TaskGroup() as group:
        for number in range(FREEZERS):
            group.create_task(_freezer(stage, customers, [one for one in customers if one % FREEZERS == number], left))
    await stage.settle(customers, "freeze")


async def _freezer(stage: Stage, everybody: Sequence[int], customers: Sequence[int], left: Iterator[int]) -> None:
    """Each has customers of its own, so that no two keep the same one's answers."""
    for number in left:
        await _feed(stage, customers)
        if number % 2 or not await _with_an_answer(stage, customers):
            await asyncio.sleep(stage.dice.uniform(0, 0.5))
            await _at_random(stage)
        stage.freezes += 1
        await stage.look(everybody, "freeze")


async def _feed(stage: Stage, customers: Sequence[int]) -> None:
    missing = AT_WORK // FREEZERS - (len(customers) - (await stage.world.progress(customers)).complete)
    if missing <= 0:
        return
    ids = {stage.world.ids[customer]: customer for customer in customers}
    idle = "SELECT connection_id FROM connection WHERE connection_id = ANY(%s) AND due_at IS NULL AND lease_until IS NULL"
    found = [ids[row[0]] for row in await stage.world.rows(idle, (list(ids),))]
    await stage.world.make_due(stage.dice.sample(found, min(missing, len(found))))


async def _at_random(stage: Stage) -> None:
    """Frozen until the lease is over and another run has begun, then a moment more; then it may try what it was about to do."""
    before = await stage.world.leased()
    victim = stage.fleet.freeze()
    await asyncio.sleep(LEASE + 0.1)
    stage.overtaken += await _taken_over(stage, before)
    await asyncio.sleep(stage.dice.uniform(0, 0.1))
    await _has_its_say(stage, victim)


async def _has_its_say(stage: Stage, victim: ForkServerProcess) -> None:
    stage.thawed[victim.pid or 0] = time.time()
    stage.fleet.thaw(victim)
    await asyncio.sleep(SAY)
    stage.fleet.retire(victim)


async def _taken_over(stage: Stage, before: dict[Any, int]) -> bool:
    """Whether a run that was there before the freeze has a successor, within two seconds."""
    for _ in range(20):
        now = await stage.world.leased()
        if any(now.get(connection, 0) > epoch for connection, epoch in before.items()):
            return True
        await asyncio.sleep(GLANCE)
    return False


async def _with_an_answer(stage: Stage, customers: Sequence[int]) -> bool:
    """The constructed freeze; False where nobody could be caught, several times over."""
    for _ in range(TRIES):
        leased = await stage.world.leased()
        at_work = [customer for customer in customers if stage.world.ids[customer] in leased]
        customer = stage.dice.choice(at_work or list(customers))
        try:
            if await _caught(stage, customer):
                return True
        finally:
            await stage.platform(f"/_let?customer={customer}")
        await _feed(stage, customers)
    return False


async def _caught(stage: Stage, customer: int) -> bool:
    waiting = await _waits(stage, customer, 2.0)
    pid = waiting[0]["worker"] if waiting else 0
    if not stage.fleet.has(pid):
        return False
    await asyncio.sleep(COMPANY)
    victim = stage.fleet.freeze(pid)
    await stage.platform(f"/_let?customer={customer}&worker={pid}")
    successor = await _waits(stage, customer, LEASE + TAKEOVER, but=pid)
    stage.overtaken += bool(successor)
    stage.held += bool(successor)
    await _has_its_say(stage, victim)
    return True


async def _waits(stage: Stage, customer: int, seconds: float, but: int = 0) -> list[dict[str, Any]]:
    """The calls of a customer whose answers are kept back, of another process than ``but``; from now on they are."""
    for _ in range(int(seconds / GLANCE)):
        if found := [call for call in await stage.platform(f"/_hold?customer={customer}") if call["worker"] != but]:
            return found
        await asyncio.sleep(GLANCE)
    return []
