"""Round after round, each contestant in turn, in one PostgreSQL; then the statements are counted, and the store is grown."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import orjson

from bench.kit.command import Outcome
from bench.kit.figures import Figure, exactly, none, told
from bench.kit.ground import folder
from bench.kit.process import end, line, start
from bench.kit.show import Show
from bench.read import busy, peer
from bench.read.bound import Bound
from bench.read.client import Partner, registered
from bench.read.counting import counted
from bench.read.growing import drawn, grow
from bench.read.load import Asking, Load, wrk
from bench.read.operations import OURS, THEIRS, same
from bench.read.settings import BOUND_TO, OVER_BARE, OVER_PEER, OVER_PEER_GUARDED, SLOWER, Asked, Post
from hub.store.database import Database
from hub.store.embedded import Embedded, Urls
from hub.store.migrate import migrate

BARE, GUARDED, PEER, PGBENCH = "bare", "guarded", "postgraphile", "pgbench"
OURS_BOTH = (BARE, GUARDED)
SAMPLES = 20
"""Customers whose answers are compared."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a contestant came to in a round; milliseconds of processor time a request, its own and PostgreSQL's."""

    rate: float
    load: Load | None = None
    own: float = 0.0
    postgres: float = 0.0


Turns = Mapping[str, Sequence[Turn]]


@dataclass
class Contest:
    """Who is asked where. ``turns`` by contestant, in the order of the rounds."""

    asked: Asked
    home: Path
    show: Show
    postmaster: int
    partner: Partner
    asking: Mapping[str, tuple[Asking, int]]
    bound: Bound
    turns: dict[str, list[Turn]] = field(default_factory=dict)
    begun: int = 0

    async def rounds(self, suffix: str = "") -> None:
        """The first one warms up and does not count. Who begins changes from one to the next."""
        names = [PEER, BARE, GUARDED, PGBENCH] if not suffix else [BARE, GUARDED]
        names = [name for name in names if name in self.asking or name == PGBENCH]
        for number in range(self.asked.rounds + 1):
            for name in names[number % len(names) :] + names[: number % len(names)]:
                turn = await self._turn(name)
                if number:
                    self.turns.setdefault(name + suffix, []).append(turn)
                    self._say(name + suffix, turn)
            self.show.at(f"rounds{suffix}", number, self.asked.rounds)

    async def warm(self) -> None:
        """Everybody who will be asked for is asked for once: a store that was just filled is on the disk, and how fast that is would be measured."""
        asking, _ = self.asking[BARE]
        count, asked = len(asking.ids.read_text().split()), 0
        while asked < count:
            asked += (await asking.run(self.asked.seconds, asked)).requests
            self.show.at("warming", min(asked, count), count, "customers")

    async def _turn(self, name: str) -> Turn:
        if name == PGBENCH:
            return Turn(await self.bound.rate(self.asked.seconds))
        asking, process = self.asking[name]
        with_token: dict[str, Any] = {}
        if name == GUARDED:
            await self.partner.introduce()
            with_token = {"token": self.partner.token, "proofs": await asyncio.to_thread(self.partner.proofs, self._enough())}
        before = busy.seconds(process), busy.seconds(self.postmaster)
        load = await asking.run(self.asked.seconds, self.begun, **with_token)
        self.begun += load.requests
        own, postgres = (
            1000 * (now - then) / load.requests
            for now, then in zip((busy.seconds(process), busy.seconds(self.postmaster)), before, strict=True)
        )
        return Turn(load.rate, load, own, postgres)

    def _enough(self) -> int:
        """Proofs for one turn: by the fastest so far, and half as many again."""
        fastest = max((turn.rate for name, turns in self.turns.items() if name != PGBENCH for turn in turns), default=3_000)
        return int(1.5 * fastest * self.asked.seconds)

    def _say(self, name: str, turn: Turn) -> None:
        more = f"  p50 {turn.load.p50:6.2f} ms  p99 {turn.load.p99:6.2f} ms  {turn.load.bad} refused" if turn.load else ""
        self.show.say(f"{name:<20}{turn.rate:>7,.0f}/s{more}")


async def run(asked: Asked, show: Show) -> Outcome:
    wrk()
    load = [os.getloadavg()[0]]
    async with _ground() as (home, embedded, urls):
        await grow(embedded.dsn("hub"), 1, asked.start, show)
        async with _contest(asked, home, embedded, urls, show) as contest:
            answers = await compared(contest)
            await contest.rounds()
            statements = await counted(contest.partner, contest.asking[GUARDED][0], embedded, home / "postgres" / "log", asked.reads)
            if asked.customers > asked.start:
                await grow(embedded.dsn("hub"), asked.start + 1, asked.customers, show)
                await _list_customers(contest.home, embedded, asked.customers)
                await contest.warm()
                await contest.rounds(LATER)
    load.append(os.getloadavg()[0])
    machine = told("load of the machine, before and after", f"{load[0]:.1f} and {load[1]:.1f} on {os.cpu_count()} cores")
    return Outcome([*answers, *figures(asked, contest), *statements, machine], more={"turns": described(contest.turns)})


LATER = ", grown"


def figures(asked: Asked, contest: Contest) -> list[Figure]:
    """What each came to, then the targets."""
    found = [told(WHAT[name], shown(turns)) for name, turns in contest.turns.items() if not name.endswith(LATER)]
    found += [
        told(f"{name}, {asked.customers:,} customers", shown(contest.turns[name + LATER]))
        for name in OURS_BOTH
        if name + LATER in contest.turns
    ]
    return found + ratios(asked, contest.turns)


def ratios(asked: Asked, turns: Turns) -> list[Figure]:
    found = [_ratio("bare : pgbench, the same statement", OVER_BARE, over(turns, BARE, PGBENCH))]
    if PEER in turns:
        found += [
            _ratio("bare : PostGraphile", OVER_PEER, over(turns, BARE, PEER)),
            _ratio("guarded : PostGraphile with nothing of it", OVER_PEER_GUARDED, over(turns, GUARDED, PEER)),
        ]
    for name in OURS_BOTH:
        if name + LATER in turns:
            slower = rate(turns[name]) / rate(turns[name + LATER])
            found += [Figure(f"{name}, slower with {asked.customers:,} customers", f"<= x {SLOWER}", f"{slower:.2f}", slower <= SLOWER)]
    refused = sum(turn.load.bad for many in turns.values() for turn in many if turn.load)
    return [*found, none("requests that were refused, or not answered", refused)]


def rate(turns: Sequence[Turn]) -> float:
    return median(turn.rate for turn in turns)


def over(turns: Turns, name: str, other: str) -> float:
    """Round by round, so that both had the same neighbours on the machine."""
    return median(one.rate / two.rate for one, two in zip(turns[name], turns[other], strict=True))


WHAT = {
    PEER: "PostGraphile 5: as superuser",
    BARE: "bare: no token, proof, consent, row security, log",
    GUARDED: "guarded: token, DPoP, replay store, consent, row security, access log",
    PGBENCH: "pgbench: the statement of bare",
}


def shown(turns: Sequence[Turn]) -> str:
    text = f"{rate(turns):,.0f}/s"
    loads = [turn.load for turn in turns if turn.load is not None]
    if loads:
        text += f", p50 {median(one.p50 for one in loads):.2f} ms, p99 {median(one.p99 for one in loads):.2f} ms"
        text += f"; CPU {median(turn.own for turn in turns):.2f} + {median(turn.postgres for turn in turns):.2f} ms (PostgreSQL)"
    return text


def described(turns: Turns) -> list[dict[str, Any]]:
    return [
        {
            "who": name,
            "rate": turn.rate,
            "own": turn.own,
            "postgres": turn.postgres,
            "p50": turn.load and turn.load.p50,
            "p99": turn.load and turn.load.p99,
        }
        for name, found in turns.items()
        for turn in found
    ]


def _ratio(name: str, wanted: float, seen: float) -> Figure:
    return Figure(name, f">= {wanted}", f"{seen:.2f}", seen >= wanted)


async def compared(contest: Contest) -> list[Figure]:
    """The same customers, asked of all: the same JSON."""
    ids = contest.asking[BARE][0].ids.read_text().split()[:SAMPLES]
    await contest.partner.introduce()
    equal, size = 0, 0
    async with httpx.AsyncClient(trust_env=False, headers={"Accept": "application/json"}) as line:
        for customer, proof in zip(ids, contest.partner.proofs(len(ids)), strict=True):
            answers = []
            for name, (asking, _) in contest.asking.items():
                headers = {"Authorization": f"DPoP {contest.partner.token}", "DPoP": proof} if name == GUARDED else {}
                body = {"query": asking.document, "variables": {"id": customer}}
                answers.append((await line.post(asking.url, json=body, headers=headers)).json())
            equal += all(same(answers[0], other) and other["data"]["customer"]["orders"]["nodes"] for other in answers)
            size = max(size, len(orjson.dumps(answers[-1])))
    return [exactly("answers that are the same", len(ids), equal), told("bytes of an answer, without blanks", f"{size:,}")]


@asynccontextmanager
async def _ground() -> AsyncIterator[tuple[Path, Embedded, Urls]]:
    with folder() as home:
        embedded = await asyncio.to_thread(Embedded, home / "postgres")
        try:
            urls = await embedded.prepare()
            await migrate(urls)
            yield home, embedded, urls
        finally:
            await asyncio.to_thread(embedded.stop)


async def _list_customers(home: Path, embedded: Embedded, last: int) -> None:
    (home / "ids.txt").write_text("\n".join(await drawn(embedded.dsn("hub"), last, BOUND_TO)) + "\n")


@asynccontextmanager
async def _contest(asked: Asked, home: Path, embedded: Embedded, urls: Urls, show: Show) -> AsyncIterator[Contest]:
    database, ids = Database(urls), home / "ids.txt"
    await _list_customers(home, embedded, asked.start)
    key = await registered(database)
    await database.close()
    bound = Bound(home, embedded.dsn("hub"), BOUND_TO)
    await bound.prepare(asked.start)
    postmaster = int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    async with AsyncExitStack() as stack:
        asking: dict[str, tuple[Asking, int]] = {}
        if asked.peers:
            found = await asyncio.to_thread(peer.installed)
            url = f"postgresql://postgres:none@localhost:{embedded.port}/hub?host={embedded.socket_dir}"
            address, process = await stack.enter_async_context(peer.serving(found, url, home / "peer.log"))
            asking[PEER] = Asking(home, address, THEIRS, ids), process
        for name in (BARE, GUARDED):
            origin, process = await stack.enter_async_context(_api(Post(home, urls, name == GUARDED)))
            asking[name] = Asking(home, f"{origin}/graphql", OURS, ids), process
        yield Contest(asked, home, show, postmaster, Partner(key, origin), asking, bound)


@asynccontextmanager
async def _api(post: Post) -> AsyncIterator[tuple[str, int]]:
    log = os.open(post.home / "api.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    process = await start("bench.read.api", post.told(), errors=log)
    os.close(log)
    try:
        yield await line(process), process.pid
    finally:
        await end(process)
