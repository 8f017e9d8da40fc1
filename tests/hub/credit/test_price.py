"""What an offer costs: by grade and tier alone, and with everything that is to be paid for it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sandbox.persona import Persona
from hub.credit import policies
from hub.credit.evaluate import Evaluation, Request, evaluate
from hub.credit.policy import Policy, load_policy, read_policy
from hub.credit.scenario.cost import all_in_cost, cost_of, owed_years
from hub.errors import PolicyInvalid
from tests.hub.credit.dossiers import dossier_of
from tests.hub.credit.scenario_customers import CUSTOMERS, customer

FUND = {"kind": "GUARANTEE", "yearly": "0.0100", "guarantee": "PUBLIC_GUARANTEE", "source": "tariff of the fund"}


def with_fees(scenario: str, *fees: dict[str, str]) -> Policy:
    return read_policy({**policies.document(scenario), "fees": list(fees)})


@cache
def made(scenario: str) -> Evaluation:
    return evaluate(dossier_of(Persona.model_validate(customer(scenario))), load_policy(scenario), Request())


@pytest.mark.parametrize(
    ("scenario", "fees", "months", "guarantee", "cost"),
    [
        ("S02", [], 12, "UNSECURED", "0.0600"),
        ("S02", [{"kind": "INSURANCE", "once": "0.0100"}], 12, "UNSECURED", "0.0700"),  # all of it owed for a year
        ("S02", [{"kind": "INSURANCE", "once": "0.0100"}], 6, "UNSECURED", "0.0800"),  # for half of one
        ("S03", [{"kind": "INSURANCE", "once": "0.0100"}], 12, "UNSECURED", "0.0785"),  # paid off in equal parts: 13/24 years
        ("S12", [FUND], 24, "PUBLIC_GUARANTEE", "0.0788"),  # an instalment is .0443206, so 1.0616 years are owed
        ("S12", [FUND], 24, "UNSECURED", "0.0600"),  # of another guarantee
    ],
)
@pytest.mark.law("助贷 2025-9: all-in cost")
def test_fees_are_spread_over_what_is_owed(scenario: str, fees: list[dict[str, str]], months: int, guarantee: str, cost: str) -> None:
    found = all_in_cost(with_fees(scenario, *fees), Decimal("0.06"), months, guarantee)
    assert found.quantize(Decimal("0.0001")) == Decimal(cost)


@given(
    rate=st.decimals("0.01", "0.36", places=4),
    months=st.integers(1, 36),
    kind=st.sampled_from(["EQUAL_INSTALMENT", "EQUAL_PRINCIPAL", "BULLET", "DAILY_SHARE"]),
)
def test_what_is_owed_lies_between_half_and_all_of_the_term(rate: Decimal, months: int, kind: str) -> None:
    assert Decimal(months) / 24 < owed_years(kind, rate, months) <= Decimal(months + 1) / 12


@pytest.mark.parametrize(
    ("fee", "said"),
    [
        (
            {"kind": "PLATFORM", "once": "0.01"},
            "fees.0..kind: 'PLATFORM' may not be taken from a borrower: a platform is paid by the lender",
        ),
        ({"kind": "GUARANTEE"}, "is paid once or yearly"),
        ({"kind": "GUARANTEE", "once": "-0.01"}, "fees.0..once: is no share from 0 to 1"),
        ({"kind": "GUARANTEE", "once": "0.01", "guarantee": "GUARANTEE_FUND"}, "is no guarantee of this policy"),
    ],
)
@pytest.mark.law("助贷 2025-9: all-in cost")
def test_fees_that_may_not_be_are_refused(fee: dict[str, str], said: str) -> None:
    with pytest.raises(PolicyInvalid, match=said):
        with_fees("S12", fee)


@pytest.mark.law("助贷 2025-9: all-in cost")
def test_wherever_there_is_a_rate_there_is_a_cost() -> None:
    priced = [one for scenario in CUSTOMERS if (one := made(scenario)).findings and one.findings.price]
    assert len(priced) >= 8
    assert [one.policy.id for one in priced if cost_of(one) is None] == []


def rates(found: list[Evaluation]) -> dict[Any, set[Decimal]]:
    """By grade, tier and whether anything was earned."""
    by = defaultdict[Any, set[Decimal]](set)
    for one in found:
        if one.findings and one.findings.price and one.findings.limit:
            by[one.findings.score.grade, one.findings.verdict.tier, one.findings.limit.effective > 0].add(one.findings.price.rate)
    return by


@pytest.mark.law("PIPL 24: price")
def test_one_grade_and_tier_have_one_rate_whoever_it_is() -> None:
    """Firms, a café, an employee, a farmer and a newcomer; other ages, places and industries. Control: a rate that knows more is found."""
    found = [made(scenario) for scenario in CUSTOMERS]
    assert {len(rates) for rates in rates(found).values()} == {1}
    one = next(mine for mine in found if rates([mine]))
    assert one.findings and one.findings.price
    dearer = replace(one, findings=replace(one.findings, price=replace(one.findings.price, rate=Decimal("0.2"))))
    assert max(len(rates) for rates in rates([*found, dearer]).values()) == 2
