"""Why there is no decision to show: by the consents alone, so that nobody learns of a decision that he is not to see."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from hub.store.database import Database
from tests.hub.view.test_reading import ask
from tests.hub.view.world import World, build

ASKED = """query ($id: ID!, $w: Boolean, $k: DateTime) { customer(id: $id, knownAt: $k) { profile { tier } profileMissing evaluation(scenario: "S03", whatIf: $w) { id }
    evaluationMissing(scenario: "S03", whatIf: $w) other: evaluation(scenario: "S01") { id } otherMissing: evaluationMissing(scenario: "S01")
    nowhere: evaluation(scenario: "S99") { id } nowhereMissing: evaluationMissing(scenario: "S99") } }"""
ANOTHER = 'INSERT INTO policy SELECT (p).* FROM (SELECT jsonb_populate_record(policy, \'{"policy_id": "S01"}\') AS p FROM policy) p'
NONE_IN_FORCE = "UPDATE consent SET status = 'REVOKED'"
ONE_GONE = "UPDATE consent SET status = 'REVOKED' WHERE source = 'SHOP'"
ANOTHER_USE = "UPDATE consent SET purpose = 'MARKETING'"


async def reasons(database: Database, **asked: object) -> list[str | None]:
    world = World()
    found = (await ask(database, ASKED, id=world.id, **asked))["customer"]
    assert (found["profile"] is None) is (found["profileMissing"] is not None)
    assert found["nowhereMissing"] == "UNKNOWN_SCENARIO", "whatever is consented to"
    for name in ("evaluation", "other", "nowhere"):
        assert (found[name] is None) is (found[f"{name}Missing"] is not None), "null has a reason, and nothing else has"
    return [found["profileMissing"], found["evaluationMissing"], found["otherMissing"]]


async def built(database: Database) -> None:
    """With a second scenario, which nobody was evaluated for."""
    await build(database)
    async with database.work() as tx:
        await tx.execute(text(ANOTHER))


async def test_what_is_there_has_no_reason(database: Database) -> None:
    await built(database)
    _, mine, other = await reasons(database)
    assert (mine, other) == (None, "NOT_EVALUATED")
    assert (await reasons(database, w=True))[1] == "NOT_EVALUATED", "no what-if"
    assert (await reasons(database, k="2020-01-01T00:00:00Z"))[1] == "NOT_EVALUATED", "nor was it there then"


@pytest.mark.parametrize(
    ("change", "reason"),
    [(NONE_IN_FORCE, "CONSENT_MISSING"), (ANOTHER_USE, "CONSENT_MISSING"), (ONE_GONE, "NOT_EVALUATED")],
)
async def test_a_decision_that_may_not_be_shown_is_told_like_none(database: Database, change: str, reason: str) -> None:
    await built(database)
    async with database.work() as tx:
        await tx.execute(text(change))
    assert await reasons(database) == [reason] * 3, "S03 was decided, S01 never: nobody can tell them apart"
