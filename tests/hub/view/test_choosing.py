"""Customers are chosen by what their fields show to the asking purpose, and by nothing else."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from hub.domain.caller import Caller
from hub.domain.enums import Purpose
from hub.errors import NotAllowed
from hub.store import tables
from hub.store.database import Database, Write
from hub.store.view import profile
from hub.store.view.merged import is_part
from schema.access import AUDIENCES
from schema.plan.extension import require
from tests.hub.view.test_reading import SCHEMA, ask
from tests.hub.view.world import KNOWN, PARTNER, RISK, World, _id, build, consent_row
from tests.schema.oracle import chooses

SEEN = """{ customers(first: 100) { nodes { id category profile { customerType overlays clusters size productClass industry region }
    sources { source status } evaluations(first: 100) { edges { node { id scenario whatIf createdAt outcome tier asOf } } } } } }"""
FILTERS: list[dict[str, Any]] = [
    {"categories": ["ENTERPRISE"]},
    {"customerTypes": ["INDIVIDUAL_BUSINESS"]},
    {"overlays": ["NEW_CITIZEN"]},
    {"clusters": ["MODERN_SERVICE", "SPECIALIZED"]},
    {"clusters": ["QUALITY_TRADE"], "industries": ["F"]},
    {"sizes": ["MICRO"]},
    {"sizes": ["MICRO", "SMALL"], "productClasses": ["LIGHT_ASSET"]},
    {"industries": ["F5292"]},
    {"industries": ["F"]},
    {"regions": ["宁波市", "上海市"]},
    {"outcomes": ["ENHANCED"]},
    {"outcomes": ["BASE_ONLY"], "scenario": "S03"},
    {"outcomes": ["BASE_ONLY", "ENHANCED"], "scenario": "S01"},
    {"tiers": ["LOW"]},
    {"tiers": ["HIGH"], "sizes": ["MICRO"], "evaluatedSince": date(2026, 1, 20)},
    {"evaluatedBefore": date(2026, 1, 20)},
    {"available": ["SHOP"]},
    {"stale": ["SHOP"]},
    {"sizes": []},
]
KINDS = {"evaluatedSince": "Date", "evaluatedBefore": "Date", "scenario": "String"}


async def chosen(database: Database, given: dict[str, Any], caller: Caller = RISK) -> list[str]:
    """Ids of those chosen; the count and the pages must agree."""
    written = ", ".join(f"{name}: {_literal(value)}" for name, value in given.items())
    arguments = f"(first: 100{', ' if written else ''}{written})"
    found = (await ask(database, f"{{ customers{arguments} {{ totalCount nodes {{ id }} edges {{ node {{ id }} }} }} }}", caller))[
        "customers"
    ]
    ids = [one["id"] for one in found["nodes"]]
    assert found["totalCount"] == len(ids) and [one["node"]["id"] for one in found["edges"]] == ids
    return ids


def _literal(value: Any) -> str:
    if isinstance(value, list):
        enums = [one for one in value if one.isascii() and not one[-1].isdigit() and len(one) > 2]
        return "[" + ", ".join(one if one in enums else f'"{one}"' for one in value) + "]"
    return f'"{value}"'


async def crowd(database: Database, world: World) -> list[uuid.UUID]:
    """A dozen customers that differ in what was found, decided and consented."""
    made = [_id(200 + n) for n in range(12)]
    async with database.work() as tx:
        for n, one in enumerate(made):
            row = {"customer_id": one, "kind": "ORG", "name_masked": "*", "uscc": None, "subject_hash": str(one), "created_at": KNOWN}
            await tx.execute(insert(tables.customer), row)
            await tx.execute(insert(tables.customer_client), {"customer_id": one, "client_id": "risk-desk"})
            status = "REVOKED" if n == 3 else "PAUSED" if n == 4 else "ACTIVE"
            more: dict[str, Any] = {"customer_id": one, "status": status}
            if n == 5:
                more["purpose"] = (
                    "POST_LOAN" if "POST_LOAN" in set(Purpose) else next(each for each in Purpose if each != "CREDIT_APPROVAL")
                )
            if n == 6:
                more["kinds"] = ["Refund"]
            await tx.execute(insert(tables.consent), consent_row(world, _id(300 + n), "SHOP", **more))
            await evaluated(tx, world, one, _id(400 + n), _id(500 + n), n)
    return made


async def evaluated(tx: Write, world: World, one: uuid.UUID, first: uuid.UUID, second: uuid.UUID, n: int) -> None:
    """An evaluation with its profile; for every third customer a later one that differs, for every fourth a later what-if."""
    sizes, codes = ["MICRO", "SMALL", None], ["F5292", "C3311"]
    found = {"size_class": sizes[n % 3], "industry_code": codes[n % 2], "industry_section": codes[n % 2][0], "missing": {}}
    found |= {"customer_type": "OTHER", "overlays": [], "product_class": "TRADITIONAL", "region": "北京市"}
    sets: list[list[str] | None] = [["MODERN_SERVICE"], ["QUALITY_TRADE", "SPECIALIZED"], [], None]
    found |= {"clusters": sets[n % 4], "clusters_undecided": ["TECH_INNOVATION"] if sets[n % 4] is not None else None}
    await decided(tx, world, one, first, found, outcome="ENHANCED" if n % 2 else "BASE_ONLY", tier="HIGH" if n % 3 else "LOW")
    if n % 3 == 0:
        later = {
            "created_at": KNOWN + timedelta(hours=1),
            "as_of": date(2026, 1, 19),
            "outcome": "INELIGIBLE",
            "scenario": "S01" if n % 2 else "S03",
        }
        await decided(tx, world, one, second, found | {"size_class": "LARGE"}, **later)
    elif n % 4 == 0:
        later = {"created_at": KNOWN + timedelta(hours=1), "outcome": "INELIGIBLE", "what_if": True}
        await decided(tx, world, one, second, found | {"size_class": "LARGE"}, **later)


async def decided(tx: Write, world: World, one: uuid.UUID, evaluation_id: uuid.UUID, found: dict[str, Any], **more: Any) -> None:
    """A copy of the small world's evaluation, made of the customer's own orders."""
    head = (await tx.execute(select(tables.evaluation).where(tables.evaluation.c.evaluation_id == world.evaluation))).mappings().one()
    mine = {"customer_id": one, "evaluation_id": evaluation_id}
    await tx.execute(insert(tables.evaluation), {**head, **mine, **more})
    await tx.execute(insert(tables.evaluation_profile), {**mine, **found})
    evidence = {"feature_id": "profile", "ordinal": 0, "kind": "Order", "source": "SHOP", "facts": 4, "digest": "11" * 32}
    await tx.execute(insert(tables.feature_evidence), {**mine, **evidence})


async def test_whom_a_filter_chooses_is_whom_its_field_shows(database: Database) -> None:
    await crowd(database, await build(database))
    everybody = (await ask(database, SEEN))["customers"]["nodes"]
    sizes = set()
    for given in FILTERS:
        expected = [one["id"] for one in everybody if chooses(one, given)]
        assert await chosen(database, given) == expected, given
        sizes.add(len(expected))
    assert len(everybody) == 13 and len(sizes) > 4, "the filters tell the crowd apart"
    assert sum(one["profile"] is None for one in everybody) == 4, "withdrawn, paused, of another purpose, of another kind"


async def test_what_no_consent_covers_chooses_nobody(database: Database) -> None:
    world = await build(database)
    asked: list[dict[str, Any]] = [{"industries": ["F5292"]}, {"sizes": ["MICRO"]}, {"outcomes": ["ENHANCED"]}, {"tiers": ["HIGH"]}]
    other = Caller("risk-desk", "INTERNAL", AUDIENCES["INTERNAL"], "MARKETING")
    for given in asked:
        assert await chosen(database, given) == [world.id]
        assert await chosen(database, given, other) == [], "another purpose has no consent"
    async with database.work() as tx:
        await tx.execute(update(tables.consent).where(tables.consent.c.source == "SHOP").values(status="REVOKED"))
    for given in asked:
        assert await chosen(database, given) == [], given
    assert await chosen(database, {}) == [world.id]


async def test_a_filter_that_does_not_ask_for_consent_is_noticed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: the gate taken away."""
    await build(database)
    async with database.work() as tx:
        await tx.execute(update(tables.consent).values(status="REVOKED"))
    monkeypatch.setattr(profile, "readable_ones", lambda t, scope: (is_part(t, scope),))
    assert await chosen(database, {"sizes": ["MICRO"]}) != []


async def test_the_profile_hangs_on_all_it_was_read_from(database: Database) -> None:
    """What the profile alone read, such as a household registration, is evidence like any other."""
    world = await build(database)
    query = "query ($id: ID!) { customer(id: $id) { profile { size missing { field reason } evaluation { id } } } }"
    found = (await ask(database, query, id=world.id))["customer"]["profile"]
    assert found["size"] == "MICRO" and found["missing"] == [{"field": "verifiedRevenue", "reason": "INSUFFICIENT_COVERAGE"}]
    assert found["evaluation"] == {"id": f"Evaluation:{world.id}:{world.evaluation}"}
    mine = {"customer_id": world.mine, "evaluation_id": world.evaluation, "feature_id": "profile", "ordinal": 0}
    async with database.work() as tx:
        evidence = {"kind": "HouseholdRegistration", "source": "IDENTITY", "facts": 1, "digest": "0" * 64}
        await tx.execute(insert(tables.feature_evidence), {**mine, **evidence})
    assert (await ask(database, query, id=world.id))["customer"]["profile"] is None
    assert await chosen(database, {"sizes": ["MICRO"]}) == []


async def test_others_customers_are_chosen_by_nobody_else(database: Database) -> None:
    world = await build(database)
    async with database.work() as tx:
        await tx.execute(insert(tables.consent), consent_row(world, _id(70), "SHOP", customer_id=world.theirs))
        await decided(tx, world, world.theirs, _id(71), {"size_class": "MICRO", "overlays": [], "missing": {}})
    assert await chosen(database, {"sizes": ["MICRO"]}) == [world.id]
    assert await chosen(database, {"sizes": ["MICRO"]}, Caller("another", "INTERNAL", RISK.scopes, RISK.purpose)) == [str(world.theirs)]


async def test_a_merged_customer_is_chosen_by_what_either_part_shows(database: Database) -> None:
    world = await build(database)
    other = (await crowd(database, world))[1]
    assert str(other) in await chosen(database, {"sizes": ["SMALL"]})
    async with database.work() as tx:
        await tx.execute(insert(tables.customer_merge), {"customer_id": other, "into_id": world.mine, "merged_at": KNOWN})
        later = {"created_at": KNOWN + timedelta(hours=2), "outcome": "INELIGIBLE"}
        await decided(tx, world, other, _id(601), {"size_class": "LARGE", "overlays": [], "missing": {}}, **later)
    sizes = {size: world.id in await chosen(database, {"sizes": [size]}) for size in ("MICRO", "SMALL", "LARGE")}
    assert sizes == {"MICRO": False, "SMALL": False, "LARGE": True}, "the newest of both"
    assert str(other) not in await chosen(database, {"sizes": ["LARGE"]})


async def test_a_page_of_those_chosen_goes_on(database: Database) -> None:
    await crowd(database, await build(database))
    query = "query ($a: String) { customers(first: 2, after: $a, outcomes: [ENHANCED, BASE_ONLY]) { totalCount nodes { id } pageInfo { endCursor hasNextPage } } }"
    expected = await chosen(database, {"outcomes": ["ENHANCED", "BASE_ONLY"]})
    seen: list[str] = []
    after, more = None, True
    while more:
        page = (await ask(database, query, a=after))["customers"]
        seen += [one["id"] for one in page["nodes"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        assert page["totalCount"] == len(expected)
    assert seen == expected and len(set(seen)) > 4


async def test_as_it_was_known_then(database: Database) -> None:
    """A later evaluation does not change whom an earlier instant chooses."""
    world = await build(database)
    async with database.work() as tx:
        later = {"created_at": KNOWN + timedelta(hours=1), "known_at": KNOWN + timedelta(minutes=1), "outcome": "BASE_ONLY"}
        await decided(tx, world, world.mine, _id(72), {"size_class": "LARGE", "overlays": [], "missing": {}}, **later)
    query = "query ($k: DateTime, $s: [SizeClass!]) { customers(knownAt: $k, sizes: $s) { totalCount } }"
    for known, size in ((KNOWN.isoformat(), "MICRO"), (None, "LARGE")):
        for asked in ("MICRO", "LARGE"):
            assert (await ask(database, query, k=known, s=[asked]))["customers"]["totalCount"] == (asked == size)


def needed(query: str, caller: Caller) -> str | None:
    """What is missing, or None."""
    document = SCHEMA.documents.of(query, introspecting=False)
    assert document.errors == []
    try:
        require(SCHEMA.documents.plan(document, None, {}), caller.scopes)
    except NotAllowed as error:
        return error.message
    return None


@pytest.mark.parametrize("given", ['industries: ["F"]', 'regions: ["宁波市"]'])
async def test_whoever_may_not_see_a_fact_may_not_choose_by_it(given: str) -> None:
    query = f"{{ customers({given}) {{ totalCount }} }}"
    assert "facts:read" in (needed(query, PARTNER) or "") and needed(query, RISK) is None
    assert needed("{ customers(sizes: [MICRO], outcomes: [ENHANCED], available: [SHOP]) { totalCount } }", PARTNER) is None
    names = Caller("names", "PARTNER", frozenset({"customers:read"}), "CREDIT_APPROVAL")
    assert "enhancement:read" in (needed("{ customers(tiers: [HIGH]) { totalCount } }", names) or "")


async def test_what_was_chosen_by_is_on_the_log_with_its_consents(database: Database) -> None:
    world = await build(database)
    await ask(database, "query Chosen { customers(sizes: [MICRO]) { nodes { id } } }")
    await ask(database, "query All($s: [SizeClass!]) { customers(sizes: $s) { nodes { id } } }", s=None)
    query = text("select operation, fields, consents from access_log order by log_id")
    async with database.work() as tx:
        chosen_, all_ = (await tx.execute(query)).all()
    assert (chosen_.operation, chosen_.fields[1]) == ("Chosen", "Profile.size")
    assert (chosen_.consents, all_.consents) == ([world.shop_consent, world.tax_consent], [])


WHAT_IF = """query ($id: ID!, $w: Boolean!, $n: ID!) { customer(id: $id) { evaluation(scenario: "S03", whatIf: $w) { outcome whatIf }
    latest: evaluation(scenario: "S03") { outcome } evaluations(whatIf: $w) { totalCount nodes { outcome } } profile { size } }
    node(id: $n) { ... on Evaluation { outcome whatIf } } }"""


async def test_a_what_if_is_shown_to_whoever_asks_for_it(database: Database) -> None:
    world = await build(database)
    async with database.work() as tx:
        later = {"created_at": KNOWN + timedelta(hours=1), "outcome": "BASE_ONLY", "what_if": True}
        await decided(tx, world, world.mine, _id(73), {"size_class": "LARGE", "overlays": [], "missing": {}}, **later)
    node = f"Evaluation:{world.id}:{_id(73)}"
    for wanted, outcome in ((False, "ENHANCED"), (True, "BASE_ONLY")):
        found = await ask(database, WHAT_IF, id=world.id, w=wanted, n=node)
        assert found["customer"] == {
            "evaluation": {"outcome": outcome, "whatIf": wanted},
            "latest": {"outcome": "ENHANCED"},
            "evaluations": {"totalCount": 1, "nodes": [{"outcome": outcome}]},
            "profile": {"size": "MICRO"},
        }
        assert found["node"] == {"outcome": "BASE_ONLY", "whatIf": True}
    assert await chosen(database, {"outcomes": ["BASE_ONLY"]}) == await chosen(database, {"sizes": ["LARGE"]}) == []


async def test_monthly_series_without_an_evaluations_id(database: Database) -> None:
    world = await build(database)
    mine = {"customer_id": world.mine, "evaluation_id": world.evaluation, "source": "SHOP"}
    months = [("GMV", "2025-11", None), ("GMV", "2025-12", 5), ("ORDERS", "2025-12", 2)]
    async with database.work() as tx:
        await tx.execute(
            insert(tables.series_month), [{**mine, "series": name, "month": month, "value": value} for name, month, value in months]
        )
    query = "query ($id: ID!, $n: [String!], $f: Month, $s: String) { customer(id: $id) { series(names: $n, from: $f, scenario: $s) { series month value unit missingReason } } }"

    async def series(**given: Any) -> list[tuple[Any, ...]]:
        found = (await ask(database, query, id=world.id, **given))["customer"]["series"]
        return [tuple(one.values()) for one in found]

    december = ("GMV", "2025-12", "5", "YUAN", None)
    assert await series(n=["GMV"]) == [("GMV", "2025-11", None, "YUAN", "INSUFFICIENT_COVERAGE"), december]
    assert await series(f="2025-12", s="S03") == [december, ("ORDERS", "2025-12", "2", "COUNT", None)]
    assert await series(s="S01") == []
    async with database.work() as tx:
        await tx.execute(update(tables.consent).where(tables.consent.c.source == "SHOP").values(status="PAUSED"))
    assert await series() == []
