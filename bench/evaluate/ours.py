"""One process on one core: customers evaluated anew from the store, every scenario, batch by batch, as a worker does it. Nothing is kept.

Told a :class:`bench.evaluate.settings.Post` as JSON on standard input; prints seconds and CPU by part, what the database's side took, the outcomes, and the features of a
sample for the comparison.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson
import uvloop
from sqlalchemy import text

from bench.evaluate.cpu import of_process
from bench.evaluate.growing import PURPOSE
from bench.evaluate.settings import PORTFOLIO, Post
from bench.kit.ground import GRANTEE, NOON
from hub.cli import logs
from hub.credit.dossier import Dossier
from hub.credit.evaluate import Request, evaluate
from hub.credit.features import compute_features
from hub.credit.policy import Policy
from hub.domain.identifiers import CustomerId
from hub.store.database import Database, Write
from hub.store.embedded import Urls
from hub.store.evaluations import Asked, dossiers_of, effective_policy
from hub.worker import AT_ONCE, look_rarely

SCENARIOS: Sequence[str] = PORTFOLIO["branch"]["scenarios"]
_SOME = text("SELECT customer_id FROM customer ORDER BY md5(customer_id::text) LIMIT :count")


async def evaluated(post: Post) -> dict[str, Any]:
    database, day = Database(Urls(post.owner_url, post.app_url, post.worker_url)), NOON.date()
    async with database.work() as tx:
        customers = [CustomerId(one) for one in (await tx.execute(_SOME, {"count": max(post.customers, post.sample)})).scalars()]
        rules = {name: await effective_policy(tx, name, day) for name in SCENARIOS}
        await _batch(tx, customers[:2], rules)
        look_rarely()
        backend = (await tx.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        before, began, outcomes = of_process(backend), time.perf_counter(), Counter[str]()
        parts = {"reading": 0.0, "evaluating": 0.0}
        for at in range(0, post.customers, AT_ONCE):
            read, made = await _batch(tx, customers[at : min(at + AT_ONCE, post.customers)], rules, outcomes)
            parts["reading"], parts["evaluating"] = parts["reading"] + read, parts["evaluating"] + made
        seconds, theirs = time.perf_counter() - began, of_process(backend) - before
        simple = time.process_time()
        sample = await _sample(tx, customers[: post.sample], rules["S01"])
        simple = (time.process_time() - simple) / max(1, len(sample))
    await database.close()
    told = {"customers": post.customers, "seconds": seconds, "cpu": parts, "database": theirs, "simple": simple}
    return {**told, "outcomes": {str(one): count for one, count in outcomes.items()}, "sample": sample}


async def _batch(
    tx: Write, customers: Sequence[CustomerId], rules: dict[str, Policy], outcomes: Counter[str] | None = None
) -> tuple[float, float]:
    """Our own CPU seconds for reading and for evaluating."""
    began = time.process_time()
    asked = [_asked(one, name) for one in customers for name in SCENARIOS]
    dossiers: list[Dossier] = await dossiers_of(tx, asked)
    read = time.process_time()
    made = [evaluate(dossier, rules[one.scenario], one.request).outcome for one, dossier in zip(asked, dossiers, strict=True)]
    if outcomes is not None:
        outcomes.update(made)
    return read - began, time.process_time() - read


def _asked(customer_id: CustomerId, scenario: str) -> Asked:
    return Asked(customer_id, scenario, Request(), NOON.date(), NOON, GRANTEE, PURPOSE)


async def _sample(tx: Write, customers: Sequence[CustomerId], rules: Policy) -> dict[str, dict[str, float | None]]:
    """Features by customer, numbers alone."""
    found = {}
    for one, dossier in zip(customers, await dossiers_of(tx, [_asked(one, "S01") for one in customers]), strict=True):
        features = compute_features(dossier, rules.profile).values()
        found[str(one)] = {each.id: None if each.number is None else float(each.number) for each in features}
    return found


if __name__ == "__main__":
    logs.configure()
    found = uvloop.run(evaluated(Post(**orjson.loads(sys.stdin.buffer.read()))))
    sys.stdout.buffer.write(b"\n" + orjson.dumps(found))
