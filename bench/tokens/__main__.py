"""``python -m bench.tokens``. Exit code 1 when a figure is missed."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

import orjson
import uvloop

from bench.tokens.report import as_json, table
from bench.tokens.run import run
from bench.tokens.settings import BREAKS, Asked
from bench.tokens.show import Show


def parse(arguments: list[str]) -> Asked:
    parser = argparse.ArgumentParser(prog="bench.tokens", description=__doc__)
    for name, meaning in (
        ("workers", "workers that use the same grants"),
        ("expiries", "expiries of a token that all of them use"),
        ("kills", "processes to end with kill -9 between rotation and commit"),
    ):
        parser.add_argument(f"--{name}", type=int, default=getattr(Asked(), name), help=f"{meaning} (default %(default)s)")
    parser.add_argument("--break", dest="broken", choices=BREAKS, help="take a guard out of the workers: the run must miss its figures")
    parser.add_argument("--json", action="store_true", help="the figures as JSON on stdout")
    return Asked(**vars(parser.parse_args(arguments)))


async def _main(asked: Asked) -> int:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with Show() as show:
        found, seconds = await run(asked, show)
    if asked.json:
        sys.stdout.buffer.write(orjson.dumps(as_json(found, seconds), option=orjson.OPT_INDENT_2) + b"\n")
    else:
        table(found, seconds)
    return int(any(one.met is False for one in found))


if __name__ == "__main__":
    try:
        sys.exit(uvloop.run(_main(parse(sys.argv[1:]))))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(130)
