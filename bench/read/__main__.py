"""``python -m bench.read``."""

from __future__ import annotations

from bench.kit.command import command, parser
from bench.read.run import run
from bench.read.settings import Asked

COUNTS = {
    "start": "customers that every contestant finds",
    "customers": "customers that the store is grown to after the contest, to ask ours again; 0: not",
    "rounds": "how often each contestant is asked, after one round that warms up",
    "seconds": "how long each time",
    "reads": "reads whose statements PostgreSQL counts",
}

if __name__ == "__main__":
    made = parser("read", COUNTS, Asked())
    made.add_argument("--no-peers", dest="peers", action="store_false", help="without PostGraphile, which needs an environment of its own")
    asked = Asked(**vars(made.parse_args()))
    command("read", asked, lambda show: run(asked, show))
