"""An admin begins a screening, workers go on with it, and who may see what of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import select, text, update

from hub.errors import InvalidInput
from hub.store import tables
from hub.store.database import Database
from hub.store.evaluations import portfolios
from hub.worker import _errands
from schema import services as contract
from tests.hub.app.conftest import NOW, Desk
from tests.hub.view.test_reading import ask
from tests.hub.view.world import RISK, build
from tests.schema.portfolios import screened
from tests.schema.test_random_operations import another, uid

DOCUMENT: dict[str, Any] = {
    "id": "P", "version": "1", "effective_from": "2026-01-01", "title": "Some", "purpose": "CREDIT_APPROVAL",
    "branch": {"scenarios": ["S03"], "without_bureau": "0.8"},
}  # fmt: skip
RESULTS = "{ portfolioResults(first: 100) { totalCount nodes { customerId limit reasons } } }"


async def begin(desk: Desk, key: str | None = None, **changes: Any) -> str:
    asked = contract.ScreenPortfolio(json.dumps({**DOCUMENT, **changes}))
    return await desk.services.port().screen_portfolio(desk.call("risk-desk", key), asked)


async def test_it_is_begun_once_and_audited_and_a_worker_ends_it(desk: Desk) -> None:
    await desk.shop()
    made = await begin(desk, "a key")
    assert await begin(desk, "a key") == made, "the same key, the same screening"
    async with desk.runtime.database.work() as tx:
        events = (await tx.execute(select(tables.audit_event).where(tables.audit_event.c.action == "portfolio.screen"))).all()
        (found,) = await portfolios.running(tx)
        assert await found.progress(tx) == (0, 1)
    ((event),) = events
    assert (event.actor, event.subject, event.after["sha256"], event.after["screening"]) == (
        "risk-desk",
        "portfolio:P",
        found.portfolio.sha256,
        made,
    )
    await _errands(desk.runtime)
    async with desk.runtime.database.work() as tx:
        assert await portfolios.running(tx) == []
        assert [(row.axis, row.value, row.customers) for row in await portfolios.counts(tx, found.screening_id)] == [
            ("LEFT", "CONSENT_MISSING", 1)
        ]


@pytest.mark.parametrize(
    "document", ["{", "[]", "x" * 100_001, json.dumps({**DOCUMENT, "branch": {}}), json.dumps({**DOCUMENT, "effective_from": "2027-01-01"})]
)
async def test_a_document_with_a_fault_begins_nothing(desk: Desk, document: str) -> None:
    with pytest.raises(InvalidInput):
        await desk.services.port().screen_portfolio(desk.call("risk-desk"), contract.ScreenPortfolio(document))
    async with desk.runtime.database.work() as tx:
        assert await portfolios.screenings(tx) == []
        assert (await tx.execute(text("SELECT count(*) FROM audit_event WHERE action LIKE 'portfolio%'"))).scalar_one() == 0
    assert NOW.year == 2026


async def test_results_show_to_whom_sees_the_customer_while_the_consent_is_in_force(database: Database) -> None:
    world = await build(database)
    async with database.work() as tx:
        await another(tx, world, 3)
        await screened(tx, world, uid)
    found = (await ask(database, RESULTS))["portfolioResults"]
    assert ({one["customerId"] for one in found["nodes"]}, found["totalCount"]) == ({str(world.mine), str(uid(3))}, 2), (
        "not of customers of others"
    )
    assert found["nodes"][0]["limit"] == "5000.00"
    withdrawn = update(tables.consent).where(tables.consent.c.customer_id == world.mine, tables.consent.c.source == "SHOP")
    async with database.work() as tx:
        await tx.execute(withdrawn.values(status="REVOKED"))
    assert [one["customerId"] for one in (await ask(database, RESULTS))["portfolioResults"]["nodes"]] == [str(uid(3))]
    other = structs.replace(RISK, purpose="POST_LOAN")
    assert (await ask(database, RESULTS, other))["portfolioResults"]["totalCount"] == 0, "nor for another purpose"
