"""Of an evaluation the decision stays, and the digests of what was read; what it was computed from goes with what it was computed from."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from hub.consent.retention import retention
from hub.domain.enums import SourceKind
from hub.domain.identifiers import new_id
from hub.store import tables
from hub.store.evaluations.today import readable_today
from tests.hub.erasure.side import erase, on, stones, today
from tests.hub.sync.world import GRANTEE, World, consented

INPUTS = retention().of_class("INPUT")


async def evaluated(world: World, *, kind: str = "Refund", source: str = "SHOP") -> UUID:
    """An evaluation that read this kind of fact, now."""
    mine: dict[str, Any] = {"customer_id": world.customer_id, "evaluation_id": new_id()}
    head = {
        "scenario": "S03",
        "policy_id": "S03",
        "policy_version": "1",
        "policy_sha256": "ef",
        "as_of": today(world),
        "known_at": world.time.now(),
    }
    head |= {
        "request_purpose": "OPERATING",
        "use_purpose": "CREDIT_APPROVAL",
        "outcome": "ENHANCED",
        "grade": "B",
        "final_limit": Decimal(223000),
        "verified_revenue": Decimal(9),
    }
    head |= {"document": {"all": "of it"}, "inputs_digest": "00" * 32, "created_at": datetime.now(UTC), "score": 679}
    parts: list[tuple[Any, dict[str, Any]]] = [
        (tables.evaluation, head),
        (tables.series_month, {"series": "REF", "month": "2025-12", "value": Decimal(7), "source": source}),
        (tables.feature_value, {"feature_id": "f", "number": Decimal(7), "unit": "YUAN", "formula_version": "1", "formula": "mean"}),
        (
            tables.check_result,
            {"check_id": "C1", "dimension": "D", "status": "PASS", "weight": Decimal(1), "explanation_en": "7", "explanation_zh": "7"},
        ),
        (tables.score_point, {"characteristic": "c", "feature_id": "f", "points": 7, "maximum": 9}),
        (tables.limit_part, {"part": "LEG", "code": "A", "amount": Decimal(7)}),
        (
            tables.reason_text,
            {"ordinal": 0, "code": "R1", "text_en": "t", "text_zh": "t", "cure_en": "c", "cure_zh": "c", "customer_visible": True},
        ),
        (tables.feature_evidence, {"feature_id": "f", "ordinal": 0, "kind": kind, "source": source, "facts": 5, "digest": "11" * 32}),
    ]
    async with world.database.work() as tx:
        for table, row in parts:
            await tx.execute(insert(table), {**mine, **row})
    return UUID(str(mine["evaluation_id"]))


async def inputs(world: World, evaluation: UUID) -> int:
    """Rows of inputs that are left, and the head's own."""
    counted = " + ".join(f"(SELECT count(*) FROM {name} WHERE evaluation_id = :one)" for name in INPUTS)
    own = "(SELECT count(*) FROM evaluation WHERE evaluation_id = :one AND (document <> '{}' OR verified_revenue IS NOT NULL))"
    return int((await world.rows(f"SELECT {counted} + {own} AS n", one=evaluation))[0]["n"])


async def test_they_go_with_the_consent(world: World) -> None:
    await world.sync()
    mine, other = await evaluated(world), await evaluated(world, kind="TaxReturn", source="TAX")
    assert await inputs(world, mine) == 6
    world.time.turn(minutes=1)
    await world.withdraw()
    later = await evaluated(world)
    await on(world, 6)
    assert (await erase(world), await inputs(world, mine)) == (0, 6)
    await on(world, 7)
    await erase(world)
    assert [await inputs(world, one) for one in (mine, later, other)] == [0, 6, 6], "one that was made after the end did not read it"
    first = (await stones(world))[0]
    assert (first["reason"], first["evaluations"], first["rows"]["evaluation.document"]) == ("INPUTS_ENDED", [mine], 1)
    kept = "SELECT outcome, grade, score, final_limit, inputs_digest, inputs_erased_on FROM evaluation WHERE evaluation_id = :one"
    (head,) = await world.rows(kept, one=mine)
    assert head["inputs_erased_on"] == date(2026, 1, 22)
    assert (head["outcome"], head["score"], head["final_limit"], head["inputs_digest"]) == ("ENHANCED", 679, Decimal(223000), "00" * 32)
    for table in ("evaluation_reason", "feature_evidence"):
        assert len(await world.rows(f"SELECT 1 FROM {table} WHERE evaluation_id = :one", one=mine)) == 1


async def test_they_live_as_long_as_what_is_fetched_on_the_same_day(world: World) -> None:
    """Not as short as the oldest page they came from: else a decision could not be explained on the day after."""
    await world.do("UPDATE consent SET data_life_days = 10")
    await world.sync()
    await on(world, 9)
    mine = await evaluated(world)
    await on(world, 10)
    await erase(world)
    assert (await world.count("raw_page"), await inputs(world, mine)) == (0, 6)
    await on(world, 19)
    await erase(world)
    assert await inputs(world, mine) == 0


async def readable(world: World, evaluation: UUID) -> bool:
    async with world.database.work() as tx:
        return await readable_today(tx, world.customer_id, evaluation, GRANTEE, world.time.now())


async def test_what_may_not_be_read_today_is_not_read_once_more(world: World) -> None:
    """A life that is over, an end that nobody has written down yet, a withdrawal: whether or not anything was erased."""
    await world.do("UPDATE consent SET data_life_days = 10, expires_at = '2026-01-28'")
    await world.sync()
    world.time.turn(minutes=1)
    mine = await evaluated(world)
    found = []
    for days in (0, 9, 10):
        await on(world, days)
        found.append(await readable(world, mine))
    assert found == [True, True, False]
    await world.do("UPDATE consent SET data_life_days = 999")
    found = []
    for days in (10, 12, 13):
        await on(world, days)
        found.append(await readable(world, mine))
    assert found == [True, True, False]
    await on(world, 10)
    await world.withdraw()
    assert not await readable(world, mine)


async def test_a_negative_item_that_is_over_today_is_not_read_once_more(world: World) -> None:
    from tests.hub.erasure.test_items import filled

    await filled(world, "TaxArrear")
    await consented(world.database, world.time, world.customer_id, SourceKind.TAX)
    await world.do("UPDATE consent SET data_life_days = 9999, expires_at = NULL")
    over = max(row["erase_on"] for row in await world.rows("SELECT erase_on FROM item_due WHERE customer_id = :customer"))
    world.time.at = datetime(over.year, over.month, over.day, tzinfo=UTC) - timedelta(days=2)
    mine, other = await evaluated(world, kind="TaxArrear", source="TAX"), await evaluated(world, kind="TaxReturn", source="TAX")
    assert await readable(world, mine)
    world.time.turn(days=3)
    assert [await readable(world, one) for one in (mine, other)] == [False, True]


async def test_they_go_with_a_negative_item_that_was_read(world: World) -> None:
    from tests.hub.erasure.test_items import filled

    await filled(world, "TaxArrear")
    world.time.at = datetime(2027, 1, 30, tzinfo=UTC)
    mine, other = await evaluated(world, kind="TaxArrear"), await evaluated(world, kind="Refund")
    world.time.at += timedelta(days=1)
    await erase(world)
    assert await inputs(world, mine) == 6
    world.time.at += timedelta(days=1)
    await erase(world)
    assert [await inputs(world, one) for one in (mine, other)] == [0, 6]
    assert [one["reason"] for one in await stones(world)] == ["INPUTS_ENDED", "ITEM_ENDED"]
