"""Ends a process between the platform's rotation and the hub's commit: before the answer arrives, or while its new tokens wait to be stored."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from multiprocessing.context import ForkServerContext, ForkServerProcess
from uuid import UUID

from sqlalchemy import text

from bench.tokens import worker
from bench.tokens.platform import Family
from bench.tokens.settings import KILL_LIMIT, Target
from bench.tokens.world import World

_HOLD = text("SELECT pg_backend_pid() FROM credential WHERE connection_id = :connection FOR UPDATE")
_BLOCKED = text("SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE :pid = ANY(pg_blocking_pids(pid)))")


class Killer:
    """``killed`` counts, by moment, the processes that died with the old tokens still in the row."""

    def __init__(self, world: World, context: ForkServerContext, targets: Sequence[Target]) -> None:
        self.world, self.context = world, context
        self.targets = {target.number: target for target in targets}
        self.processes: dict[int, ForkServerProcess] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.killed = {"before the answer": 0, "before the commit": 0}

    async def kill(self, number: int) -> None:
        """Starts a process that refreshes this grant, and waits until it is dead."""
        target, log_file = self.targets[number], self.world.post.home / "victims.log"
        process = self.processes[number] = self.context.Process(target=worker.victim, args=(self.world.post, target, log_file))
        process.start()
        try:
            async with asyncio.timeout(KILL_LIMIT):
                while process.is_alive():  # noqa: ASYNC110 -- a process sets no event
                    await asyncio.sleep(0.02)
        except TimeoutError:
            process.kill()
        process.join(5)
        if process.exitcode == -9:
            await self._count(number)

    async def _count(self, number: int) -> None:
        """Only what died with the old tokens in the row died between rotation and commit."""
        kept = (await self.world.kept([self.targets[number]]))[number]
        if kept.grant.refresh_token == f"r-{number}-0":
            self.killed[self._moment(number)] += 1

    def _moment(self, number: int) -> str:
        return "before the answer" if number % 2 else "before the commit"

    async def rotated(self, family: Family) -> None:
        """The platform has replaced the token, the worker has not heard of it yet."""
        process = self.processes.get(family.number)
        if process is None or not process.is_alive():
            return
        if self._moment(family.number) == "before the answer":
            process.kill()
            return
        held = asyncio.Event()
        task = asyncio.create_task(self._at_the_commit(family, process, held))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        await held.wait()

    async def _at_the_commit(self, family: Family, process: ForkServerProcess, held: asyncio.Event) -> None:
        """Holds the row, lets the answer go, and kills the worker when it stands before the row with its new tokens."""
        async with self._holding(self.targets[family.number]) as pid:
            held.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(KILL_LIMIT / 2):
                    while not await self._blocks(pid):  # noqa: ASYNC110 -- a database sets no event
                        await asyncio.sleep(0.005)
            process.kill()
            process.join(5)

    @asynccontextmanager
    async def _holding(self, target: Target) -> AsyncIterator[int]:
        async with self.world.database.work() as tx:
            yield int((await tx.execute(_HOLD, {"connection": UUID(target.connection_id)})).scalar_one())

    async def _blocks(self, pid: int) -> bool:
        async with self.world.database.work() as tx:
            return bool((await tx.execute(_BLOCKED, {"pid": pid})).scalar())
