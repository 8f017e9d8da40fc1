"""The worker process: receives nudges, runs connections, evaluates anew what changed. A composition root."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from hub.cli.runtime import Runtime
from hub.credit.evaluate import Request
from hub.domain.identifiers import CustomerId
from hub.store.evaluations import Asked, evaluate_customer, scenarios_to_refresh
from hub.sync.settings import Patience

log = structlog.get_logger("hub.worker")


async def work(runtime: Runtime, patience: Patience | None = None) -> None:
    """Works until cancelled; the page at hand is finished first."""
    engine = runtime.engine(patience, refresher(runtime))
    await runtime.dispatcher.work(engine, concurrency=runtime.settings.workers)


def refresher(runtime: Runtime) -> Callable[[CustomerId], Awaitable[None]]:
    """Evaluates every consented scenario of a customer whose facts changed, once nothing of the customer is syncing any more."""

    async def refresh(customer_id: CustomerId) -> None:
        grantee = runtime.settings.grantee
        async with runtime.database.work() as tx:
            for purpose, scenario in await scenarios_to_refresh(tx, customer_id, grantee):
                asked = Asked(customer_id, scenario, Request(), runtime.clock.today(), runtime.clock.now(), grantee, purpose)
                kept = await evaluate_customer(tx, asked)
                log.info("evaluated", customer=str(customer_id), scenario=scenario, outcome=kept.outcome)

    return refresh
