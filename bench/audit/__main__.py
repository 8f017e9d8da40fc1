"""``python -m bench.audit``."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bench.audit.killing import killed
from bench.audit.reading import side_by_side, verified
from bench.audit.settings import BREAKS, Asked, Post
from bench.audit.world import built
from bench.kit.command import Outcome, command, parser
from bench.kit.figures import Figure
from bench.kit.ground import folder
from bench.kit.show import Show
from connectors.sandbox.serve import bind
from hub.store.embedded import Embedded
from hub.store.migrate import migrate

COUNTS = {
    "rounds": "rounds of reads with and without the chain; 0: leave this part out",
    "rows": "rows of a chain to verify; 0: leave this part out",
    "reads": "reads over HTTP while the API is killed; 0: leave this part out",
    "kills": "kills of the API process meanwhile",
}


async def run(asked: Asked, show: Show) -> Outcome:
    with folder() as home:
        embedded = await asyncio.to_thread(Embedded, home / "postgres")
        try:
            return Outcome(await _parts(asked, show, home, embedded))
        finally:
            await asyncio.to_thread(embedded.stop)


async def _parts(asked: Asked, show: Show, home: Path, embedded: Embedded) -> list[Figure]:
    urls, found = await embedded.prepare(), list[Figure]()
    await migrate(urls)
    async with built(home, urls) as world:
        if asked.reads:
            listener = bind("127.0.0.1", 0)
            found += await killed(Post(home, urls, listener, asked.broken), world, show, asked.reads, asked.kills)
            listener.close()
        if asked.rounds:
            found += await side_by_side(world, show, asked.rounds)
        if asked.rows:
            found += await verified(world, show, asked.rows)
    return found


if __name__ == "__main__":
    made = parser("audit", COUNTS, Asked(), breaks=BREAKS)
    asked = Asked(**vars(made.parse_args()))
    command("audit", asked, lambda show: run(asked, show))
