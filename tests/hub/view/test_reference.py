"""The reference queries: the whole catalogue of features, and the scenarios by the policy in force."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import hub.credit.evaluate  # noqa: F401  (declares every feature)
from hub.credit.features import CATALOGUE
from hub.credit.parameters import words
from hub.credit.policies import names
from hub.credit.reference import ReferenceFile
from hub.store.database import Database
from hub.store.evaluations import effective_policy, publish_policies
from hub.store.evaluations.policies import documents_of_the_package, end_policy
from hub.store.evaluations.reference import keep_catalogue, load_versions
from tests.hub.view.test_reading import ask
from tests.hub.view.world import KNOWN

FEATURES = "query ($i: [String!], $f: [String!]) { features(ids: $i, families: $f) { id family nameZh nameEn unit formula formulaVersion window months days businessOnly sources } }"
SCENARIOS = """query ($d: Date) { scenarios(asOf: $d) { id name titleZh descriptionZh descriptionEn policy { id version effectiveFrom sha256 }
    sources { anyOf months everyMonth singleOrderMonths } optionalSources baseTermMonths termBonusMonths repayment guarantee } }"""


async def test_everything_has_a_name_in_both_languages() -> None:
    assert set(words("features")) == set(CATALOGUE) and len(CATALOGUE) == 90
    assert set(words("scenarios")) == set(names())
    for said in (*words("features").values(), *words("scenarios").values()):
        assert said.en.isascii() and not said.zh.isascii()


async def test_the_catalogue_is_what_is_computed(database: Database) -> None:
    found = (await ask(database, FEATURES))["features"]
    assert [one["id"] for one in found] == sorted(CATALOGUE)
    for one in found:
        entry = CATALOGUE[one["id"]]
        assert (one["formula"], one["unit"], one["window"], one["businessOnly"]) == (
            entry.doc,
            entry.unit,
            entry.span.name,
            entry.business_only,
        )
        assert (one["months"], one["days"]) == (entry.span.months or None, entry.span.days or None)
    (cover,) = (await ask(database, FEATURES, i=["rr_dscr"], f=["rr"]))["features"]
    assert (cover["nameZh"], cover["nameEn"], cover["window"], cover["months"]) == ("偿债备付率", "Debt service coverage", "W12", 12)
    assert (await ask(database, FEATURES, i=["rr_dscr"], f=["ss"]))["features"] == []
    assert {one["id"]: one["sources"] for one in found}["ss_tax_rating"] == ["TAX"]


async def published(database: Database) -> None:
    async with database.work() as tx:
        await publish_policies(tx, documents_of_the_package(), KNOWN)
        later = {
            **next(one for one in documents_of_the_package() if one["id"] == "S03"),
            "version": "2026-03-01",
            "effective_from": "2026-03-01",
        }
        await publish_policies(tx, [later], KNOWN)


async def scenarios(database: Database, day: str | None = None) -> dict[str, Any]:
    return {one["id"]: one for one in (await ask(database, SCENARIOS, d=day))["scenarios"]}


async def test_scenarios_follow_the_policy_in_force(database: Database) -> None:
    await published(database)
    for day in (date(2020, 1, 1), date(2026, 1, 1), date(2026, 2, 28), date(2026, 3, 1)):
        found = await scenarios(database, day.isoformat())
        assert set(found) == set(names())
        for name, one in found.items():
            async with database.work() as tx:
                policy = await effective_policy(tx, name, day)
            assert (one["policy"]["version"], one["policy"]["sha256"]) == (policy.version, policy.sha256), (name, day)


async def test_a_version_that_was_taken_back_is_not_shown_as_in_force(database: Database) -> None:
    await published(database)
    end = date(2026, 3, 10)
    async with database.work() as tx:
        await end_policy(tx, "S03", "2026-03-01", (end, KNOWN.date()), actor="another", reason="too many referrals", now=KNOWN)
    for day in (date(2020, 1, 1), date(2026, 2, 28), date(2026, 3, 1), end - timedelta(days=1), end, end + timedelta(days=400)):
        async with database.work() as tx:
            policy = await effective_policy(tx, "S03", day)
        assert (await scenarios(database, day.isoformat()))["S03"]["policy"]["version"] == policy.version, day


async def test_a_scenario_says_what_it_needs(database: Database) -> None:
    await published(database)
    found = await scenarios(database)
    shop = found["S03"]
    assert (shop["name"], shop["titleZh"], shop["descriptionEn"]) == ("ECOM_SELLER", "电商贷", words("scenarios")["S03"].en)
    assert shop["sources"][0] == {"anyOf": ["SHOP"], "months": 12, "everyMonth": True, "singleOrderMonths": 3}
    assert (shop["baseTermMonths"], shop["termBonusMonths"], shop["optionalSources"][0]) == (9, 3, "TAX")
    assert shop["repayment"] == ["EQUAL_PRINCIPAL", "SETTLEMENT_SHARE"] and shop["guarantee"] == ["UNSECURED"]
    assert found["S07"]["baseTermMonths"] is None, "until the harvest"
    assert found["S12"]["sources"][1]["anyOf"] == ["SOCIAL_INSURANCE", "HOUSING_FUND"] and found["S12"]["optionalSources"] == []


PRODUCTS = """query ($d: Date, $k: [ProductKind!], $h: ProductHolder) { products(asOf: $d, kinds: $k, holder: $h) { code holder kind scenario lowestLimit highestLimit termMonths
    lowestRate highestRate purposes eligible { customerTypes productClasses clusters } peer seenOn version } }"""


async def test_products_are_those_in_effect_on_the_day(database: Database) -> None:
    """What comes with the hub from January on; of the lender's own from March on; a peer's are beside them."""
    peer = {"kind": "DEPOSIT", "name_zh": "存款", "name_en": "Deposit", "eligible": [], "peer": "River Bank", "seen_on": "2026-01-05"}
    async with database.work() as tx:
        await keep_catalogue(tx, KNOWN)
        await load_versions(tx, ReferenceFile("terms", date(2026, 1, 10), None, {"peer_products": {"X": peer}}), "admin", KNOWN)
        mine = ReferenceFile("board", date(2026, 3, 1), None, {"products": {"PAYROLL": {**peer, "kind": "SERVICE"}}})
        await load_versions(tx, mine, "admin", KNOWN)
    assert (await ask(database, PRODUCTS, d="2025-12-31"))["products"] == []
    found = (await ask(database, PRODUCTS, d="2026-02-28"))["products"]
    assert [one["code"] for one in found] == [
        *names(),
        *["ACQUIRING", "SETTLEMENT_ACCOUNT", "DEPOSITS", "CROP_INSURANCE", "IP_SERVICES", "PAYROLL", "X"],
    ]
    shop = {one["code"]: one for one in found}["S03"]
    assert {name: shop[name] for name in ("holder", "kind", "scenario", "peer", "seenOn", "purposes", "version")} == {
        "holder": "OWN", "kind": "LOAN", "scenario": "S03", "peer": None, "seenOn": None, "purposes": ["OPERATING"], "version": 1,
    }  # fmt: skip
    assert [shop[name] for name in ("lowestLimit", "highestLimit", "lowestRate", "highestRate")] == ["1000", "500000", "0.037", "0.08"]
    assert (shop["termMonths"], shop["eligible"]) == (
        [9, 10, 12],
        [{"customerTypes": ["MICRO_SMALL_ENTERPRISE", "INDIVIDUAL_BUSINESS"], "productClasses": ["LIGHT_ASSET"], "clusters": []}],
    )
    (peers,) = (await ask(database, PRODUCTS, d="2026-02-28", h="PEER"))["products"]
    assert (peers["peer"], peers["seenOn"], peers["lowestLimit"], peers["termMonths"]) == ("River Bank", "2026-01-05", None, [])
    later = (await ask(database, PRODUCTS, d="2026-03-01"))["products"]
    assert [(one["code"], one["version"]) for one in later] == [("PAYROLL", 2), ("X", 1)]
    assert [one["code"] for one in (await ask(database, PRODUCTS, d="2026-03-01", k=["DEPOSIT"]))["products"]] == ["X"]
