"""What holds for every seller: money scales, what is missing is never zero, agreeing sources never harm, more revenue never lowers a limit.

On a small shop (20 orders a month) whose checks all pass, so that one evaluation takes milliseconds.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.credit.evaluate import Evaluation
from hub.credit.expected import to_expected
from hub.credit.expressions import Known
from hub.credit.policy import load_policy
from hub.credit.scenario.inputs import Material, known_inputs
from hub.credit.scenario.limit import Ground, Limit, calculate
from tests.hub.credit.variants import Change, Document, changed, evaluated, pays, without

OPTIONAL = ("TAX", "SOCIAL_INSURANCE", "HOUSING_FUND", "DEVICE", "IDENTITY", "PUBLIC_RECORD")
RANK = ("CONFLICT", "UNVERIFIED", "LOW", "MEDIUM", "HIGH")
BOUNDED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MONEY = re.compile(r"-?[0-9]+\.[0-9]{2}")
PLAIN = ("unit_price", "opening_balance", "balance", "monthly_due", "limit", "total")
LISTS = ("declared", "exempt", "amounts", "wages", "base")


def small(document: Document) -> None:
    """20 orders a month of 5,000, one of them refunded; declared, received and spent in proportion; home is where everything is."""
    shop = document["shop"]
    shop["months"] = [{"month": "2024-01", "for_months": 24, "orders": 20, "unit_price": "5000.00", "refunds": 1}]
    shop.update(buyers={"distinct": 160, "repeat": 80}, top_address_orders=1)
    shop["ship_from"] = {**document["business"]["registered_at"]}
    document["device"]["sessions"] = [{"city": "宁波市", "count": 20}]
    document["tax"]["vat_returns"] = [{"first": "2024Q1", "declared": ["282000.00"] * 8, "filed_day": 12}]
    payouts = [f"{amount}.00" for amount in (89000, 91000, 90000, 92000, 88000, 90500, 89500, 90000, 91500, 90000, 88500, 90000)]
    document["ledger"]["flows"][0]["amounts"] = payouts
    pays("PURCHASE", "540000.00")(document)
    pays("OWNER_DRAW", "0.00")(document)


def scaled(factor: int) -> Change:
    """Every amount of the seller times a whole number. Scores, rates and shares are no amounts."""

    def scale(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: scale(child, key) for key, child in value.items()}
        if isinstance(value, list):
            return [scale(child, name) for child in value]
        money = name in (*PLAIN, *LISTS) and isinstance(value, str) and MONEY.fullmatch(value)
        return f"{Decimal(value) * factor:f}" if money else value

    def change(document: Document) -> None:
        for name in ("tax", "shop", "ledger", "social_insurance", "bureau"):
            document[name] = scale(document[name])

    return change


@cache
def small_seller(*missing: str, factor: int = 1) -> dict[str, Any]:
    document = changed(small, scaled(factor), without(*missing))
    return to_expected(evaluated(document), document["id"])


def amounts(found: dict[str, Any]) -> dict[str, Decimal]:
    limit = found["limit"]
    caps = {name: value for name, value in limit["caps"].items() if name != "PRODUCT"}
    return {name: Decimal(value) for name, value in {**limit["legs"], **caps, "before": limit["before_caps"]}.items()}


def test_the_small_seller_passes_every_check_that_applies() -> None:
    statuses = {name: check["status"] for name, check in small_seller()["checks"].items()}
    assert {name for name, status in statuses.items() if status != "PASS"} == {"R4", "R6", "P3"}
    assert small_seller()["tier"] == "HIGH"


def test_no_cap_binds_the_small_seller() -> None:
    """Base 1.5·95,000 = 142,500, u = .35: 192,375. NOC 1,080,000 - 794,800 = 285,200, CAPACITY above it."""
    assert (small_seller()["limit"]["base"], small_seller()["limit"]["final_limit"]) == ("142500.00", "192000.00")
    assert small_seller()["limit"]["binding"] == []


@pytest.mark.parametrize("factor", [2, 3, 5, 10, 40])
def test_money_scales_until_the_product_cap_binds(factor: int) -> None:
    """All amounts times k: every ratio, check and point stays, every leg and cap but PRODUCT grows k times."""
    one, many = small_seller(), small_seller(factor=factor)
    assert {key: many[key] for key in ("dimensions", "consistency", "tier", "score", "price")} == {
        key: one[key] for key in ("dimensions", "consistency", "tier", "score", "price")
    }
    grown = amounts(many)
    assert all(abs(grown[name] - factor * amount) <= Decimal("0.01") * factor for name, amount in amounts(one).items())
    lowest = min([*(value for name, value in grown.items() if name not in many["limit"]["legs"]), Decimal(500000)])
    assert Decimal(many["limit"]["final_limit"]) == lowest // 1000 * 1000
    assert ("K01" in many["limit"]["binding"]) == (lowest == 500000)


def test_the_scaling_test_would_notice_a_figure_that_does_not_scale() -> None:
    """The control: with the orders left alone, a part of the amounts stays behind."""
    document = changed(small, scaled(5))
    document["shop"]["months"][0]["unit_price"] = "5000.00"
    found = to_expected(evaluated(document), "control")
    assert found["dimensions"] != small_seller()["dimensions"]


MADE_OF_SEVERAL = {
    "cs_wage_ratio",
    "cs_social_cost_ratio",
    "rr_verified_revenue",
    "rr_debt_to_revenue",
    "rr_expected_loss_rate",
    "rr_risk_adjusted_margin",
}
"""Features that another source may carry on, or that rest on the cross-check."""
EITHER = {"op_employer_changes", "op_local_months"}


@BOUNDED
@given(st.sets(st.sampled_from(OPTIONAL), min_size=1))
def test_a_missing_source_is_never_as_if_zero(missing: set[str]) -> None:
    """Without a source each feature is what it was, or null with the reason; no number takes its place."""
    whole, less = small_seller()["features"], small_seller(*sorted(missing))["features"]
    changed_ones = {name for name, value in less.items() if value != whole[name]} - MADE_OF_SEVERAL
    assert all(less[name]["value"] is None and less[name]["missing_reason"] == "NOT_CONNECTED" for name in changed_ones - EITHER)
    assert all(less[name]["value"] is not None or less[name]["missing_reason"] != "ZERO_DENOMINATOR" for name in MADE_OF_SEVERAL)
    assert changed_ones, "a source that no feature reads would make this test empty"


@BOUNDED
@given(st.sets(st.sampled_from(OPTIONAL)), st.sampled_from(OPTIONAL))
def test_a_source_whose_checks_pass_never_lowers_tier_or_coverage(missing: set[str], added: str) -> None:
    before, after = small_seller(*sorted({*missing, added})), small_seller(*sorted(missing - {added}))
    assert RANK.index(after["tier"]) >= RANK.index(before["tier"])
    assert Decimal(after["coverage"]) >= Decimal(before["coverage"])
    assert before["next_best_source"] in {*missing, added, None}


def test_a_source_whose_checks_fail_does_lower_the_tier() -> None:
    """The control: declared revenue of a tenth."""
    document = changed(small)
    document["tax"]["vat_returns"][0]["declared"] = ["28200.00"] * 8
    found = to_expected(evaluated(document), "control")
    assert RANK.index(found["tier"]) < RANK.index(small_seller()["tier"])


@cache
def ground() -> tuple[Ground, Evaluation]:
    evaluation = evaluated(changed(small))
    found = evaluation.findings
    assert found is not None
    material = Material(evaluation.dossier, found.features, found.verdict)
    names = {**{name: Known.of(one) for name, one in found.features.items()}, **known_inputs(material)}
    return Ground(evaluation.dossier, load_policy("S03"), names, found.observers, found.verdict.tau, "OPERATING"), evaluation


def limit_at(revenue: Decimal) -> Limit:
    """The limit if verified revenue were this, all else equal."""
    basis, evaluation = ground()
    assert evaluation.findings and evaluation.findings.price
    names = {**basis.names, "verified_revenue": Known(revenue, None, numeric=True)}
    limit = calculate(Ground(basis.dossier, basis.policy, names, basis.observers, basis.tau, basis.purpose), evaluation.findings.price)
    assert limit is not None
    return limit


@BOUNDED
@given(st.integers(0, 3_000_000_00), st.integers(0, 3_000_000_00))
def test_limits_never_fall_when_verified_revenue_rises(one: int, other: int) -> None:
    lower, higher = sorted((Decimal(one) / 100, Decimal(other) / 100))
    below, above = limit_at(lower), limit_at(higher)
    assert below.base_limit <= above.base_limit and below.final_limit <= above.final_limit
    assert below.final_limit <= lower / 5 and below.final_limit % 1000 == 0


def test_the_revenue_cap_is_what_moves_them() -> None:
    """REVENUE .20·VR and DEBT .50·VR - 60,000: at 100,000 the debt cap is negative and counts as 0, at 150,000 it is 15,000."""
    assert (limit_at(Decimal(100_000)).final_limit, limit_at(Decimal(100_000)).binding) == (0, ("K03",))
    assert (limit_at(Decimal(150_000)).final_limit, limit_at(Decimal(150_000)).binding) == (15_000, ("K03",))
    assert (limit_at(Decimal(500_000)).final_limit, limit_at(Decimal(500_000)).binding) == (100_000, ("K02",))
