"""The helper functions, against values worked out by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.credit.maths import corr, cv, dev, entropy, hav, mean, median, slope

amounts = st.decimals(min_value=1, max_value=10**9, places=2)


def decimals(*values: object) -> list[Decimal]:
    return [Decimal(str(value)) for value in values]


def test_cv_is_population_deviation_over_mean() -> None:
    assert cv(decimals(2, 4, 4, 4, 5, 5, 7, 9)) == Decimal("0.4")
    assert cv(decimals(-1, 1)) is None
    assert cv(decimals(-3, 1)) is None
    assert cv([]) is None


def test_dev_is_over_the_larger() -> None:
    assert dev(Decimal(90), Decimal(100)) == Decimal("0.1")
    assert dev(Decimal(100), Decimal(90)) == Decimal("0.1")
    assert dev(Decimal(0), Decimal(0)) is None
    assert dev(Decimal(-5), Decimal(-1)) is None


def test_corr() -> None:
    assert corr(decimals(1, 2, 3), decimals(2, 4, 6)) == 1
    assert corr(decimals(1, 2, 3), decimals(6, 4, 2)) == -1
    assert corr(decimals(1, 2, 3), decimals(5, 5, 5)) is None
    assert corr([], []) is None
    with pytest.raises(ValueError, match="same length"):
        corr(decimals(1, 2), decimals(1))


def test_slope_is_per_month_over_the_mean() -> None:
    assert slope(decimals(1, 2, 3)) == Decimal("0.5")
    assert slope(decimals(10, 10)) == 0
    assert slope(decimals(-1, -2)) is None
    assert slope(decimals(5)) is None


def test_slope_knows_a_hole() -> None:
    """1, 2, (nothing), 4 rises by one a month; without the hole it would rise by one and a half."""
    with_hole = slope(decimals(1, 2, 4), [0, 1, 3])
    assert with_hole == 1 / (Decimal(7) / 3)
    assert with_hole != slope(decimals(1, 2, 4))


def test_hav() -> None:
    """A hundredth of a degree of latitude is R x pi / 18000 = 1.11195 km, wherever on the globe."""
    assert hav(30.0, 120.0, 30.01, 120.0).quantize(Decimal("0.00001")) == Decimal("1.11195")
    assert hav(30.0, 120.0, 30.0, 120.0) == 0
    assert hav(0.0, 0.0, 0.0, 180.0).quantize(Decimal("0.01")) == Decimal("20015.11")


def test_entropy() -> None:
    assert entropy([7, 7, 7]) == 1
    assert entropy([5]) == 0
    assert entropy([5, 0]) == 0
    assert entropy([]) is None
    assert (entropy([3, 1]) or Decimal(0)).quantize(Decimal("0.0001")) == Decimal("0.8113")


def test_mean_and_median() -> None:
    assert mean(decimals(1, 2)) == Decimal("1.5")
    assert mean([]) is None
    assert median(decimals(3, 1, 2)) == 2
    assert median(decimals(4, 1, 2, 3)) == Decimal("2.5")
    assert median([]) is None


@given(st.lists(amounts, min_size=2, max_size=24), st.integers(2, 1000))
def test_shares_do_not_depend_on_the_unit(values: list[Decimal], factor: int) -> None:
    scaled = [value * factor for value in values]
    for helper in (cv, slope):
        one, other = helper(values), helper(scaled)
        assert one is not None and other is not None
        assert abs(one - other) < Decimal("1e-12")


@given(amounts, amounts)
def test_dev_is_a_share(one: Decimal, other: Decimal) -> None:
    found = dev(one, other)
    assert found is not None and 0 <= found < 1
    assert found == dev(other, one)
