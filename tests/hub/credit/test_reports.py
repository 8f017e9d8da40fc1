"""What the institution is told of its own lending: sums, against dated limits, and of nobody in particular."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.credit.concentration import JointLoan, concentration
from hub.credit.fairness import ALL, Cell, Counted, fairness, least
from hub.credit.reference import check_reference

LIMITS = {
    "tier_1_net_capital": "1000000",
    "loans_in_all": "2000000",
    "most_of_capital_per_partner": "0.25",
    "most_of_loans_in_all": "0.50",
    "least_funded_by_partner": "0.30",
}


def loan(number: str, partner: str, balance: int, share: str = "0.30") -> JointLoan:
    return JointLoan(number, partner, Decimal(balance), Decimal(share))


@pytest.mark.law("互联网贷款 2021-24: partners")
def test_what_is_lent_with_a_partner_is_held_against_the_limits() -> None:
    """Of 500,000 with a third of it the partner's 250,000 are just allowed, .25 of the capital; a fen more is too much."""
    kept = concentration([loan("1", "a", 500_000, "0.5"), loan("2", "b", 10_000, "0.3")], LIMITS)
    assert [(one.partner, one.ours, one.of_capital, one.too_much) for one in kept.partners] == [
        ("a", Decimal(250_000), Decimal("0.25"), False),
        ("b", Decimal(7_000), Decimal("0.007"), False),
    ]
    assert (kept.ours, kept.of_all_loans, kept.kept) == (Decimal(257_000), Decimal("0.1285"), True)
    assert not concentration([loan("1", "a", 500_001, "0.5")], LIMITS).kept
    below = concentration([loan("1", "a", 100, "0.2999"), loan("2", "a", 100)], LIMITS)
    assert (below.partners[0].below, below.kept) == (("1",), False)
    assert not concentration(
        [loan(str(number), str(number), 210_000, "0") for number in range(5)], {**LIMITS, "least_funded_by_partner": "0"}
    ).kept, "of all loans"


def test_without_limits_nothing_is_judged() -> None:
    found = concentration([loan("1", "a", 10**9, "0")], None)
    assert (found.partners[0].of_capital, found.of_all_loans, found.kept) == (None, None, True)


def test_the_limits_are_a_document_with_a_source() -> None:
    text = '{"source": "notice 2021-24", "effective_from": "2026-01-01", "documents": {"joint_lending": %s}}'
    assert check_reference(text % str(LIMITS).replace("'", '"')) == []
    spoiled = {**LIMITS, "tier_1_net_capital": "0", "most_of_loans_in_all": "1.5"}
    found = check_reference(text % str(spoiled).replace("'", '"'))
    assert [one.where for one in found] == ["documents.joint_lending.tier_1_net_capital", "documents.joint_lending.most_of_loans_in_all"]


def cells(*counts: tuple[str, int, int, int]) -> dict[str, Cell]:
    """Of the axis of sizes, and of everybody."""
    sizes = [Counted("size_class", name, decided, approved, Decimal(limits)) for name, decided, approved, limits in counts]
    everybody = Counted(
        ALL, "", sum(one.decided for one in sizes), sum(one.approved for one in sizes), sum((one.limits for one in sizes), Decimal(0))
    )
    return {one.segment or ALL: one for one in fairness([*sizes, everybody])}


@pytest.mark.law("fairness: report")
def test_rates_and_means_by_segment() -> None:
    found = cells(("MICRO", 30, 20, 2_000_000), ("SMALL", 20, 5, 1_000_000))
    assert (found[ALL].decided, found[ALL].approval_rate, found[ALL].mean_limit) == (50, Decimal("0.5000"), Decimal("120000.00"))
    micro, small = found["MICRO"], found["SMALL"]
    assert (micro.approval_rate, micro.mean_limit, micro.to_all) == (Decimal("0.6667"), Decimal("100000.00"), Decimal("1.3334"))
    assert (small.approval_rate, small.mean_limit, small.to_all) == (Decimal("0.2500"), Decimal("200000.00"), Decimal("0.5000"))


@pytest.mark.law("fairness: report")
def test_few_customers_are_not_told_and_cannot_be_worked_out() -> None:
    found = cells(("MICRO", 40, 20, 0), ("SMALL", 20, 5, 0), ("MEDIUM", 3, 3, 0))
    assert {name for name, one in found.items() if not one.told} == {"SMALL", "MEDIUM"}, "the next smallest with it"
    assert found["MEDIUM"] == Cell("size_class", "MEDIUM", told=False)
    found = cells(("MICRO", 40, 20, 0), ("SMALL", 6, 5, 0), ("MEDIUM", 5, 3, 0))
    assert {name for name, one in found.items() if not one.told} == {"SMALL", "MEDIUM"}, "eleven together"
    assert not cells(("MICRO", 4, 2, 0))[ALL].told


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8))
def test_what_is_left_of_everybody_is_never_few(sizes: list[int]) -> None:
    found = cells(*((str(number), size, 0, 0) for number, size in enumerate(sizes)))
    if found[ALL].told and any(not one.told for one in found.values()):
        told = sum(one.decided or 0 for name, one in found.items() if name != ALL)
        assert sum(sizes) - told >= least()
    assert all(one.told is False or (one.decided or 0) >= least() for one in found.values())
