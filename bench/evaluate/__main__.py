"""``python -m bench.evaluate``."""

from __future__ import annotations

from bench.evaluate.run import run
from bench.evaluate.settings import Asked
from bench.kit.command import command, parser

COUNTS = {
    "customers": "customers of the portfolio",
    "alone": "customers that one process evaluates alone, first",
    "sample": "customers whose features are compared",
    "cores": "processes of ours, and threads of the peer",
}

if __name__ == "__main__":
    made = parser("evaluate", COUNTS, Asked())
    made.add_argument("--no-peers", dest="peers", action="store_false", help="without DuckDB, which needs an environment of its own")
    asked = Asked(**vars(made.parse_args()))
    command("evaluate", asked, lambda show: run(asked, show))
