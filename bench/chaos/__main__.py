"""``python -m bench.chaos``. Exit code 1 when a figure is missed."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

import orjson

from bench.chaos.report import as_json, table
from bench.chaos.run import run
from bench.chaos.settings import BREAKS, Asked
from bench.chaos.show import Show


def parse(arguments: list[str]) -> Asked:
    parser = argparse.ArgumentParser(prog="bench.chaos", description=__doc__)
    for name, meaning in (
        ("kills", "workers to end with kill -9"),
        ("records", "records to sync meanwhile"),
        ("freezes", "workers to freeze past the lease"),
        ("stops", "immediate stops of PostgreSQL"),
        ("seed", "of the platform's data and of every dice"),
    ):
        parser.add_argument(f"--{name}", type=int, default=getattr(Asked(), name), help=f"{meaning} (default %(default)s)")
    share = "of a minute's calls that may be retries (default %(default)s; in production 0.1)"
    parser.add_argument("--retry-share", type=float, default=Asked().retry_share, help=share)
    parser.add_argument("--break", dest="broken", choices=BREAKS, help="take a guard out of the workers: the run must miss its figures")
    parser.add_argument("--json", action="store_true", help="the figures as JSON on stdout")
    return Asked(**vars(parser.parse_args(arguments)))


async def _main(asked: Asked) -> int:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with Show() as show:
        outcome = await run(asked, show)
    if asked.json:
        sys.stdout.buffer.write(orjson.dumps(as_json(outcome.figures, outcome.seconds), option=orjson.OPT_INDENT_2) + b"\n")
    else:
        table(outcome.figures, outcome.seconds)
    return int(any(one.met is False for one in outcome.figures))


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(_main(parse(sys.argv[1:]))))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(130)
