"""``python -m bench.chaos``."""

from __future__ import annotations

from bench.chaos.run import run
from bench.chaos.settings import BREAKS, Asked
from bench.kit.command import command, parser

COUNTS = {
    "kills": "workers to end with kill -9",
    "records": "records to sync meanwhile",
    "freezes": "workers to freeze past the lease",
    "stops": "immediate stops of PostgreSQL",
    "seed": "of the platform's data and of every dice",
}

if __name__ == "__main__":
    made = parser("chaos", COUNTS, Asked(), breaks=BREAKS)
    share = "of a minute's calls that may be retries (default %(default)s; in production 0.1)"
    made.add_argument("--retry-share", type=float, default=Asked().retry_share, help=share)
    asked = Asked(**vars(made.parse_args()))
    command("chaos", asked, lambda show: run(asked, show))
