"""``python -m bench.dispatch``."""

from __future__ import annotations

from bench.dispatch.due import due_at_once
from bench.dispatch.hanging import beside_one_that_hangs
from bench.dispatch.settings import BREAKS, PERIOD, Asked
from bench.dispatch.stopping import stopped_under_load
from bench.dispatch.world import cluster
from bench.kit.command import Outcome, command, parser
from bench.kit.figures import Figure
from bench.kit.ground import folder
from bench.kit.show import Show

COUNTS = {
    "connections": "connections due in the same second; 0: leave this part out",
    "rounds": "rounds beside a platform that hangs; 0: leave this part out",
    "stops": "workers that are told to stop under load; 0: leave this part out",
}


async def run(asked: Asked, show: Show) -> Outcome:
    """A guard that is taken out concerns one part only; the others are left out then."""
    found: list[Figure] = []
    with folder() as home:
        async with cluster(home) as embedded:
            if asked.connections and asked.broken in (None, "reconciler"):
                found += await due_at_once(asked, embedded, home, show)
            if asked.rounds and asked.broken in (None, "bulkhead"):
                found += await beside_one_that_hangs(asked, embedded, home, show)
            if asked.stops and asked.broken in (None, "stop"):
                found += await stopped_under_load(asked, embedded, home, show)
    return Outcome(found)


if __name__ == "__main__":
    made = parser("dispatch", COUNTS, Asked(), breaks=BREAKS)
    looks = "seconds between two looks of the reconciler (default, as in production: %(default)s)"
    made.add_argument("--period", type=float, default=PERIOD, help=looks)
    asked = Asked(**vars(made.parse_args()))
    command("dispatch", asked, lambda show: run(asked, show))
