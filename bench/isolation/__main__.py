"""``python -m bench.isolation``."""

from __future__ import annotations

from bench.isolation.run import run
from bench.isolation.settings import BREAKS, Asked
from bench.kit.command import command, parser

COUNTS = {"requests": "requests in all", "clients": "clients at the same time", "seed": "of the dice"}

if __name__ == "__main__":
    asked = Asked(**vars(parser("isolation", COUNTS, Asked(), breaks=BREAKS).parse_args()))
    command("isolation", asked, lambda show: run(asked, show))
