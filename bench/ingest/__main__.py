"""``python -m bench.ingest``. Exit code 1 when a figure is missed."""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import asdict

import orjson
from rich.console import Console
from rich.table import Table

from bench.chaos.show import Show
from bench.ingest.run import run
from bench.ingest.settings import Asked, Figure


def parse(arguments: list[str]) -> Asked:
    parser = argparse.ArgumentParser(prog="bench.ingest", description=__doc__)
    for name, meaning in (
        ("pages", "pages of 200 orders that every contestant reads"),
        ("rounds", "how often each of them does"),
        ("many", "pages of the second memory run"),
    ):
        parser.add_argument(f"--{name}", type=int, default=getattr(Asked(), name), help=f"{meaning} (default %(default)s)")
    parser.add_argument("--no-dlt", dest="peers", action="store_false", help="without the peer that needs an environment of its own")
    parser.add_argument("--json", action="store_true", help="the figures as JSON on stdout")
    return Asked(**vars(parser.parse_args(arguments)))


def table(found: list[Figure]) -> None:
    shown = Table("figure", "wanted", "seen", "", title="ingest")
    for one in found:
        shown.add_row(one.name, one.wanted, one.seen, {True: "met", False: "[bold red]MISSED[/]", None: ""}[one.met])
    Console(width=140).print(shown)


async def _main(asked: Asked) -> int:
    with Show() as show:
        found, lines = await run(asked, show)
    met = all(one.met is not False for one in found)
    if asked.json:
        document = {"figures": [asdict(one) for one in found], "runs": lines, "met": met}
        sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    else:
        table(found)
    return int(not met)


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(_main(parse(sys.argv[1:]))))
    except KeyboardInterrupt:
        sys.exit(130)
