"""``python -m bench.tokens``."""

from __future__ import annotations

from bench.kit.command import command, parser
from bench.tokens.run import run
from bench.tokens.settings import BREAKS, Asked

COUNTS = {
    "workers": "workers that use the same grants",
    "expiries": "expiries of a token that all of them use",
    "kills": "processes to end with kill -9 between rotation and commit",
}

if __name__ == "__main__":
    asked = Asked(**vars(parser("tokens", COUNTS, Asked(), breaks=BREAKS).parse_args()))
    command("tokens", asked, lambda show: run(asked, show))
