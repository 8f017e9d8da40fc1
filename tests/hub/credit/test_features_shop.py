"""D7 and the other features of a shop."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import Settlement, Shop, ShopScore
from hub.domain.periods import Month, first_day, last_day, window
from tests.hub.credit.made import AS_OF, PLAIN, SHOP, YEAR, covering, fact, made, measures, monthly, shop, state, value

N, K = MissingReason, SourceKind
SHOP_FEATURES = [
    "cb_buyer_count",
    "cb_repeat_rate",
    "cb_orders_per_month",
    "cb_positive_rate",
    "cb_shop_score",
    "cb_sell_through",
    "cb_city_entropy",
    "cb_address_concentration",
    "cb_off_hours_share",
    "cb_dispute_rate",
    "ss_refund_rate",
    "cs_take_rate",
]


@pytest.mark.parametrize("feature", SHOP_FEATURES)
def test_without_a_shop(feature: str) -> None:
    """A manufacturer has none; in a scenario that names SHOP it is a missing source. A shop whose consent ended was there."""
    assert value(made(on=(K.SETTLEMENT,)), feature, PLAIN) is N.NOT_APPLICABLE
    assert value(made(on=(K.SETTLEMENT,)), feature, SHOP) is N.NOT_CONNECTED
    ended = made(states=(state(K.SHOP, reason=N.CONSENT_REVOKED),))
    assert value(ended, feature, PLAIN) is N.CONSENT_REVOKED


def with_orders(**values: Any) -> Any:
    return shop([100] * 12, orders=measures(**values))


def test_buyers() -> None:
    dossier = with_orders(buyers=200, repeat_buyers=50)
    assert value(dossier, "cb_buyer_count") == 200
    assert value(dossier, "cb_repeat_rate") == Decimal("0.25")
    unknown = with_orders(buyers=None, repeat_buyers=None)
    assert value(unknown, "cb_buyer_count") is value(unknown, "cb_repeat_rate") is N.INSUFFICIENT_COVERAGE
    assert value(with_orders(buyers=0, repeat_buyers=0), "cb_repeat_rate") is N.ZERO_DENOMINATOR


@pytest.mark.parametrize(("orders", "concentration"), [(50, Decimal("0.1")), (49, N.INSUFFICIENT_COVERAGE)])
def test_concentration_needs_fifty_orders(orders: int, concentration: object) -> None:
    assert value(with_orders(orders_w3=orders, top_address_orders=5), "cb_address_concentration") == concentration


@pytest.mark.parametrize(("orders", "entropy"), [(100, 1), (99, N.INSUFFICIENT_COVERAGE)])
def test_entropy_needs_a_hundred_orders(orders: int, entropy: object) -> None:
    assert value(with_orders(orders_w3=orders, city_orders={"a": 50, "b": 50}), "cb_city_entropy") == entropy


def test_one_city_is_no_spread_and_an_unknown_address_no_concentration() -> None:
    assert value(with_orders(orders_w3=100, city_orders={"a": 100}), "cb_city_entropy") == 0
    assert value(with_orders(orders_w3=100, top_address_orders=None), "cb_address_concentration") is N.INSUFFICIENT_COVERAGE


def test_off_hours() -> None:
    assert value(with_orders(orders_w3=200, off_hours_orders=30), "cb_off_hours_share") == Decimal("0.15")
    assert value(with_orders(orders_w3=0), "cb_off_hours_share") is N.ZERO_DENOMINATOR


def test_single_orders_are_needed_for_what_only_they_tell() -> None:
    """Nine of twelve months by summary: sales are known, buyers are not; the last three months still tell cities."""
    recent = frozenset(window(AS_OF, 3))
    dossier = with_orders(months=recent, buyers=9, repeat_buyers=3, orders_w3=100, city_orders={"a": 100})
    assert value(dossier, "ss_net_sales") == 1200
    assert value(dossier, "cb_buyer_count") is N.INSUFFICIENT_COVERAGE
    assert value(dossier, "cb_city_entropy") == 0
    two = with_orders(months=frozenset(window(AS_OF, 2)), orders_w3=100, city_orders={"a": 100})
    assert value(two, "cb_city_entropy") is N.INSUFFICIENT_COVERAGE


def test_orders_per_month() -> None:
    assert value(made(on=(K.SHOP,), amounts={"ORDERS": monthly([10] * 6)}), "cb_orders_per_month") == 10
    gap = state(K.SHOP, *covering(gaps=("2025-10",)))
    orders = {month: count for month, count in monthly([10] * 6).items() if month != "2025-10"}
    assert value(made(states=(gap,), amounts={"ORDERS": orders}), "cb_orders_per_month") == 10


def test_refund_rate() -> None:
    assert value(shop([100] * 12, [5] * 6), "ss_refund_rate") == Decimal("0.05")
    assert value(shop([0] * 12), "ss_refund_rate") is N.ZERO_DENOMINATOR


def score(day: str, *parts: str, number: str = "1") -> ShopScore:
    values = dict(zip(("description", "service", "logistics"), map(Decimal, parts), strict=True))
    return fact(ShopScore, measured_on=date.fromisoformat(day), shop_number=number, **values)


def test_the_latest_score_counts_and_of_it_the_smallest_part() -> None:
    rows = [score("2026-01-19", "4.9", "4.7", "4.8"), score("2025-12-01", "4.1", "4.1", "4.1")]
    assert value(made(*rows), "cb_shop_score") == Decimal("4.7")
    assert value(made(*rows, score("2026-01-01", "4.6", "4.9", "4.9", number="2")), "cb_shop_score") == Decimal("4.6")
    assert value(made(on=(K.SHOP,)), "cb_shop_score") is N.INSUFFICIENT_COVERAGE


def test_sell_through() -> None:
    assert value(made(fact(Shop, skus_listed=50, skus_sold=41)), "cb_sell_through") == Decimal("0.82")
    assert value(made(fact(Shop)), "cb_sell_through") is N.INSUFFICIENT_COVERAGE
    assert value(made(fact(Shop, skus_listed=0, skus_sold=0)), "cb_sell_through") is N.ZERO_DENOMINATOR


def statement(month: str, fee: int = 5, settled: int = 8) -> Settlement:
    first = first_day(Month(month))
    following = last_day(Month(month)).toordinal() + settled
    parts = {"commission": Decimal(fee - 2), "ad_fee": Decimal(1), "other_fee": Decimal(1), "settled_on": date.fromordinal(following)}
    return fact(Settlement, settlement_number=month, period_start=first, period_end=last_day(Month(month)), **parts)


def with_statements(*months: str, gmv: Any = None) -> Any:
    return made(
        *(statement(month) for month in months), on=(K.SHOP,), amounts={"GMV": monthly(gmv or [110] * 12), "REF": monthly([10] * 12)}
    )


def test_take_rate_over_settled_months() -> None:
    assert value(with_statements(*YEAR), "cs_take_rate") == Decimal("0.05")
    assert value(with_statements(*YEAR[2:]), "cs_take_rate") == Decimal("0.05")
    assert value(with_statements(*YEAR[3:]), "cs_take_rate") is N.INSUFFICIENT_COVERAGE
    assert value(shop([100] * 12), "cs_take_rate") is N.NOT_CONNECTED


def test_settlement_lag_is_weighted_with_what_was_completed() -> None:
    """November: 100 completed on day 10 (offset 9), settled 8 December (offset 37): 28 days. December: 300 at offset 19, settled at 38: 19 days."""
    completed = {month: (Decimal(0), Decimal(0)) for month in window(AS_OF, 6)}
    completed |= {Month("2025-11"): (Decimal(100), Decimal(900)), Month("2025-12"): (Decimal(300), Decimal(300 * 19))}
    dossier = made(*(statement(month) for month in YEAR), on=(K.SHOP,), orders=measures(completed=completed))
    assert value(dossier, "ps_settlement_lag") == Decimal(100 * 28 + 300 * 19) / 400
    assert value(made(*(statement(month) for month in YEAR), on=(K.SHOP,)), "ps_settlement_lag") is N.INSUFFICIENT_COVERAGE
