"""Reads over HTTP while the API process is killed again and again: no answer may have left whose read is not in the log."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.context import ForkServerProcess
from random import Random
from urllib.parse import urlencode

import orjson
from sqlalchemy import text

from bench.audit import server
from bench.audit.settings import READERS, Post
from bench.audit.world import World
from bench.kit.figures import Figure, exactly, none, told
from bench.kit.show import Show
from hub.access.audit import ChainKeys
from hub.access.audit.heads import BEGIN, Published, digest, read_heads, signed
from hub.access.audit.verify import verify
from hub.http import Caller, PlatformUnreachable

PATIENCE = 60.0
"""Seconds an answer may take: the API may be on its way up."""


@dataclass
class Run:
    """``answered`` are the numbers of the reads whose answer arrived whole."""

    post: Post
    world: World
    show: Show
    reads: int
    kills: int
    random: Random = field(default_factory=lambda: Random(29))  # noqa: S311 -- when to kill is no secret
    answered: set[int] = field(default_factory=set)
    asked: int = 0
    broken_chains: int = 0
    killed: int = 0
    published: bytes = b""
    ended: bool = False

    def __post_init__(self) -> None:
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["bench.audit.server"])

    def start(self) -> ForkServerProcess:
        process = self.context.Process(target=server.main, args=(self.post,))
        process.start()
        return process

    async def kill_again_and_again(self) -> None:
        """At moments that are spread over the reads, each some milliseconds late by chance."""
        process = self.start()
        places = sorted(self.random.sample(range(1, self.reads), self.kills))
        for place in places:
            while len(self.answered) < place and not self.ended:  # noqa: ASYNC110 -- readers set no event
                await asyncio.sleep(0.001)
            await asyncio.sleep(self.random.uniform(0, 0.02))
            process.kill()
            await asyncio.to_thread(process.join)
            self.killed += process.exitcode == -9
            await self.look()
            process = self.start()
        while not self.ended:  # noqa: ASYNC110 -- readers set no event
            await asyncio.sleep(0.01)
        process.kill()
        await asyncio.to_thread(process.join)

    async def look(self) -> None:
        """Whether the chain holds, also against what was published after the deaths before."""
        keys, database = ChainKeys.of(self.world.equipment.vault.keys), self.world.equipment.database
        found = await verify(database, keys, Published.read(keys, iter([("heads", self.published)])))
        self.broken_chains += bool(found.findings)
        lines = self.published.splitlines()
        self.published += signed(keys, await read_heads(database), len(lines) + 1, digest(lines[-1]) if lines else BEGIN)

    async def read(self, token: str, numbers: Iterator[int]) -> None:
        line = Caller(self.post.origin)
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Authorization": f"Bearer {token}"}
        try:
            for number in numbers:
                if len(self.answered) >= self.reads:
                    return
                self.asked += 1
                customer = self.world.customers[number % len(self.world.customers)]
                query = f"query R{number}($id: ID!) {{ customer(id: $id) {{ id nameMasked }} }}"
                body = orjson.dumps({"query": query, "variables": {"id": str(customer)}})
                with contextlib.suppress(PlatformUnreachable, TimeoutError):
                    async with asyncio.timeout(PATIENCE):
                        answer = await line.post("/graphql", body, headers)
                    if answer.status == 200 and orjson.loads(answer.body).get("data"):
                        self.answered.add(number)
                        self.show.at("reads", len(self.answered), self.reads, f"{self.killed} kills")
        finally:
            await line.close()


async def killed(post: Post, world: World, show: Show, reads: int, kills: int) -> list[Figure]:
    run = Run(replace(post), world, show, reads, kills)
    killing = asyncio.create_task(run.kill_again_and_again())
    token, numbers = await _token(world, post), iter(range(10 * reads))
    await asyncio.gather(*(run.read(token, numbers) for _ in range(READERS)))
    run.ended = True
    await killing
    await run.look()
    async with world.equipment.database.work() as tx:
        named = (await tx.execute(text("SELECT operation FROM access_log WHERE operation ~ '^R[0-9]+$'"))).scalars()
        logged = {int(name[1:]) for name in named}
    return [
        exactly("kills of the API process", kills, run.killed),
        Figure("reads answered", f">= {reads:,}", f"{len(run.answered):,}", len(run.answered) >= reads),
        none("answers whose read has no row", len(run.answered - logged)),
        none("restarts after which the chain did not hold", run.broken_chains),
        told("reads asked for, with those that a death left without an answer", f"{run.asked:,}"),
        told("rows whose answer did not arrive", f"{len(logged - run.answered):,}"),
    ]


async def _token(world: World, post: Post) -> str:
    side, line = world.side(post.origin), Caller(post.origin)
    try:
        form = urlencode(side.token_form()).encode()
        answer = await line.post("/oauth/token", form, {"Content-Type": "application/x-www-form-urlencoded"})
        return str(orjson.loads(answer.body)["access_token"])
    finally:
        await line.close()
