"""One process of a run: life after life in a database of its own, counted in a file."""

from __future__ import annotations

import json
import logging
from collections import Counter

import structlog
import uvloop
from hypothesis.errors import HypothesisException

from bench.consent.breaking import take_out
from bench.consent.machine import lives, run
from bench.consent.settings import PORTION, Share
from bench.consent.world import World
from hub.errors import HubError
from hub.store.database import STORE_ERRORS, Database
from hub.worker import look_rarely


def live(share: Share) -> None:
    """Until the share is done or a life went wrong: then ``wrong`` tells what."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    look_rarely()
    take_out(share)
    loop, tally, wrong = uvloop.new_event_loop(), Counter[str](), ""
    database = Database(share.urls, app_pool=2, worker_pool=6)
    world = World(database, share.home / f"hub-{share.number}")
    portion = share.seed * 1_000_000 + share.number * 10_000
    while tally["lives"] < share.lives and not wrong:
        try:
            run(lives(world, loop, tally), min(PORTION, share.lives - tally["lives"]), portion)
        except (AssertionError, HubError, HypothesisException, *STORE_ERRORS) as error:
            wrong = f"{type(error).__name__}: {error}"
        portion += 1
        _report(share, tally, wrong)
    loop.run_until_complete(database.close())
    loop.close()


def _report(share: Share, tally: Counter[str], wrong: str) -> None:
    written = share.report.with_suffix(".new")
    written.write_text(json.dumps({"tally": tally, "wrong": wrong}))
    written.replace(share.report)
