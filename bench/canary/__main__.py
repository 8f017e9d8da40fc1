"""``python -m bench.canary``."""

from __future__ import annotations

from bench.canary.run import run
from bench.canary.settings import BREAKS, Asked
from bench.kit.command import command, parser

if __name__ == "__main__":
    asked = Asked(**vars(parser("canary", {"canaries": "canaries to make, at least"}, Asked(), breaks=BREAKS).parse_args()))
    command("canary", asked, lambda show: run(asked, show))
