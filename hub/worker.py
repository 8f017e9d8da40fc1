"""The worker process: receives nudges, runs connections, evaluates anew what changed. A composition root."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date

import structlog

from hub.cli.runtime import Runtime
from hub.credit.evaluate import Request
from hub.domain.enums import Purpose
from hub.domain.identifiers import CustomerId
from hub.domain.periods import Month, add_months, month_of
from hub.errors import HubError
from hub.store.database import STORE_ERRORS
from hub.store.dossier.months import keep_months
from hub.store.evaluations import (
    Asked,
    borrowers_to_watch,
    borrowers_told_of,
    customers_to_refresh,
    errands,
    evaluate_customers,
    keep_signals,
    scenarios_to_refresh,
)
from hub.store.evaluations.errands import Errand
from hub.store.reports import keep_concentration, keep_fairness
from hub.sync.keeping import Keeper
from hub.sync.settings import Patience

log = structlog.get_logger("hub.worker")
Refresh = Callable[[CustomerId], Awaitable[None]]


PERIOD = 15.0
"""Seconds between two looks for evaluations that a worker died before making."""
AT_ONCE = 50
"""Evaluations that a draft on trial comes to at once, and customers of a portfolio."""
YOUNG, OLDER, OLDEST = 20_000, 20, 50
"""Objects made until the young ones are looked through for garbage; how often until the older ones are, too."""


async def work(runtime: Runtime, patience: Patience | None = None) -> None:
    """Works until cancelled; the page at hand is finished first."""
    refresh = refresher(runtime)
    looking = asyncio.create_task(_look_again(runtime, refresh))
    keeping = asyncio.create_task(Keeper(runtime.equipment, runtime.calls).work())
    keeping.add_done_callback(_told)
    try:
        await runtime.dispatcher.work(runtime.engine(patience, refresh), concurrency=runtime.settings.workers)
    finally:
        looking.cancel()
        keeping.cancel()
        await asyncio.wait([looking, keeping])


def _told(keeping: asyncio.Task[None]) -> None:
    """Nobody waits for the keeper: that it ended by an error is said when it happens."""
    error = None if keeping.cancelled() else keeping.exception()
    if error is not None:
        log.error("keeper_ended", kind=type(error).__name__)


async def _look_again(runtime: Runtime, refresh: Refresh) -> None:
    """Makes what nobody made: the notice that a run has ended dies with its worker, the rows do not."""
    watching, reported = Watching(runtime), None
    while True:
        await asyncio.sleep(PERIOD)
        try:
            for customer_id in [*await overdue(runtime), *await watching.due()]:
                await _try(refresh, customer_id)
            await _errands(runtime)
            reported = await report(runtime, reported)
        except STORE_ERRORS as error:
            log.warning("look_again_failed", kind=type(error).__name__)


async def report(runtime: Runtime, reported: Month | None) -> Month:
    """Keeps what is reported of the month that is over; once a process (``reported``: what it came to before), and once altogether."""
    month = add_months(month_of(runtime.clock.today()), -1)
    if month != reported:
        async with runtime.database.work() as tx:
            now = runtime.clock.now()
            cells = await keep_fairness(tx, month, now) + await keep_concentration(tx, month, now)
        if cells:
            log.info("reported", count=cells)
    return month


async def _errands(runtime: Runtime) -> None:
    """What policies on trial and portfolios have not come to yet, for as long as one look takes at most: whoever evaluates does not wait for it."""
    async with runtime.database.work() as tx:
        found = await errands.under_way(tx)
    until = time.monotonic() + PERIOD
    while found and time.monotonic() < until:
        found = [one for one in found if await _come_to(runtime, one)]


async def _come_to(runtime: Runtime, errand: Errand) -> int:
    count = await errand.come_to(runtime.database, runtime.settings.grantee, runtime.clock.now(), AT_ONCE, runtime.models)
    if count:
        log.info("come_to", errand=errand.title, count=count)
    return count


async def _try(refresh: Refresh, customer_id: CustomerId) -> None:
    """One customer who cannot be evaluated keeps nobody else from it."""
    try:
        await refresh(customer_id)
    except HubError as error:
        log.warning("not_evaluated", customer=str(customer_id), kind=type(error).__name__)


async def overdue(runtime: Runtime) -> list[CustomerId]:
    """Customers with facts stored since their last evaluation."""
    async with runtime.database.work() as tx:
        return await customers_to_refresh(tx)


@dataclass
class Watching:
    """Borrowers to look at: those of whose loans the lender has said something, and every day those with a loan that runs. A day that is done is not asked for again."""

    runtime: Runtime
    done_on: date | None = None

    async def due(self) -> list[CustomerId]:
        grantee, now, today = self.runtime.settings.grantee, self.runtime.clock.now(), self.runtime.clock.today()
        async with self.runtime.database.work() as tx:
            told = await borrowers_told_of(tx, grantee, now)
            running = [] if self.done_on == today else await borrowers_to_watch(tx, grantee, today)
        if not running:
            self.done_on = today
        return list(dict.fromkeys((*told, *running)))


def refresher(runtime: Runtime) -> Refresh:
    """Evaluates every consented scenario of a customer whose facts or loans changed, once nothing of the customer is syncing any more; and raises what monitoring saw."""

    async def refresh(customer_id: CustomerId) -> None:
        grantee = runtime.settings.grantee
        today, now = runtime.clock.today(), runtime.clock.now()
        async with runtime.database.work() as tx:
            changed = await scenarios_to_refresh(tx, customer_id, grantee, today)
            if changed:
                await keep_months(tx, [customer_id])
            asked = [Asked(customer_id, scenario, Request(), today, now, grantee, purpose) for purpose, scenario in changed]
            kept = await evaluate_customers(tx, asked, runtime.models)
            raised = [await keep_signals(tx, one.heading, one.found) if one.heading.use_purpose == Purpose.POST_LOAN else 0 for one in kept]
        for (_, scenario), one, count in zip(changed, kept, raised, strict=True):
            log.info("evaluated", customer=str(customer_id), scenario=scenario, outcome=one.outcome, count=count)

    return refresh


def look_rarely() -> None:
    """For garbage; once per process, when everything is loaded: what is there then is never looked at again.

    A page is thousands of small objects that are gone with it, without any cycle among them. To look through them, and through all modules besides, each time
    some hundreds have been made costs a seventh of the time that a page takes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, OLDER, OLDEST)
