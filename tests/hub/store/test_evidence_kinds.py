"""What an evaluation rests on is kept as the kinds of its evidence, each once: by the database, whoever writes, and it is what decides whether the evaluation is shown."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import create_engine, insert, pool, text
from sqlalchemy.exc import ProgrammingError

from hub.store import tables
from hub.store.database import Database, Scope
from tests.hub.view.test_reading import ask
from tests.hub.view.world import KNOWN, RISK, World, build

_KEPT = "SELECT customer_id, evaluation_id, source, kind FROM evidence_kind"
_OF_THE_EVIDENCE = "SELECT DISTINCT customer_id, evaluation_id, source, kind FROM feature_evidence"
DESK = Scope("risk-desk", "CREDIT_APPROVAL", now=KNOWN, inside=True)


def evidence(world: World, **more: Any) -> dict[str, Any]:
    """Of a source that the world has no consent for."""
    of = {"customer_id": world.mine, "evaluation_id": world.evaluation, "feature_id": "of_hr", "ordinal": 0}
    return {**of, "kind": "PersonalIncome", "source": "HUMAN_RESOURCES", "facts": 1, "digest": "11" * 32, **more}


async def shown(database: Database, world: World) -> bool:
    query = 'query ($id: ID!) { customer(id: $id) { evaluation(scenario: "S03") { id } } }'
    return (await ask(database, query, RISK, id=world.id))["customer"]["evaluation"] is not None


async def differing(database: Database) -> set[Any]:
    async with database.work() as tx:
        kept, of_it = [{tuple(row) for row in await tx.execute(text(query))} for query in (_KEPT, _OF_THE_EVIDENCE)]
    assert of_it
    return kept ^ of_it


async def test_an_evaluation_is_shown_by_the_kinds_of_its_evidence(database: Database) -> None:
    world = await build(database)
    assert await shown(database, world)
    assert await differing(database) == set()
    async with database.write(DESK) as tx:
        rows = [evidence(world, ordinal=number) for number in range(3)]
        await tx.execute(insert(tables.feature_evidence), rows)
    assert await differing(database) == set(), "hub_app writes evidence, and the kinds with it"
    assert not await shown(database, world), "nobody consents to that"


async def test_evidence_whose_kind_is_not_kept_is_noticed(database: Database) -> None:
    """Control: without the trigger, what the evaluation rests on is not all asked for."""
    world = await build(database)
    engine = create_engine(database.urls.owner, poolclass=pool.NullPool)
    with engine.begin() as owner:
        owner.execute(text("ALTER TABLE feature_evidence DISABLE TRIGGER evidence_names_its_kind"))
    engine.dispose()
    async with database.work() as tx:
        await tx.execute(insert(tables.feature_evidence), evidence(world))
    assert await differing(database) == {(world.mine, world.evaluation, "HUMAN_RESOURCES", "PersonalIncome")}
    assert await shown(database, world)


async def test_kinds_are_not_taken_away_nor_kept_for_others(database: Database) -> None:
    world = await build(database)
    for statement in ("DELETE FROM evidence_kind", "UPDATE evidence_kind SET kind = 'Order'"):
        for began in (database.write(DESK), database.work()):
            with pytest.raises(ProgrammingError, match="permission denied"):
                async with began as tx:
                    await tx.execute(text(statement))
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with database.write(DESK) as tx:
            await tx.execute(
                insert(tables.evidence_kind),
                {"customer_id": world.theirs, "evaluation_id": world.evaluation, "source": "TAX", "kind": "TaxReturn"},
            )


async def test_the_law_is_the_declared_one(database: Database) -> None:
    async with database.work() as tx:
        found = await tx.execute(
            text(
                "SELECT t.tgenabled::text, p.prosrc, p.prosecdef FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE t.tgname = 'evidence_names_its_kind'"
            )
        )
        assert [tuple(row) for row in found] == [("O", tables.EVIDENCE_LAW, False)]
