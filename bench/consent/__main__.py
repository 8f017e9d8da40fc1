"""``python -m bench.consent``."""

from __future__ import annotations

from bench.consent.run import run
from bench.consent.settings import BREAKS, Asked
from bench.kit.command import command, parser

COUNTS = {"lives": "lives of a customer's consents", "seed": "which lives hypothesis makes up"}

if __name__ == "__main__":
    asked = Asked(**vars(parser("consent", COUNTS, Asked(), breaks=BREAKS).parse_args()))
    command("consent", asked, lambda show: run(asked, show))
