"""A whole run: the platform, the store, the race for expired tokens, the kills, what a keeper makes of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from bench.kit.command import Outcome
from bench.kit.figures import Figure, exactly, told
from bench.kit.ground import folder
from bench.kit.show import Show
from bench.tokens import worker
from bench.tokens.killing import Killer
from bench.tokens.platform import Family, Platform
from bench.tokens.settings import (
    AT_ONCE,
    CONNECTIONS,
    KILL_LIMIT,
    PER_EXPIRY,
    PER_KILL,
    PROCESSES,
    RACE_LIMIT,
    SETTLE_LIMIT,
    Asked,
    Target,
)
from bench.tokens.world import Kept, World
from connectors.sandbox.serve import Server, bind

FIRST_VICTIM = 1_000
LOOKS = 1.5
"""Seconds for which the keepers go on after everything is settled: whoever asked again and again would be seen."""


@dataclass
class Stage:
    """What every part of a run works with."""

    asked: Asked
    platform: Platform
    world: World
    show: Show
    context: ForkServerContext
    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def timed(self, part: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[part] = time.monotonic() - began


async def run(asked: Asked, show: Show) -> Outcome:
    connections = max(1, min(CONNECTIONS, asked.expiries))
    platform = Platform(asked.workers, asked.expiries // connections)
    with folder() as home:
        async with _listening(platform) as origin, _opened(home, origin, asked.broken) as world:
            stage = Stage(asked, platform, world, show, _forks())
            figures: list[Figure] = []
            if asked.expiries:
                figures += await _race(stage, connections)
            if asked.kills:
                figures += await _kills(stage)
            return Outcome(figures, stage.seconds)


def _forks() -> ForkServerContext:
    """Processes are forked from a server that has imported the hub, so that a new one is at work at once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bench.tokens.worker"])
    return context


async def _race(stage: Stage, connections: int) -> list[Figure]:
    asked, post = stage.asked, stage.world.post
    families = [stage.platform.add(number) for number in range(connections)]
    targets = [await stage.world.connect(family) for family in families]
    names = [f"w{number}" for number in range(asked.workers)]
    shares = [names[first::PROCESSES] for first in range(min(PROCESSES, asked.workers))]
    reports = [post.home / f"race-{number}.json" for number in range(len(shares))]
    processes = [
        stage.context.Process(target=worker.race, args=(post, share, targets, report))
        for share, report in zip(shares, reports, strict=True)
    ]
    with stage.timed("race"), _ended(processes):
        await _until_dead(stage, processes, families, RACE_LIMIT + PER_EXPIRY * asked.expiries)
    ends: Counter[str] = Counter()
    for report in reports:
        ends.update(json.loads(report.read_text()) if report.exists() else _silent(stage.show, report.with_suffix(".log")))
    return _race_figures(stage, families, await stage.world.kept(targets), ends)


def _race_figures(stage: Stage, families: Sequence[Family], kept: Mapping[int, Kept], ends: Counter[str]) -> list[Figure]:
    wanted = stage.platform.expiries * len(families)
    lost = sum(family.revoked or not family.works(kept[family.number].grant.access_token) for family in families)
    return [
        exactly(f"token expiries met by {stage.asked.workers} workers at once", wanted, sum(family.expiries for family in families)),
        exactly("refresh calls", wanted, sum(family.calls for family in families)),
        exactly("refresh tokens used twice", 0, sum(family.reused for family in families)),
        exactly("grants lost", 0, lost),
        exactly("false 'reauthorise'", 0, sum(one.status == "REAUTHORISE" for one in kept.values())),
        exactly("workers that used every grant to the end", stage.asked.workers * len(families), ends["done"]),
        told("waits that took too long, for the platform or another worker", ends["again"]),
    ]


async def _until_dead(stage: Stage, processes: Sequence[ForkServerProcess], families: Sequence[Family], limit: float) -> None:
    for process in processes:
        process.start()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit):
            while any(process.is_alive() for process in processes):
                stage.show.at("expiries", sum(family.expiries for family in families), stage.asked.expiries)
                await asyncio.sleep(0.1)


async def _kills(stage: Stage) -> list[Figure]:
    numbers = range(FIRST_VICTIM, FIRST_VICTIM + stage.asked.kills)
    families = [stage.platform.add(number, lenient=number // 2 % 2 == 0) for number in numbers]
    targets = [await stage.world.connect(family) for family in families]
    killer = Killer(stage.world, stage.context, targets)
    stage.platform.rotated = killer.rotated
    with stage.timed("kills"):
        await _all_killed(stage, killer, numbers)
    stage.platform.rotated = None
    calls = sum(family.calls for family in families)
    await stage.world.let_the_limit_pass(targets)
    with stage.timed("recovery"):
        kept = await _settled(stage, targets)
    return _kill_figures(stage, families, kept, killer, calls)


async def _all_killed(stage: Stage, killer: Killer, numbers: Sequence[int]) -> None:
    waiting, done = iter(numbers), 0

    async def work() -> None:
        nonlocal done
        for number in waiting:
            await killer.kill(number)
            done += 1
            stage.show.at("kills", done, len(numbers))

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(KILL_LIMIT + PER_KILL * len(numbers)), asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(work())


async def _settled(stage: Stage, targets: Sequence[Target]) -> Mapping[int, Kept]:
    """Keepers work until no row is in doubt any more, and a little longer."""
    log_file = stage.world.post.home / "keepers.log"
    keepers = [stage.context.Process(target=worker.keeper, args=(stage.world.post, log_file)) for _ in range(2)]
    with _ended(keepers):
        for process in keepers:
            process.start()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_LIMIT):
                while doubtful := _doubtful(await stage.world.kept(targets)):
                    stage.show.at("recovery", len(targets) - doubtful, len(targets))
                    await asyncio.sleep(0.2)
        await asyncio.sleep(LOOKS)
    return await stage.world.kept(targets)


def _doubtful(kept: Mapping[int, Kept]) -> int:
    return sum(one.state not in ("valid", "reauth_required") for one in kept.values())


def _kill_figures(stage: Stage, families: Sequence[Family], kept: Mapping[int, Kept], killer: Killer, calls: int) -> list[Figure]:
    kills = stage.asked.kills
    fresh = {one.number for one in families if kept[one.number].state == "valid" and one.works(kept[one.number].grant.access_token)}
    shown = {number for number, one in kept.items() if (one.state, one.status) == ("reauth_required", "REAUTHORISE") and one.told}
    lenient = {one.number for one in families if one.lenient}
    attempts = sum(family.calls for family in families) - calls
    return [
        exactly("kill -9 between rotation and commit", kills, sum(killer.killed.values())),
        told("of them", ", ".join(f"{count} {moment}" for moment, count in killer.killed.items())),
        exactly("ended fresh or visibly 'reauthorise'", kills, len(fresh | shown)),
        told("fresh / 'reauthorise'", f"{len(fresh)} / {len(shown)}"),
        exactly("'reauthorise' where the platform still took the old token", 0, len(shown & lenient)),
        exactly("refresh calls after the kills: one attempt each", kills, attempts),
    ]


@contextlib.contextmanager
def _ended(processes: Sequence[ForkServerProcess]) -> Iterator[None]:
    """Whatever happens, none of them is left."""
    try:
        yield
    finally:
        for process in processes:
            if process.pid is not None and process.is_alive():
                process.kill()
            if process.pid is not None:
                process.join(5)


@asynccontextmanager
async def _listening(platform: Platform) -> AsyncIterator[str]:
    server = Server(platform.app(), bind("127.0.0.1", 0))
    await server.start()
    try:
        yield server.origin
    finally:
        platform.release()
        await server.stop()


@asynccontextmanager
async def _opened(home: Path, origin: str, broken: str | None) -> AsyncIterator[World]:
    world = await World.open(home, origin, broken)
    try:
        yield world
    finally:
        await world.close()


def _silent(show: Show, log_file: Path) -> dict[str, int]:
    """A process that ended without a word: what it logged last. Counted as such."""
    said = log_file.read_text("utf-8", "replace").splitlines()[-5:] if log_file.exists() else []
    show.say(f"{log_file.stem} ended without a report", *said)
    return {"silent": 1}
