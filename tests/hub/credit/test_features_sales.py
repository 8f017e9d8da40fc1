"""The sales series S and the D4 features made of it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hub.credit.features import SeriesProfile, compute_features, r_vat, sales_series
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import Invoice, PaymentAccount, Shop, TaxpayerProfile, TaxReturn
from hub.domain.periods import Month, first_day, last_day
from tests.hub.credit.made import OWN, PLAIN, SHOP, TAX, YEAR, covering, fact, made, monthly, shop, state, value

N = MissingReason
STEADY = [100] * 24


def returned(month: str, amount: object, months: int = 1, **more: Any) -> TaxReturn:
    end = Month(month)
    start = Month(f"{month[:4]}-{int(month[5:]) - months + 1:02d}")
    return fact(
        TaxReturn,
        tax_kind="VAT",
        period_start=first_day(start),
        period_end=last_day(end),
        filed_on=date(2026, 1, 10),
        declared_revenue=Decimal(str(amount)),
        **more,
    )


def profile(frequency: str | None = "MONTH", kind: str | None = "SMALL_SCALE") -> TaxpayerProfile:
    return fact(TaxpayerProfile, vat_frequency=frequency, taxpayer_type=kind)


MONTHLY_TAX = tuple(returned(month, 50) for month in YEAR)


def test_trade_is_sales_less_refunds_with_vat() -> None:
    series = sales_series(shop([100] * 12, [10] * 12), SHOP)
    assert (series.source, series.vat_included, series.missing) == ("TRADE", True, None)
    assert [series.months[month] for month in YEAR] == [Decimal(90)] * 12


def test_the_fixed_source_comes_first() -> None:
    both = shop(STEADY, on=(SourceKind.TAX,))
    assert sales_series(made(profile(), *MONTHLY_TAX, on=(SourceKind.SHOP,)), TAX).source == "TAX"
    assert sales_series(both, SHOP).source == "TRADE"
    assert sales_series(made(profile(), *MONTHLY_TAX, on=(SourceKind.SHOP,)), PLAIN).source == "TRADE"


def test_without_monthly_values_the_next_readable_source_is_taken() -> None:
    quarterly = made(profile("QUARTER"), returned("2025-03", 300, 3), on=(SourceKind.INVOICE, SourceKind.PAYMENT))
    assert sales_series(quarterly, TAX).source == "INVOICE"
    assert sales_series(quarterly, PLAIN).source == "INVOICE"


def test_a_quarterly_filer_is_told_by_his_returns_when_the_profile_is_silent() -> None:
    silent = made(profile(None), returned("2025-03", 300, 3), on=(SourceKind.PAYMENT,))
    assert sales_series(silent, TAX).source == "CASH"


def test_a_partial_observer_is_left_out_unless_it_is_fixed() -> None:
    partial = made(fact(Shop, scope="PARTIAL"), on=(SourceKind.PAYMENT,), amounts={"GMV": monthly(STEADY)})
    assert sales_series(partial, PLAIN).source == "CASH"
    assert sales_series(partial, SHOP).source == "TRADE"
    both = made(fact(Shop, scope="PARTIAL"), fact(PaymentAccount, scope="PARTIAL"))
    assert sales_series(both, PLAIN).missing is N.NOT_CONNECTED


def test_why_there_is_no_series() -> None:
    revoked = made(states=(state(SourceKind.SHOP, reason=N.CONSENT_REVOKED),))
    assert sales_series(revoked, SHOP).missing is N.CONSENT_REVOKED
    assert sales_series(revoked, PLAIN).missing is N.NOT_CONNECTED
    assert sales_series(shop(STEADY), SeriesProfile(has_sales_series=False)).missing is N.NOT_APPLICABLE


def test_cash_is_receipts_and_payouts() -> None:
    amounts = {"IN.SALES_RECEIPT": monthly([70] * 12), "IN.PLATFORM_PAYOUT": monthly([30] * 12), "IN.LOAN_DISBURSEMENT": monthly([500])}
    series = sales_series(made(on=(SourceKind.PAYMENT,), amounts=amounts), PLAIN)
    assert (series.source, series.vat_included) == ("CASH", True)
    assert {series.months[month] for month in YEAR} == {Decimal(100)}


def test_the_latest_amendment_counts() -> None:
    amended = returned("2025-12", 80, amendment=1)
    dossier = made(profile(), *MONTHLY_TAX, amended)
    assert value(dossier, "ss_net_sales", TAX) == 11 * 50 + 80


def test_an_amendment_filed_after_known_at_does_not() -> None:
    late = fact(
        TaxReturn,
        tax_kind="VAT",
        period_start=date(2025, 12, 1),
        period_end=date(2025, 12, 31),
        amendment=1,
        filed_on=date(2026, 1, 21),
        declared_revenue=Decimal(80),
    )
    assert value(made(profile(), *MONTHLY_TAX, late), "ss_net_sales", TAX) == 600


# VAT


def test_r_vat_of_a_small_scale_taxpayer() -> None:
    assert r_vat(made(profile())) == Decimal("0.01")


def test_r_vat_of_a_general_taxpayer_follows_the_invoices() -> None:
    invoices = [
        fact(Invoice, direction="OUTPUT", status="NORMAL", issued_on=date(2025, 3, 3), net=Decimal(900), tax=Decimal(117)),
        fact(Invoice, direction="OUTPUT", status="NORMAL", issued_on=date(2025, 4, 3), net=Decimal(100), tax=Decimal(6)),
        fact(Invoice, direction="OUTPUT", status="VOIDED", issued_on=date(2025, 4, 3), net=Decimal(999), tax=Decimal(0)),
    ]
    assert r_vat(made(profile(kind="GENERAL"), *invoices)) == Decimal("0.123")


@pytest.mark.parametrize(("section", "rate"), [("C3311", "0.13"), ("F5292", "0.13"), ("E4700", "0.09"), ("I6510", "0.06"), (None, "0.06")])
def test_r_vat_without_invoices_goes_by_section(section: str | None, rate: str) -> None:
    from hub.domain.facts import BusinessRegistration

    uscc = "91330110MA2XXX0280"
    facts = [fact(BusinessRegistration, uscc=uscc, industry_code=section)] if section else []
    assert r_vat(made(profile(kind="GENERAL"), *facts, uscc=uscc)) == Decimal(rate)


def test_an_unknown_taxpayer_type_goes_by_the_kind_of_business() -> None:
    assert r_vat(made()) == Decimal("0.01")
    assert r_vat(made(uscc="91330110MA2XXX0280")) == Decimal("0.06")


# Features of S


def test_sums_means_and_extremes() -> None:
    dossier = shop([*[100] * 6, 0, 120, 240, 120, 120, 120], [20] + [0] * 11)
    assert value(dossier, "ss_net_sales") == 600 - 20 + 720
    assert value(dossier, "ss_avg_net_sales_6m") == 120
    assert value(dossier, "ss_min_month") == 0
    assert value(dossier, "ss_zero_months") == 1
    assert value(dossier, "ss_active_months") == 11
    assert value(dossier, "ss_peak_ratio") == Decimal(240) / (Decimal(1300) / 12)


def test_growth_compares_pairs() -> None:
    dossier = shop([100] * 12 + [110] * 9 + [150] * 3)
    assert value(dossier, "ss_growth_yoy") == Decimal(1440) / 1200 - 1
    assert value(dossier, "ss_growth_3m_yoy") == Decimal("0.5")
    assert value(dossier, "ss_growth_6m_yoy") == Decimal("0.3")


def test_growth_leaves_out_a_month_that_one_year_does_not_cover() -> None:
    """March 2024 is unknown, so March 2025 does not count either: 11 pairs."""
    sales = {**monthly([100] * 12, "2024-12"), **monthly([120] * 12), "2025-03": Decimal(9999)}
    gap = state(SourceKind.SHOP, *covering(gaps=("2024-03",)))
    assert value(made(states=(gap,), amounts={"GMV": sales}), "ss_growth_yoy") == Decimal("0.2")


def test_growth_needs_ten_pairs() -> None:
    gaps = state(SourceKind.SHOP, *covering(gaps=("2024-03", "2024-05", "2025-08")))
    assert value(made(states=(gaps,), amounts={"GMV": monthly(STEADY)}), "ss_growth_yoy") is N.INSUFFICIENT_COVERAGE
    two = state(SourceKind.SHOP, *covering(gaps=("2024-03", "2025-08")))
    assert value(made(states=(two,), amounts={"GMV": monthly(STEADY)}), "ss_growth_yoy") == 0


def test_growth_over_nothing_is_null() -> None:
    assert value(shop([0] * 12 + [100] * 12), "ss_growth_yoy") is N.ZERO_DENOMINATOR


def test_a_covered_month_without_sales_is_zero_and_an_uncovered_one_is_null() -> None:
    """The rule that decides loans: the same eleven months of sales, once with an empty month, once with an unknown one."""
    eleven = {month: amount for month, amount in monthly([100] * 12).items() if month != "2025-06"}
    empty = made(on=(SourceKind.SHOP,), amounts={"GMV": eleven})
    unknown = made(states=(state(SourceKind.SHOP, *covering(gaps=("2025-06",))),), amounts={"GMV": eleven})
    assert (value(empty, "ss_zero_months"), value(unknown, "ss_zero_months")) == (1, 0)
    assert (value(empty, "ss_min_month"), value(unknown, "ss_min_month")) == (0, 100)
    assert (value(empty, "ss_active_months"), value(unknown, "ss_active_months")) == (11, 11)
    assert value(unknown, "ss_cv") == 0


@pytest.mark.parametrize(
    ("feature", "first", "least"),
    [("ss_net_sales", "2025-03", "2025-04"), ("ss_avg_net_sales_6m", "2025-08", "2025-09")],
)
def test_minimum_of_covered_months(feature: str, first: str, least: str) -> None:
    """W12 needs 10 covered months, W6 five."""
    enough, short = (made(states=(state(SourceKind.SHOP, *covering(month)),)) for month in (first, least))
    assert value(enough, feature) == 0
    assert value(short, feature) is N.INSUFFICIENT_COVERAGE


def test_sums_over_part_of_a_window_are_not_scaled_up() -> None:
    dossier = made(states=(state(SourceKind.SHOP, *covering("2025-03")),), amounts={"GMV": monthly([100] * 12)})
    features = compute_features(dossier, SHOP)
    assert (features["ss_net_sales"].value, features["ss_net_sales"].covered) == (1000, 10)
    assert features["ss_peak_ratio"].value == 1


def test_a_mean_that_is_not_positive_has_no_shape() -> None:
    dossier = shop([0] * 12)
    for feature in ("ss_cv", "ss_trend", "ss_peak_ratio"):
        assert value(dossier, feature) is N.ZERO_DENOMINATOR


def test_trend_is_per_month_over_the_mean() -> None:
    assert value(shop(range(1, 13)), "ss_trend") == 1 / Decimal("6.5")


def test_months_beyond_m0_and_the_month_of_as_of_do_not_count() -> None:
    dossier = shop([100] * 12, amounts={"GMV": {**monthly([100] * 12), "2026-01": 5000}})
    assert value(dossier, "ss_net_sales") == 1200


def test_a_scenario_without_sales_series_and_a_person() -> None:
    without = SeriesProfile(has_sales_series=False)
    assert value(shop(STEADY), "ss_net_sales", without) is N.NOT_APPLICABLE
    person = made(uscc=None, on=(SourceKind.SHOP, SourceKind.PAYMENT))
    features = compute_features(person, PLAIN)
    families = {name: one.missing for name, one in features.items() if name.split("_")[0] in ("sc", "ps", "ss", "cs", "cb")}
    assert set(families.values()) == {N.NOT_APPLICABLE}
    assert features["rr_gross_margin"].missing is features["rr_net_operating_cash"].missing is N.NOT_APPLICABLE
    assert person.subject.own_hash == OWN


def test_the_window_and_coverage_of_a_feature() -> None:
    found = compute_features(shop(STEADY), SHOP)
    assert (found["ss_cv"].first, found["ss_cv"].last, found["ss_cv"].covered) == ("2025-01", "2025-12", 12)
    assert (found["ss_growth_yoy"].first, found["ss_growth_yoy"].covered) == ("2024-01", 12)
    assert found["ss_growth_6m_yoy"].first == "2025-07"
    assert found["ss_cv"].formula.startswith("Population standard deviation")
    assert found["ss_cv"].version == "1"
