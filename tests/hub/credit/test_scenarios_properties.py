"""What holds in every scenario: money scales, verified revenue never lowers a limit, what is missing is never zero, what agrees never harms.

On the customers of :mod:`tests.hub.credit.scenario_customers`, whose checks all pass; S03 is in :mod:`tests.hub.credit.test_properties`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.sandbox.persona import Persona
from connectors.sandbox.sections.tax import BALANCE, MOVEMENTS, RESULT
from hub.credit import policies
from hub.credit.dossier import Dossier
from hub.credit.evaluate import Evaluation, Request, evaluate
from hub.credit.expected import to_expected
from hub.credit.expressions import Known
from hub.credit.features import accounts
from hub.credit.policy import Policy, load_policy, read_policy
from hub.credit.scenario.caps import Ground
from hub.credit.scenario.inputs import Material, known_inputs
from hub.credit.scenario.limit import Limit, calculate
from hub.domain.facts import PaymentTransaction
from hub.domain.periods import Month, china_day, month_of
from tests.hub.credit.dossiers import dossier_of
from tests.hub.credit.scenario_customers import CUSTOMERS, customer, result_with
from tests.hub.credit.test_scenarios_firms import with_research
from tests.hub.credit.variants import Document
from tests.personas import NAMES, document_of

SCENARIOS = sorted(CUSTOMERS)
RANK = ("CONFLICT", "UNVERIFIED", "LOW", "MEDIUM", "HIGH")
BOUNDED = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MONEY = re.compile(r"-?[0-9]+(\.[0-9]+)?")
AMOUNTS = {
    "amounts", "net", "declared", "wages", "base", "balance", "monthly_due", "opening_balance", "amount", "confirmed", "invoiced", "price", "input_cost",
    "unit_price", "total", "exempt", "floor", "ceiling", *BALANCE, *RESULT, *MOVEMENTS,
}  # fmt: skip
FIXED = {"STAFF", "FIXED", "CLASS", "PROGRAMME", "PRODUCT", "ORDERS"}
"""Legs and caps that are no multiple of the customer's money. ORDERS is one until a buyer's part is cut at half of PRODUCT."""


def scaled(document: Document, factor: int) -> Document:
    """Every amount of the customer times a whole number. Areas, yields, shares and counts are no amounts."""

    def scale(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: scale(child, key) for key, child in value.items()}
        if isinstance(value, list):
            return [scale(child, name) for child in value]
        money = name in AMOUNTS and isinstance(value, str) and MONEY.fullmatch(value)
        return f"{Decimal(value) * factor:f}" if money else value

    found: Document = scale(document)
    return found


def evaluation(scenario: str, *missing: str, factor: int = 1, policy: Policy | None = None) -> Evaluation:
    document = scaled(customer(scenario), factor)
    for name in missing:
        del document["sources"][name]
    dossier: Dossier = dossier_of(Persona.model_validate(document))
    if scenario == "S11":
        dossier = with_research(dossier, 90_000 * factor, 2_000_000 * factor)
    return evaluate(dossier, policy or load_policy(scenario), Request())


@cache
def made(scenario: str, *missing: str, factor: int = 1) -> dict[str, Any]:
    return to_expected(evaluation(scenario, *missing, factor=factor), scenario)


def scaling(found: dict[str, Any]) -> dict[str, Decimal]:
    """The legs and caps that are multiples of the customer's money."""
    limit = found["limit"]
    return {name: Decimal(value) for name, value in {**limit["legs"], **limit["caps"]}.items() if name not in FIXED and value is not None}


def test_orders_scale_until_a_buyers_part_is_cut() -> None:
    """2·378,500; at 100 times both buyers' parts are above 1,500,000."""
    assert made("S09", factor=2)["limit"]["legs"] == {"ORDERS": "757000.00"}
    assert made("S09", factor=100)["limit"]["legs"] == {"ORDERS": "3000000.00"}


@pytest.mark.parametrize("factor", [2, 100])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_money_scales_until_something_fixed_binds(scenario: str, factor: int) -> None:
    """All amounts times k: every ratio, check, point and rate stays, every leg and cap of money grows k times, and so does the limit below what is fixed."""
    one, many = made(scenario), made(scenario, factor=factor)
    same = ("eligibility", "dimensions", "consistency", "coverage", "tier", "score", "price", "term_months")
    assert {key: many[key] for key in same} == {key: one[key] for key in same}
    grown = scaling(many)
    assert set(grown) == set(scaling(one))
    assert [name for name, amount in scaling(one).items() if abs(grown[name] - factor * amount) > Decimal("0.01") * factor] == []
    before, caps = Decimal(many["limit"]["before_caps"]), [Decimal(value) for value in many["limit"]["caps"].values() if value is not None]
    assert Decimal(many["limit"]["final_limit"]) == min(before, *caps) // 1000 * 1000
    legs = {name: Decimal(value) for name, value in many["limit"]["legs"].items() if value is not None}
    if min(legs, key=lambda name: legs[name]) not in FIXED:
        assert abs(before - factor * Decimal(one["limit"]["before_caps"])) <= Decimal("0.01") * factor


def test_the_scaling_test_would_notice_what_does_not_scale() -> None:
    """The control: an amount that is left alone."""
    document = scaled(customer("S02"), 7)
    document["invoices"]["output"][0]["net"] = customer("S02")["invoices"]["output"][0]["net"]
    found = to_expected(evaluate(dossier_of(Persona.model_validate(document)), load_policy("S02"), Request()), "control")
    assert found["dimensions"] != made("S02")["dimensions"]


@cache
def ground(scenario: str) -> tuple[Ground, Evaluation]:
    one = evaluation(scenario)
    found = one.findings
    assert found is not None
    material = Material(one.dossier, found.features, found.verdict, "OPERATING", found.observers)
    names = {**{name: Known.of(feature) for name, feature in found.features.items()}, **known_inputs(material)}
    return Ground(one.dossier, one.policy, names, found.observers, found.verdict.tau, "OPERATING"), one


def limit_at(scenario: str, revenue: Decimal) -> Limit:
    """The limit if verified revenue were this, all else equal."""
    basis, one = ground(scenario)
    assert one.findings and one.findings.price
    names = {**basis.names, "verified_revenue": Known(revenue, None, numeric=True), "aligned_months": Known(12, None, numeric=True)}
    limit = calculate(Ground(basis.dossier, basis.policy, names, basis.observers, basis.tau, basis.purpose), one.findings.price)
    assert limit is not None
    return limit


@BOUNDED
@given(st.sampled_from(SCENARIOS), st.integers(0, 50_000_000_00), st.integers(0, 50_000_000_00))
def test_limits_never_fall_when_verified_revenue_rises(scenario: str, one: int, other: int) -> None:
    lower, higher = sorted((Decimal(one) / 100, Decimal(other) / 100))
    below, above = limit_at(scenario, lower), limit_at(scenario, higher)
    assert below.base_limit <= above.base_limit and below.final_limit <= above.final_limit
    assert below.final_limit >= 0 and below.final_limit % 1000 == 0


BY_REVENUE = {"S01", "S02", "S04", "S06", "S08", "S09", "S10", "S11", "S12"}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_verified_revenue_is_what_moves_them(scenario: str) -> None:
    """The control: from nothing to 50 million the limit rises where the scenario looks at revenue, and only there."""
    assert (limit_at(scenario, Decimal(0)).final_limit < limit_at(scenario, Decimal(50_000_000)).final_limit) == (scenario in BY_REVENUE)


def required(scenario: str) -> set[str]:
    """Sources without which the gate is closed, whatever else there is."""
    return {str(need.kind) for need in load_policy(scenario).sources if not need.alternatives}


def optional(scenario: str) -> list[str]:
    return sorted(set(customer(scenario)["sources"]) - required(scenario))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_missing_required_source_closes_the_gate(scenario: str) -> None:
    for name in sorted(required(scenario)):
        found = made(scenario, name)
        assert (found["outcome"], found["reasons"], found["limit"], found["features"]) == ("INSUFFICIENT_DATA", ["G03"], None, None)


CARRIED_ON = {
    "cs_wage_ratio", "cs_social_cost_ratio", "ps_purchase_amount", "ps_purchase_to_sales", "rr_gross_margin", "rr_verified_revenue", "rr_debt_to_revenue",
    "rr_expected_loss_rate", "rr_risk_adjusted_margin", "op_employer_changes", "op_local_months", "rr_dscr", "ss_net_sales", "ss_avg_net_sales_6m", "ss_min_month",
    "ss_cv", "ss_trend", "ss_zero_months", "ss_active_months", "ss_peak_ratio", "cs_rent_ratio", "cs_logistics_ratio", "cs_utility_ratio",
    "ps_low_balance_days",
}  # fmt: skip
"""Features that another source may carry on, or that rest on the cross-check or on a sales series that does."""


def as_if_zero(whole: dict[str, Any], less: dict[str, Any]) -> list[str]:
    """Features that turned into a number, or into a null of another reason than that the source is not there."""
    turned = {name for name, value in less["features"].items() if value != whole["features"][name]} - CARRIED_ON
    fair = ("NOT_CONNECTED", "NOT_APPLICABLE")
    return sorted(
        name for name in turned if less["features"][name]["value"] is not None or less["features"][name]["missing_reason"] not in fair
    )


def test_a_zero_in_place_of_a_null_would_be_noticed() -> None:
    """The control: invoices that are not connected, but count as if they were there and empty."""
    document = customer("S04")
    document["invoices"]["output"] = []
    empty = to_expected(evaluate(dossier_of(Persona.model_validate(document)), load_policy("S04"), Request()), "control")
    assert as_if_zero(made("S04"), made("S04", "INVOICE")) == []
    assert "ps_purchase_amount" not in (found := as_if_zero(made("S04"), empty)) and len(found) > 2


@st.composite
def losses(draw: st.DrawFn) -> tuple[str, tuple[str, ...]]:
    scenario = draw(st.sampled_from([name for name in SCENARIOS if optional(name)]))
    return scenario, tuple(sorted(draw(st.sets(st.sampled_from(optional(scenario)), min_size=1))))


@BOUNDED
@given(losses())
def test_a_missing_source_is_never_as_if_zero(loss: tuple[str, tuple[str, ...]]) -> None:
    """Each feature is what it was, carried on by another source, or null with a reason; no check passes or fails for want of data, and nothing is earned by it."""
    scenario, missing = loss
    whole, less = made(scenario), made(scenario, *missing)
    if less["features"] is None:
        assert less["outcome"] == "INSUFFICIENT_DATA"
        return
    assert as_if_zero(whole, less) == []
    lost = {name for name, check in less["checks"].items() if check["status"] != whole["checks"][name]["status"]}
    assert {less["checks"][name]["status"] for name in lost} <= {"UNAVAILABLE", "NOT_APPLICABLE"}
    assert less["eligibility"]["failed"] == []
    if less["limit"] and whole["limit"]:
        earned = [(one["earned"], other["earned"]) for one, other in zip(less["limit"]["uplifts"], whole["limit"]["uplifts"], strict=True)]
        assert all(before or not now for now, before in earned)


@BOUNDED
@given(losses(), st.data())
def test_a_source_whose_checks_pass_never_lowers_tier_or_uplift(loss: tuple[str, tuple[str, ...]], data: st.DataObject) -> None:
    scenario, missing = loss
    added = data.draw(st.sampled_from(missing))
    before, after = made(scenario, *missing), made(scenario, *(name for name in missing if name != added))
    if before["tier"] is None or after["tier"] is None:
        assert before["tier"] is None, "a source that is there never closes a gate"
        return
    assert Decimal(after["tau"]) >= Decimal(before["tau"])
    if load_policy(scenario).frame.revenue != "OPTIONAL":
        # Where R is optional, two observers bring R in, and with it what R still lacks: HIGH at half the uplift may become MEDIUM, at the same half.
        assert RANK.index(after["tier"]) >= RANK.index(before["tier"])
        assert Decimal(after["coverage"]) >= Decimal(before["coverage"])


ORDERED = {name: (persona, dossier_of(persona)) for name in NAMES for persona in [Persona.model_validate(document_of(name))]}


def in_disorder(name: str, by: Random) -> dict[str, Any]:
    """The evaluation of a golden persona whose records lie in another order."""
    persona, dossier = ORDERED[name]

    def shuffled(rows: Any) -> list[Any]:
        found = list(rows)
        by.shuffle(found)
        return found

    facts = {kind: tuple(shuffled(rows)) for kind, rows in shuffled(dossier.facts.items())}
    amounts = {series: dict(shuffled(months.items())) for series, months in shuffled(dossier.amounts.items())}
    other = replace(dossier, facts=facts, amounts=amounts)
    return to_expected(evaluate(other, load_policy(persona.scenario), Request()), name)


@BOUNDED
@given(st.sampled_from(NAMES), st.randoms(use_true_random=False))
def test_the_order_of_records_changes_nothing(name: str, by: Random) -> None:
    """As pages and syncs may come in any order (through the store: tests/hub/store/test_dossier.py and test_months.py)."""
    assert in_disorder(name, by) == result_with(document_of(name))


def test_a_formula_that_took_records_as_they_come_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: movements that are not put into the order of their time."""

    def as_they_come(dossier: Dossier) -> list[tuple[Month, PaymentTransaction]]:
        return [(month_of(china_day(one.at)), one) for one in dossier.of(PaymentTransaction)]

    monkeypatch.setattr(accounts, "movements", as_they_come)
    whole = result_with(document_of("noodle-shop"))
    assert any(in_disorder("noodle-shop", Random(number)) != whole for number in range(3))


def test_a_limit_that_fell_with_revenue_would_be_noticed() -> None:
    """The control of the property above: a policy that gives less to whom has more."""
    document = deepcopy(policies.document("S01"))
    document["legs"] = [{"id": "REVENUE", "amount": "1000000 - 0.15 * verified_revenue"}]
    basis, one = ground("S01")
    assert one.findings and one.findings.price
    found = []
    for revenue in (Decimal(3_000_000), Decimal(4_000_000)):
        names = {**basis.names, "verified_revenue": Known(revenue, None, numeric=True)}
        made_of = Ground(basis.dossier, read_policy(document), names, basis.observers, basis.tau, basis.purpose)
        found.append(calculate(made_of, one.findings.price))
    assert found[0] and found[1] and found[0].base_limit > found[1].base_limit


DISAGREES: dict[str, Callable[[Document], Any]] = {
    "S02": lambda one: one["tax"]["vat_returns"][0].update(declared=["16800.00"] * 24),
    "S05": lambda one: one["tax"]["personal_income"][0].update(amounts=["80000.00"] * 12),
}


@pytest.mark.parametrize("scenario", DISAGREES)
def test_a_source_whose_checks_fail_does_lower_the_tier(scenario: str) -> None:
    """The control."""
    document = customer(scenario)
    DISAGREES[scenario](document)
    found = to_expected(evaluate(dossier_of(Persona.model_validate(document)), load_policy(scenario), Request()), "control")
    assert RANK.index(found["tier"]) < RANK.index(made(scenario)["tier"])
