"""Round after round, each contestant in turn and in a fresh process; then the second sync and the memory of a worker."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import orjson

from bench.ingest.orders import PER_PAGE
from bench.ingest.settings import FEW, FLAT, OVER_BARE, OVER_DLT, SMALL, Asked, Post
from bench.ingest.world import World
from bench.kit.command import Outcome
from bench.kit.figures import Figure, none, told
from bench.kit.ground import folder
from bench.kit.process import ROOT, Result, said, serving
from bench.kit.show import Show

PEER = ROOT / ".venv-bench" / "bin" / "python"

Rates = dict[str, list[float]]


class Contest:
    """The contestants on one platform and in one PostgreSQL. ``rates`` in rows per second, round by round; ``lines`` what each process said."""

    def __init__(self, asked: Asked, origin: str, world: World, show: Show) -> None:
        self.asked, self.origin, self.world, self.show = asked, origin, world, show
        self.rates: Rates = {}
        self.lines: list[dict[str, Any]] = []
        self.rows = asked.pages * PER_PAGE

    async def rounds(self) -> list[Result]:
        """The results of the second syncs. Who begins a round changes from one to the next."""
        contestants = [self._ours, self._bare, *([self._dlt] if self.asked.peers else [])]
        again: list[Result] = []
        for number in range(self.asked.rounds):
            for contestant in contestants[number % len(contestants) :] + contestants[: number % len(contestants)]:
                second = await contestant()
                again += [second] if second is not None else []
        return again

    async def _ours(self) -> Result:
        """The first sync is the contest; the second is told."""
        post = await self.world.connected(self.asked.pages, PER_PAGE)
        self._note("ours", await _sync(post))
        second = await _sync(post)
        self._note("ours, again", second)
        return second

    async def _bare(self) -> None:
        command = (sys.executable, "-m", "bench.ingest.bare", self.origin, self.world.dsn(), f"bare_{secrets.token_hex(4)}")
        self._note("bare", await said((*command, str(self.asked.pages), str(PER_PAGE))))

    async def _dlt(self) -> None:
        name = f"dlt_{secrets.token_hex(4)}"
        script = str(Path(__file__).with_name("with_dlt.py"))
        # -P: a module of this folder must not be taken for one of the peer's.
        command = (
            str(PEER),
            "-P",
            script,
            self.origin,
            self.world.url(),
            name,
            str(self.asked.pages),
            str(PER_PAGE),
            str(self.world.home / name),
        )
        self._note("dlt", await said(command, folder=self.world.home))

    def _note(self, who: str, found: Result) -> None:
        rate = found["rows"] / found["seconds"]
        self.rates.setdefault(who, []).append(rate)
        self.lines.append({"who": who, **found, "rate": rate})
        self.show.say(
            f"{who:<12}{found['rows']:>9,} rows {found['seconds']:8.2f} s {rate:>9,.0f} rows/s   its own CPU {found['cpu']:.2f} s"
        )

    async def memory(self) -> list[float]:
        """Peak memory (MiB) of a worker process after few pages, and after many."""
        peaks = []
        for pages in (min(FEW, self.asked.many), self.asked.many):
            found = await _sync(await self.world.connected(pages, SMALL))
            assert found["rows"] == pages * SMALL, found
            peaks.append(float(found["peak"]))
            self.show.say(f"memory      {pages:>9,} pages{found['seconds']:8.2f} s {found['peak']:>9.1f} MiB at most")
        return peaks


async def _sync(post: Post) -> Result:
    return await said((sys.executable, "-m", "bench.ingest.ours"), orjson.dumps(asdict(post)))


async def run(asked: Asked, show: Show) -> Outcome:
    """The figures, and what every process said."""
    if asked.peers and not PEER.exists():
        raise SystemExit(f"{PEER} is missing: `make bench-ingest` builds it; --no-dlt does without.")
    busy = [os.getloadavg()[0]]
    with folder() as home:
        async with serving("bench.ingest.api") as (origin,), _world(home) as world:
            await world.prepare(origin)
            await _made(origin, asked.pages)
            contest = Contest(asked, origin, world, show)
            again = await contest.rounds()
            busy.append(os.getloadavg()[0])
            peaks = await contest.memory()
    load = told("load of the machine, before and after", f"{busy[0]:.1f} and {busy[1]:.1f} on {os.cpu_count()} cores")
    return Outcome([*figures(asked, contest.rates, contest.rows, again, peaks), load], more={"runs": contest.lines})


async def _made(origin: str, pages: int) -> None:
    """The platform makes its pages before anybody is measured: else who comes first waits for them."""
    async with httpx.AsyncClient(base_url=origin, trust_env=False) as client:
        for number in range(1, pages + 1):
            await client.get("/orders", params={"page": number, "pages": pages, "size": PER_PAGE})


def figures(asked: Asked, rates: Rates, rows: int, again: Sequence[Result], peaks: Sequence[float]) -> list[Figure]:
    """Medians of the rounds: a machine that is busy with something else is so for all contestants."""
    ours = median(rates["ours"])
    found = [told("ours", _rate(rates["ours"])), told("bare httpx, orjson, COPY", _rate(rates["bare"]))]
    if asked.peers:
        over = ours / median(rates["dlt"])
        found += [
            told("dlt, merge", _rate(rates["dlt"])),
            Figure("ours : dlt", f">= {OVER_DLT}", f"{over:.2f}", over >= OVER_DLT),
        ]
    over = ours / median(rates["bare"])
    versions = sum(one["stored"] for one in again)
    unchanged = all((one["verdict"], one["unchanged"]) == ("COMPLETE", rows) for one in again)
    growth = peaks[1] / peaks[0]
    return [
        *found,
        Figure("ours : bare", f">= {OVER_BARE}", f"{over:.2f}", over >= OVER_BARE),
        told("second sync, nothing changed", _rate(rates["ours, again"])),
        none("fact versions written by it", versions),
        Figure("records it says are unchanged", f"{rows:,} each time", "yes" if unchanged else "no", unchanged),
        Figure(
            f"memory, {min(FEW, asked.many):,} and {asked.many:,} pages",
            f"<= x {FLAT}",
            f"{peaks[0]:.0f} and {peaks[1]:.0f} MiB",
            growth <= FLAT,
        ),
    ]


def _rate(rates: Sequence[float]) -> str:
    return f"{median(rates):,.0f} rows/s (" + ", ".join(f"{rate:,.0f}" for rate in rates) + ")"


@asynccontextmanager
async def _world(home: Path) -> AsyncIterator[World]:
    world = await asyncio.to_thread(World, home)
    try:
        yield world
    finally:
        await world.stop()
