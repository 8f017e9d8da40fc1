"""Items with a life of their own: gone on the day, none a day early, and of no account from that day on (trust rules, T27)."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import create_engine, insert, pool, text

from hub.consent.grants import as_given, consents_of
from hub.consent.retention import retention
from hub.domain.enums import SourceKind
from hub.domain.facts import PublicRecord, all_specs
from hub.domain.identifiers import new_id
from hub.store.dossier.evidence import evidence
from hub.store.dossier.facts import load_facts
from hub.store.dossier.moment import Moment
from hub.store.erasure import laws
from hub.store.fact_tables import FACT_TABLES, columns_of
from hub.store.security import owned_tables
from tests.hub.erasure.side import digest_of, erase, hashes, stones, today
from tests.hub.sync.world import World

ENDED = date(2022, 2, 1)
GONE_ON = {"NEGATIVE": date(2027, 2, 1)}
_VALUES: dict[Any, Any] = {
    "text": "x",
    "int": 1,
    "money": Decimal(1),
    "number": Decimal(1),
    "date": ENDED,
    "month": "2022-01",
    "bool": False,
    "personal": "x",
}
_numbers = itertools.count()


async def put(world: World, kind: str, *, occurred_on: date = ENDED, version: int = 1, key: str | None = None, **own: Any) -> None:
    """A fact of a kind, on the first of the pages."""
    table = FACT_TABLES[kind]
    page = (await world.rows("SELECT page_id, consent_id FROM raw_page ORDER BY serial LIMIT 1"))[0]
    number = next(_numbers)
    row: dict[str, Any] = {"customer_id": world.customer_id, "fact_id": new_id(), "source_key": key or f"k-{number}", "version": version}
    row |= {
        "occurred_on": occurred_on,
        "known_from": world.time.now(),
        "connection_id": world.connection_id,
        "position": 0,
        "content_hash": b"x",
        **page,
    }
    spec = next(one for one in all_specs() if one.name == kind)
    values = {"instant": datetime(2022, 2, 1, 4, tzinfo=UTC), **_VALUES}
    for field in spec.fields:
        row |= dict.fromkeys(columns_of(field), values[field.kind.value])
    async with world.database.work() as tx:
        await tx.execute(insert(table), row | own)


ITEMS: dict[str, list[dict[str, Any]]] = {
    "PublicRecord": [{"role": "DEFENDANT", "status": "CLOSED", "closed_on": ENDED}],
    "TaxViolation": [{"open": False, "decided_on": ENDED}],
    "TaxArrear": [{"cleared_on": ENDED}],
    "ShopPenalty": [{"decided_on": ENDED}],
    # Two months in arrears, and the month that was in order again: the streak ended with its first day.
    "RepaymentMonth": [{"status": "1", "month": "2021-12"}, {"status": "2", "month": "2022-01"}, {"status": "N", "month": "2022-02"}],
}
STAYS: dict[str, int] = {"RepaymentMonth": 1}
"""Rows that are no item: a month in order."""


async def filled(world: World, kind: str) -> str:
    await world.do("UPDATE consent SET data_life_days = 9999, expires_at = NULL")
    await world.sync()
    for own in ITEMS[kind]:
        await put(world, kind, **own)
    return FACT_TABLES[kind].name


async def goes_on_the_day(world: World, kind: str) -> None:
    """Raises AssertionError where it does not."""
    table, day = await filled(world, kind), GONE_ON[retention().kinds[kind].name]
    pages = await hashes(world)
    world.time.at = datetime(day.year, day.month, day.day, 15, 59, tzinfo=UTC) - timedelta(days=1)
    assert await erase(world) == 0, "a minute early"
    world.time.turn(minutes=1)
    assert today(world) == day
    await erase(world)
    assert await world.count(table) == STAYS.get(kind, 0)
    stone = (await stones(world))[0]
    assert (stone["reason"], stone["kinds"], stone["due_on"], stone["done_on"]) == ("ITEM_ENDED", [kind], day, day)
    empty = await world.rows("SELECT sha256 FROM raw_page WHERE body = ''")
    assert len(empty) == 1 and stone["pages_sha256"] == digest_of([empty[0]["sha256"]]) and empty[0]["sha256"] in pages
    assert (await world.count("fact_refund"), await world.count("raw_page")) == (5, 3), "what else came on that page stays"


def test_every_kind_with_a_life_of_its_own_is_tried() -> None:
    assert set(ITEMS) == set(retention().limited()) == set(laws.ENDED)


@pytest.mark.parametrize("kind", sorted(ITEMS))
@pytest.mark.law("征信业管理条例 16: erased")
async def test_it_goes_on_the_day(world: World, kind: str) -> None:
    await goes_on_the_day(world, kind)


@pytest.mark.parametrize("wrong", ["1 day", "-1 day"])
async def test_a_day_more_or_less_is_found(world: World, wrong: str) -> None:
    """The control."""
    engine = create_engine(world.database.urls.owner, poolclass=pool.NullPool)
    changed = (
        laws.item_due(retention())
        .replace("CREATE VIEW", "CREATE OR REPLACE VIEW")
        .replace("interval '5 years'", f"interval '5 years {wrong}'")
    )
    with engine.begin() as connection:
        connection.execute(text(changed))
    engine.dispose()
    with pytest.raises(AssertionError):
        await goes_on_the_day(world, "TaxArrear")


NOT_ENDED: list[tuple[str, dict[str, Any]]] = [
    ("PublicRecord", {"role": "DEFENDANT", "status": "OPEN", "closed_on": None}),
    ("PublicRecord", {"role": "PLAINTIFF", "status": "CLOSED", "closed_on": ENDED}),
    ("TaxViolation", {"open": True}),
    ("TaxArrear", {"cleared_on": None}),
    ("RepaymentMonth", {"status": "3", "month": "2022-03"}),
    ("RepaymentMonth", {"status": "N"}),
]


async def test_what_has_not_ended_or_is_not_adverse_stays(world: World) -> None:
    await filled(world, "RepaymentMonth")
    for number, (kind, own) in enumerate(NOT_ENDED):
        await put(world, kind, key=f"open-{number}", **own)
    world.time.at = datetime(2040, 1, 1, tzinfo=UTC)
    await erase(world)
    left = {one["source_key"] for one in await world.rows("SELECT source_key FROM fact WHERE kind <> 'Refund'")}
    assert {one for one in left if one.startswith("open")} == {f"open-{number}" for number in range(len(NOT_ENDED))}
    assert len(left) == len(NOT_ENDED) + STAYS["RepaymentMonth"]


async def test_all_versions_of_an_item_go_together(world: World) -> None:
    """The first said that the case was open; the last says since when it is not."""
    await filled(world, "PublicRecord")
    await put(world, "PublicRecord", key="case", known_to=world.time.now(), role="DEFENDANT", status="OPEN", closed_on=None)
    await put(world, "PublicRecord", key="case", version=2, role="DEFENDANT", status="CLOSED", closed_on=date(2023, 2, 1))
    world.time.at = datetime(2027, 6, 1, tzinfo=UTC)
    await erase(world)
    assert await world.count("fact_public_record") == 2
    world.time.at = datetime(2028, 2, 1, tzinfo=UTC)
    await erase(world)
    assert await world.count("fact_public_record") == 0


@pytest.mark.law("征信业管理条例 16: ignored")
async def test_formulas_ignore_it_from_that_day_on(world: World) -> None:
    """Before it was erased, too: neither as a fact nor as evidence."""
    await filled(world, "PublicRecord")
    async with world.database.work() as tx:
        (given,) = [as_given(row) for row in await consents_of(tx, world.customer_id)]
    consents = {
        SourceKind.PUBLIC_RECORD: replace(given, source=SourceKind.PUBLIC_RECORD, data_from=date(2000, 1, 1), kinds=None, life=None)
    }
    for as_of, counted in ((date(2027, 1, 31), 1), (date(2027, 2, 1), 0)):
        moment = Moment(world.customer_id, as_of, datetime(2026, 6, 1, tzinfo=UTC), consents)
        async with world.database.work() as tx:
            (found,) = await load_facts(tx, [moment])
        read = evidence(found.versions, frozenset(consents), as_of)
        assert (len(found.facts.get(PublicRecord, ())), sum(one.facts for one in read)) == (counted, counted)


def unclassified(kinds: set[str], tables: set[str]) -> set[str]:
    """What the retention document says nothing of, or what it speaks of that is not there."""
    document = retention()
    return (kinds ^ set(document.kinds)) | (tables ^ (set(document.tables) | {table.name for table in FACT_TABLES.values()}))


def test_every_kind_of_fact_and_every_table_of_a_customer_is_classified() -> None:
    kinds, tables = {spec.name for spec in all_specs()}, set(owned_tables())
    assert unclassified(kinds, tables) == set()
    print(f"classified: {len(kinds)} kinds of fact, {len(tables)} tables")
    assert unclassified(kinds | {"NewKind"}, tables | {"fact_new_kind"}) == {"NewKind", "fact_new_kind"}, (
        "a new kind without a class is found"
    )
