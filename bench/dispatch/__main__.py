"""``python -m bench.dispatch``. Exit code 1 when a figure is missed."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

import orjson

from bench.dispatch.due import due_at_once
from bench.dispatch.hanging import beside_one_that_hangs
from bench.dispatch.report import Figure, as_json, table
from bench.dispatch.settings import BREAKS, PERIOD, Asked
from bench.dispatch.show import Show
from bench.dispatch.stopping import stopped_under_load
from bench.dispatch.world import cluster, folder


def parse(arguments: list[str]) -> Asked:
    parser = argparse.ArgumentParser(prog="bench.dispatch", description=__doc__)
    for name, meaning in (
        ("connections", "connections due in the same second; 0: leave this part out"),
        ("rounds", "rounds beside a platform that hangs; 0: leave this part out"),
        ("stops", "workers that are told to stop under load; 0: leave this part out"),
    ):
        parser.add_argument(f"--{name}", type=int, default=getattr(Asked(), name), help=f"{meaning} (default %(default)s)")
    parser.add_argument(
        "--period", type=float, default=PERIOD, help="seconds between two looks of the reconciler (default, as in production: %(default)s)"
    )
    parser.add_argument("--break", dest="broken", choices=BREAKS, help="take a guard out of the workers: the run must miss its figures")
    parser.add_argument("--json", action="store_true", help="the figures as JSON on stdout")
    return Asked(**vars(parser.parse_args(arguments)))


async def _figures(asked: Asked, show: Show) -> list[Figure]:
    """A guard that is taken out concerns one part only; the others are left out then."""
    found: list[Figure] = []
    with folder() as home:
        async with cluster(home) as embedded:
            if asked.connections and asked.broken in (None, "reconciler"):
                found += await due_at_once(asked, embedded, home, show)
            if asked.rounds and asked.broken in (None, "bulkhead"):
                found += await beside_one_that_hangs(asked, embedded, home, show)
            if asked.stops and asked.broken in (None, "stop"):
                found += await stopped_under_load(asked, embedded, home, show)
    return found


async def _main(asked: Asked) -> int:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with Show() as show:
        found = await _figures(asked, show)
    if asked.json:
        sys.stdout.buffer.write(orjson.dumps(as_json(found), option=orjson.OPT_INDENT_2) + b"\n")
    else:
        table(found)
    return int(any(one.met is False for one in found))


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(_main(parse(sys.argv[1:]))))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(130)
