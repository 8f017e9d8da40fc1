"""A whole run: a store, a process for each core with a share of the lives, and what came of them."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from bench.consent import worker
from bench.consent.settings import PROCESSES, Asked, Share
from bench.kit.command import Outcome
from bench.kit.figures import Figure, exactly, none, told
from bench.kit.ground import folder
from bench.kit.show import Show
from hub.store.embedded import Embedded
from hub.store.migrate import migrate

DID = ("granted", "narrowed", "paused", "resumed", "withdrawn", "syncs", "fetches", "reads", "facts read", "facts held back")
"""What lives are made of: a run that did one of these never has shown nothing."""

ENOUGH = 500
"""Lives of which each of these is to be expected."""


async def run(asked: Asked, show: Show) -> Outcome:
    began = time.monotonic()
    with folder() as home:
        embedded = await asyncio.to_thread(Embedded, home / "postgres", durable=False)
        try:
            shares = [await _share(embedded, home, asked, number) for number in range(PROCESSES)]
            await _lived(shares, asked, show)
            tally, wrong = _reports(shares)
        finally:
            await asyncio.to_thread(embedded.stop)
    return Outcome(_figures(asked, tally, wrong), {"lives": time.monotonic() - began}, {"seed": asked.seed})


async def _share(embedded: Embedded, home: Path, asked: Asked, number: int) -> Share:
    urls = await embedded.prepare(f"share_{number}")
    await migrate(urls)
    (home / f"hub-{number}").mkdir()
    lives = asked.lives // PROCESSES + (number < asked.lives % PROCESSES)
    return Share(home, urls, number, lives, asked.seed, asked.broken)


async def _lived(shares: Sequence[Share], asked: Asked, show: Show) -> None:
    context = multiprocessing.get_context("forkserver")
    processes: list[ForkServerProcess] = [context.Process(target=worker.live, args=(share,)) for share in shares if share.lives]
    try:
        for process in processes:
            process.start()
        while any(process.is_alive() for process in processes):
            show.at("lives", min(_reports(shares)[0]["lives"], asked.lives), asked.lives)
            await asyncio.sleep(0.2)
    finally:
        for process in processes:
            if process.is_alive():
                process.kill()
            process.join(5)


def _reports(shares: Sequence[Share]) -> tuple[Counter[str], list[str]]:
    tally, wrong = Counter[str](), list[str]()
    for share in shares:
        if share.report.exists():
            found = json.loads(share.report.read_text())
            tally.update(found["tally"])
            wrong += [found["wrong"]] if found["wrong"] else []
    return tally, wrong


def _figures(asked: Asked, tally: Counter[str], wrong: Sequence[str]) -> list[Figure]:
    lives = tally["lives"]
    return [
        Figure("lives", f"{asked.lives:,}", f"{lives:,}", lives >= asked.lives),
        none("fetches outside a valid consent", tally["fetched outside"]),
        none("reads outside a valid consent", tally["read outside"]),
        exactly("lives that went another way than the model's", 0, len(wrong)),
        *(Figure(f"of these: {name}", "some", f"{tally[name]:,}", tally[name] > 0 or lives < ENOUGH) for name in DID),
        *(told("what was found", text) for text in wrong),
    ]
