"""The worker processes: two are kept running, whatever happens to them. Each is forked from a server that has imported the hub, so that a new one is at work at once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from bench.chaos import worker
from bench.chaos.settings import WORKERS, Post


class Fleet:
    """Every process in it was started here and is ended by its own pid. ``died`` counts those that ended by themselves."""

    def __init__(self, post: Post, log_dir: Path, dice: random.Random) -> None:
        self.post, self.log_dir, self.dice = post, log_dir, dice
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["bench.chaos.worker"])
        self.running: list[ForkServerProcess] = []
        self.frozen: list[ForkServerProcess] = []
        self.started = self.died = 0
        self._keeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.log_dir.mkdir(parents=True, exist_ok=True)
        self.fill()
        self._keeper = asyncio.create_task(self._keep())

    async def _keep(self) -> None:
        """Replaces a worker that ended by itself."""
        while True:
            await asyncio.sleep(0.2)
            self.fill()

    def fill(self) -> None:
        """Starts what is missing."""
        alive = [one for one in self.running if one.is_alive()]
        self.died += len(self.running) - len(alive)
        self.running = alive
        while len(self.running) < WORKERS:
            self.running.append(self._spawn())

    def _spawn(self) -> ForkServerProcess:
        self.started += 1
        process = self.context.Process(target=worker.main, args=(self.post, self.log_dir / f"worker-{self.started}.log"))
        process.start()
        return process

    def has(self, pid: int) -> bool:
        """Whether this process is one of those that run."""
        return any(one.pid == pid for one in self.running)

    def kill(self, pid: int | None = None) -> None:
        """kill -9 of a certain one or of any, at once replaced."""
        victim = self._take(pid)
        end(victim)
        self.fill()

    def freeze(self, pid: int | None = None) -> ForkServerProcess:
        """SIGSTOP of a certain one or of any; another takes its place."""
        victim = self._take(pid)
        self.frozen.append(victim)
        os.kill(victim.pid or 0, signal.SIGSTOP)
        self.fill()
        return victim

    def thaw(self, process: ForkServerProcess) -> None:
        os.kill(process.pid or 0, signal.SIGCONT)

    def retire(self, process: ForkServerProcess) -> None:
        """Ends a worker that was thawed and has had its say."""
        self.frozen.remove(process)
        end(process)

    def _take(self, pid: int | None) -> ForkServerProcess:
        self.fill()
        found = [number for number, one in enumerate(self.running) if one.pid == pid]
        return self.running.pop(found[0] if found else self.dice.randrange(len(self.running)))

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL for whoever does not go within five seconds."""
        if self._keeper is not None:
            self._keeper.cancel()
        for process in self.running:
            process.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                while any(process.is_alive() for process in self.running):  # noqa: ASYNC110 -- a process sets no event
                    await asyncio.sleep(0.05)
        self.abandon()

    def abandon(self) -> None:
        """Ends everything at once."""
        for process in (*self.running, *self.frozen):
            end(process)
        self.running, self.frozen = [], []

    def events(self) -> Counter[str]:
        """What the workers logged, by event and kind."""
        return Counter(self._said())

    def _said(self) -> Iterator[str]:
        for path in self.log_dir.glob("worker-*.log"):
            for line in path.read_text("utf-8", "replace").splitlines():
                with contextlib.suppress(ValueError, AttributeError):
                    said = json.loads(line)
                    yield ":".join(str(said[name]) for name in ("event", "kind") if said.get(name))


def end(process: ForkServerProcess) -> None:
    """kill -9, whether it runs or is frozen."""
    if process.is_alive():
        process.kill()
    process.join(5)
