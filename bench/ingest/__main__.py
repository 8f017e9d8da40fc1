"""``python -m bench.ingest``."""

from __future__ import annotations

from bench.ingest.run import run
from bench.ingest.settings import Asked
from bench.kit.command import command, parser

COUNTS = {
    "pages": "pages of 200 orders that every contestant reads",
    "rounds": "how often each of them does",
    "many": "pages of the second memory run",
}

if __name__ == "__main__":
    made = parser("ingest", COUNTS, Asked())
    made.add_argument("--no-dlt", dest="peers", action="store_false", help="without the peer that needs an environment of its own")
    asked = Asked(**vars(made.parse_args()))
    command("ingest", asked, lambda show: run(asked, show))
