"""A customer withdraws while his data are being fetched, as a partner passes it on: nothing is fetched after the commit, the run stops within the page, the next
read says why there is nothing, what was derived is gone, and nobody computes it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import orjson
import pytest

from hub.access.audit import AccessLog, ChainKeys
from hub.app.services import HubServices
from hub.consent import grants
from hub.domain.caller import Caller
from hub.domain.enums import SourceKind, Verdict
from hub.link.service import LinkService
from hub.store.evaluations import scenarios_to_refresh
from hub.store.security import covered_tables
from hub.store.view import CATALOGUE, Reader, ViewSettings, gate
from schema import services as contract
from schema.access import AUDIENCES
from schema.contract import build_schema
from tests.hub.sync.platform import connector, refund
from tests.hub.sync.working import as_owner
from tests.hub.sync.world import GRANTEE, QUICK, TODAY, World
from tests.hub.view import world as view_world

SCHEMA = build_schema()
CALLER = Caller("test", "INTERNAL", AUDIENCES["INTERNAL"], "CREDIT_APPROVAL")
ASKS = """query ($id: ID!, $node: ID!) { customer(id: $id) { refunds { totalCount } sources(only: SHOP) { status denial }
  evaluation(scenario: "S03") { score } consents { status events { step actor } } } node(id: $node) { ... on Evaluation { score } } }"""


@dataclass(frozen=True)
class Seen:
    """What a partner sees: facts, why not, the result asked for in two ways, the steps of the consent; and what a worker would compute."""

    facts: int
    denial: str | None
    scores: tuple[int | None, int | None]
    steps: list[tuple[str, str]]
    to_compute: list[tuple[str, str]]


async def look(world: World) -> Seen:
    ids = {"id": str(world.customer_id), "node": f"Evaluation:{world.customer_id}:{view_world.World().evaluation}"}
    plan = SCHEMA.documents.plan(SCHEMA.documents.of(ASKS, introspecting=False), None, ids)
    assert plan.read is not None
    log = AccessLog(world.database, ChainKeys.of(world.equipment.vault.keys))
    reader = Reader(world.database, CATALOGUE, ViewSettings(GRANTEE), world.equipment.clock, log)
    found: dict[str, Any] = orjson.loads(await reader.read(CALLER, plan.read, plan.values(SCHEMA.core, ids)))
    async with world.database.work() as tx:
        to_compute = await scenarios_to_refresh(tx, world.customer_id, GRANTEE, world.equipment.clock.today())
    shown, node = found["customer"], found["node"]
    scores = (shown["evaluation"] and shown["evaluation"]["score"], node and node["score"])
    steps = [(one["step"], one["actor"]) for one in shown["consents"][0]["events"]]
    return Seen(shown["refunds"]["totalCount"], shown["sources"][0]["denial"], scores, steps, to_compute)


async def withdraw(world: World) -> None:
    """As a partner's mutation does it, with the rights of whoever answers clients."""
    services = HubServices(world.equipment, cast(LinkService, None))
    await services.consents.withdraw(contract.Call(CALLER, "k", "d"), contract.WithdrawConsent(str(world.customer_id), SourceKind.SHOP))


async def played(world: World) -> tuple[Seen, Seen, Seen]:
    """Before, at once after the withdrawal's commit, and when the run has ended. The withdrawal comes while the third page is on its way."""
    world = world.with_connector(connector())
    world.platform.rows[TODAY] = [refund(str(number)) for number in range(2)]
    assert await world.sync() is Verdict.COMPLETE
    async with world.database.work() as tx:
        await view_world._evaluation(tx, replace(view_world.World(), mine=world.customer_id))
    before, at_once = await look(world), list[Seen]()
    world.platform.rows[TODAY] = [refund(str(number)) for number in range(10)]

    async def third(request: Mapping[str, str]) -> None:
        if request["page"] == "3":
            await world.has_committed(3)
            await withdraw(world)
            at_once.append(await look(world))

    world.platform.heard.clear()
    world.platform.before = third
    assert await world.sync(replace(QUICK, windows_at_once=1)) is Verdict.INCOMPLETE
    assert [one["page"] for one in world.platform.asked()] == ["1", "2", "3"], "of five pages; the third was on its way"
    assert len(await world.facts()) == 4, "the third is not stored"
    world.platform.before = None
    assert await world.sync() is Verdict.FAILED, "a later run finds nothing it may ask for"
    assert len(world.platform.asked()) == 3
    return before, at_once[0], await look(world)


async def test_everything_ends_with_the_commit(alone: World) -> None:
    before, at_once, after = await played(alone)
    given = [("ASKED", "test"), ("GIVEN", "customer")]
    assert before == Seen(2, None, (679, 679), given, [("CREDIT_APPROVAL", "S03")])
    assert at_once == after == Seen(0, "CONSENT_REVOKED", (None, None), [*given, ("WITHDRAWN", "test")], [])


async def test_a_statement_that_forgets_the_gate_shows_nothing_either(alone: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "in_force_now", lambda c: ())
    before, at_once, after = await played(alone)
    assert (before.facts, at_once.facts, after.facts) == (2, 0, 0)


async def test_a_gate_at_fetching_only_is_noticed(alone: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: nothing looks at the consent when facts are read."""
    monkeypatch.setattr(gate, "in_force_now", lambda c: ())
    for name in covered_tables():
        as_owner(alone, f"DROP POLICY consent_covers ON {name}")
    before, at_once, after = await played(alone)
    assert (before.facts, at_once.facts, after.facts) == (2, 4, 4)


async def test_a_pause_is_like_a_withdrawal_that_is_taken_back(alone: World) -> None:
    alone.platform.rows[TODAY] = [refund("1")]
    assert await alone.sync() is Verdict.COMPLETE
    async with alone.database.work() as tx:
        await grants.pause(tx, alone.customer_id, alone.consent_id, alone.time.now())
    assert await alone.sync() is Verdict.FAILED
    found = await look(alone)
    assert (found.facts, found.denial) == (0, "CONSENT_PAUSED")
    async with alone.database.work() as tx:
        await grants.resume(tx, alone.customer_id, alone.consent_id, alone.time.now())
    found = await look(alone)
    assert (found.facts, found.denial) == (1, None)
    assert len(alone.platform.asked()) == 1
