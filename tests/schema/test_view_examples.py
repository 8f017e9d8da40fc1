"""The examples that show one customer, many, and what there is: answered through the endpoint, to whoever may ask."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from schema.examples import example
from tests.hub.access.side import Api
from tests.schema.test_examples import answered

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_customers_are_found_by_what_was_decided(api: Api) -> None:
    app = api.sides["partner-app"]
    found = (await answered(app, "FindCustomers"))["customers"]
    assert (found["totalCount"], found["totalIsExact"], [one["id"] for one in found["nodes"]]) == (1, True, [api.world.id])
    profile = found["nodes"][0]["profile"]
    assert (profile["customerType"], profile["size"], profile["tier"], profile["verifiedRevenue"]) == (
        "INDIVIDUAL_BUSINESS",
        "MICRO",
        "HIGH",
        None,
    )
    assert profile["missing"] == [{"field": "verifiedRevenue", "reason": "INSUFFICIENT_COVERAGE"}]
    for other in ({"sizes": ["LARGE"]}, {"outcomes": ["INELIGIBLE"]}, {"available": ["TAX"]}, {"evaluatedSince": "2026-01-21"}):
        none = (await answered(app, "FindCustomers", **other))["customers"]
        assert (none["totalCount"], none["nodes"]) == (0, []), other


@pytest.mark.law("征信业管理条例 20: no onward supply")
async def test_a_partner_does_not_choose_by_facts(api: Api) -> None:
    answer = (await api.sides["partner-app"].ask('{ customers(industries: ["F"]) { totalCount } }')).json()
    assert "data" not in answer and "facts:read" in answer["errors"][0]["message"]
    found = (await api.sides["risk-desk"].ask('{ customers(industries: ["F"], regions: ["宁波市"]) { totalCount } }')).json()
    assert found == {"data": {"customers": {"totalCount": 1}}}


async def test_an_overview_of_one_customer(api: Api) -> None:
    found = (await answered(api.sides["partner-app"], "CustomerOverview", id=api.world.id, scenario="S03"))["customer"]
    assert (found["category"], found["profile"]["grade"], found["evaluation"]["finalLimit"]) == ("ENTERPRISE", None, "223000.00")
    sources = {one["source"]: one for one in found["sources"]}
    shop = sources["SHOP"]
    assert (shop["status"], shop["dataEnd"], shop["ageDays"], shop["consent"]["status"]) == ("AVAILABLE", "2026-01-19", 1, "ACTIVE")
    assert shop["coverage"] == [{"first": "2025-01-01", "last": "2026-01-19"}] and sources["PAYMENT"]["denial"] == "NOT_CONNECTED"
    assert (found["evaluations"]["totalCount"], found["whatIfs"]["nodes"]) == (1, [])
    then = (await answered(api.sides["partner-app"], "CustomerOverview", id=api.world.id, scenario="S03", asOf="2026-01-19"))["customer"]
    assert (then["profile"], then["evaluation"], then["evaluations"]["totalCount"]) == (None, None, 0)


async def test_a_shop_with_its_sums(api: Api) -> None:
    found = (await answered(api.sides["risk-desk"], "ShopTrade", id=api.world.id, **{"from": "2025-12-04"}))["customer"]
    assert found["orders"]["totals"] == {"paidAmount": "91.00", "discount": "0.00"}
    assert sum(Decimal(one["paidAmount"]) for one in found["orders"]["nodes"]) == Decimal("91.00")
    assert found["refunds"] == {"totalCount": 0, "totals": {"amount": None}, "access": {"status": "AVAILABLE"}}
    assert found["series"] == []
    answer = (await api.sides["partner-app"].ask(example("ShopTrade"), {"id": api.world.id})).json()
    assert "data" not in answer


async def test_what_there_is(api: Api) -> None:
    (one,) = (await answered(api.sides["partner-app"], "Scenarios"))["scenarios"]
    assert (one["id"], one["descriptionEn"], one["policy"]) == (
        "S03",
        "Credit for online sellers by orders, refunds and settlements.",
        {"version": "2026-01-01", "effectiveFrom": date(2026, 1, 1).isoformat()},
    )
    features = (await answered(api.sides["risk-desk"], "FeatureCatalogue", families=["cb"]))["features"]
    assert len(features) == 10 and features[0]["nameZh"] == "收货地址集中度"
    assert len((await answered(api.sides["risk-desk"], "FeatureCatalogue"))["features"]) == 90


async def test_several_by_their_ids(api: Api) -> None:
    """As docs/partners.md asks."""
    evaluation = f"Evaluation:{api.world.id}:{api.world.evaluation}"
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Evaluation { outcome } } }"
    answer = (await api.sides["partner-app"].ask(query, {"ids": [evaluation, "gone", api.world.id]})).json()
    assert answer["data"]["nodes"] == [
        {"__typename": "Evaluation", "id": evaluation, "outcome": "ENHANCED"},
        None,
        {"__typename": "Customer", "id": api.world.id},
    ]


async def test_a_running_loan_is_watched(api: Api) -> None:
    """The same to a partner: it recorded the loan, and results are for partners, too."""
    for client in ("risk-desk", "partner-app"):
        found = (await answered(api.sides[client], "LoanWatch", id=api.world.id, scenario="S03"))["customer"]
        assert [(one["number"], one["balance"]) for one in found["loans"]] == [("L-1", "50000.00")]
        (signal,) = found["monitoringSignals"]["nodes"]
        assert (signal["trigger"], signal["severity"], signal["since"], signal["until"]) == ("T1", "MEDIUM", "2026-01-20", None)
        assert [(one["kind"], one["code"], one["scenario"]) for one in found["hints"]] == [("CROSS_SELL", "PAYROLL", "S03")]
        assert found["groupLimit"] == {"limit": "223000.00", "scenario": "S03"}
        (model,) = found["evaluation"]["models"]
        values = {one["name"]: (one["number"], one["text"], one["missingReason"]) for one in model["values"]}
        assert values == {
            "pattern": (None, "STABLE", None),
            "anomaly": ("1.2346", None, None),
            "buyerRecency": (None, None, "NOT_APPLICABLE"),
        }
        assert (model["fallback"], model["fault"]) == (False, None)
