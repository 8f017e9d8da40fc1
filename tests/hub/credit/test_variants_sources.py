"""Sellers whose sources are missing, withdrawn, stale, gapped, late: expectations derived by hand from the domain brief.

What all share (brief 8.1): S = NGMV of 2025, Σ 1,464,320; avg6 = 783,760/6 = 130,626.67; min12 = 82,720; legs 195,940 and 165,440, base 165,440.
TRADE 1,464,320/1.01 = 1,449,821.78; CASH 1,371,000/.95/1.01 = 1,428,869.20; TAX 1,405,000. NOC 316,200; debt service 24,000; balance 60,000.
L = .4 + .2·.8556 + .15·.8333 + .25 = .946111. Uplifts: U1 .15 (R1), U2 .10 (lender), U3 .05 (insurance), U4 .05 (repeat), U5 .05 (fund, not earned).
"""

from __future__ import annotations

import pytest

from tests.hub.credit.variants import result_of


def picked(name: str, *keys: str) -> tuple[object, ...]:
    document = result_of(name)
    return tuple(document[key] for key in keys)


def feature(name: str, feature: str) -> object:
    """The value, or the missing reason."""
    found = result_of(name)["features"][feature]
    return found["missing_reason"] or found["value"]


def limits(name: str) -> tuple[str, str, list[str]]:
    limit = result_of(name)["limit"]
    return limit["base_limit"], limit["final_limit"], limit["binding"]


def test_the_seller_as_it_is_comes_out_as_in_the_brief() -> None:
    assert picked("as it is", "consistency", "coverage", "tier", "verified_revenue", "outcome") == (
        "0.9838", "1.0000", "HIGH", "1428869.20", "ENHANCED",
    )  # fmt: skip
    assert limits("as it is") == ("165000.00", "223000.00", [])


@pytest.mark.parametrize(
    ("name", "reason"),
    [("no tax", "NOT_CONNECTED"), ("tax consent withdrawn", "CONSENT_REVOKED"), ("tax consent never given", "CONSENT_MISSING")],
)
def test_without_usable_tax_the_tier_is_medium_and_each_null_says_why(name: str, reason: str) -> None:
    """An individual business of unknown taxpayer type counts as small-scale (1 %), so TRADE and CASH stay.

    R1, R3 unavailable: .35 + .05 + .10 = .50 of 1.00 is not below one half, R = 1. P1, P2 unavailable, P3 N/A: P null.
    C = (.5 + .3·.946111)/.8 = .979792; K = .5·.5 + 0 + .3 = .55 < .70: MEDIUM, tau .5. VR = min(2).
    u = .5·(.10 + .05 + .05) = .10; 165,440·1.10 = 181,984. Rate .04 - .5·.003 = .0385; term 9 + floor(1.5) = 10.
    CAPACITY (316,200/1.2 - 24,000)·10/12/(1 + .0385·11/24) = 199,583.33/1.01764583 = 196,122.59: does not bind.
    TAX adds .5·.5 + .2·1 = .45 to K.
    """
    assert picked(name, "consistency", "coverage", "tier", "tau") == ("0.9798", "0.5500", "MEDIUM", "0.5")
    assert picked(name, "verified_revenue", "next_best_source", "outcome") == ("1428869.20", "TAX", "ENHANCED")
    assert result_of(name)["dimensions"] == {"R": "1.0000", "P": None, "L": "0.9461"}
    assert limits(name) == ("165000.00", "181000.00", [])
    assert result_of(name)["limit"]["caps"]["CAPACITY"] == "196122.59"
    assert result_of(name)["price"]["rate"] == "0.0385"
    assert result_of(name)["term_months"] == {"base": 9, "offered": 10}
    assert result_of(name)["observers"]["TAX"] == {"value": None, "missing_reason": reason}
    assert [feature(name, one) for one in ("ss_tax_paid", "ss_tax_rating", "ss_missed_filings", "ss_zero_filings")] == [reason] * 4
    assert result_of(name)["score"]["points"]["06"] == 12


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("no settlement", "G03"),
        ("stale shop", "G04"),  # the data end 16 January, 4 days before as-of: orders may be 3 days old
        ("too few single orders", "G05"),  # W3 begins in October, single orders in November
        ("a gap in the shop", "G05"),  # "all 12 m": April is unknown
    ],
)
def test_a_closed_gate_says_why_and_nothing_else(name: str, code: str) -> None:
    assert picked(name, "outcome", "reasons", "customer_reasons") == ("INSUFFICIENT_DATA", [code], [code])
    asserted = ("format", "persona", "scenario", "as_of", "tolerance", "outcome", "reasons", "customer_reasons", "notes")
    assert {value for key, value in result_of(name).items() if key not in asserted} == {None}


def test_a_shop_of_exactly_the_allowed_age_is_used() -> None:
    assert picked("shop a day fresher", "outcome", "tier") == ("ENHANCED", "HIGH")


def test_archived_months_have_sums_but_no_buyers() -> None:
    """Single orders from October: 3 of 12 months, so buyers and repeat rate are null and U4 is not earned: 165,440·1.30 = 215,072.

    Address concentration is of W3: 25 of 1,700 + 2,600 + 1,750 = 6,050 orders = .0041.
    """
    name = "archived orders"
    assert feature(name, "cb_buyer_count") == feature(name, "cb_repeat_rate") == "INSUFFICIENT_COVERAGE"
    assert (feature(name, "cb_address_concentration"), feature(name, "ss_net_sales")) == ("0.0041", "1464320.00")
    assert [one["earned"] for one in result_of(name)["limit"]["uplifts"]] == [True, True, True, False, False]
    assert limits(name) == ("165000.00", "215000.00", [])


def test_a_missed_quarter_breaks_the_four_and_leaves_no_tax_observer() -> None:
    """Filed: 2024Q4, 2025Q1, Q3, Q4: not consecutive, TAX null. R = .50 of 1.00 available, P = 1: K = .25 + .2 + .3 = .75, HIGH. VR = min(2).

    u = .20: 165,440·1.2 = 198,528. Nine months of W12 are filed: zero filings null. Every source is readable: nothing to connect.
    """
    name = "a missed quarter"
    assert result_of(name)["observers"]["TAX"] == {"value": None, "missing_reason": "INSUFFICIENT_COVERAGE"}
    assert picked(name, "consistency", "coverage", "tier", "next_best_source") == ("0.9838", "0.7500", "HIGH", None)
    assert (feature(name, "ss_missed_filings"), feature(name, "ss_zero_filings")) == (1, "INSUFFICIENT_COVERAGE")
    assert limits(name) == ("165000.00", "198000.00", [])


def test_tax_data_until_the_tenth_do_not_hold_the_return_of_the_twelfth() -> None:
    """The last four filed quarters are 2024Q4 to 2025Q3: TAX 334,000 + 285,000 + 372,000 + 318,000 = 1,309,000.

    TRADE on the same months: 3·1,316·80 + 1,011,440 = 1,327,280; /1.01 = 1,314,138.61. Payments begin in 2025: 9 of 12 months, CASH null.
    R1 = 5,138.61/1,314,138.61 = .0039; with R5 that is .40 of 1.00: R null, so UNVERIFIED; VR stays min(2) but is not published.
    Characteristic 12 takes 8 points: 679 - 22 = 657, grade B. tau 0: the base offer, at .049.
    """
    name = "tax until the tenth"
    observers = result_of(name)["observers"]
    assert (observers["first_month"], observers["last_month"], observers["months"]) == ("2024-10", "2025-09", 12)
    assert (observers["TAX"]["value"], observers["TRADE"]["value"]) == ("1309000.00", "1314138.61")
    assert observers["CASH"] == {"value": None, "missing_reason": "INSUFFICIENT_COVERAGE"}
    assert result_of(name)["checks"]["R1"] == {"status": "PASS", "d": "0.0039", "s": "1.0000", "weight": "0.3000"}
    assert result_of(name)["dimensions"]["R"] is None
    assert picked(name, "tier", "verified_revenue", "outcome") == ("UNVERIFIED", "1309000.00", "BASE_ONLY")
    assert feature(name, "rr_verified_revenue") == "INSUFFICIENT_COVERAGE"
    assert result_of(name)["score"]["total"] == 657
    assert result_of(name)["price"]["rate"] == "0.0490"
    assert picked(name, "reasons") == (["XC2", "C12", "C06", "C01"],)


def test_on_the_first_of_february_the_quarters_are_not_the_window() -> None:
    """M0 = January 2026, W12 = 2025-02 to 2026-01; the aligned months are the four filed quarters of 2025.

    avg6 = (109,040 + 116,560 + 127,840 + 193,440 + 131,600 + 97,760)/6 = 776,240/6 = 129,373.33; 1.5 times 194,060. The lowest month is February.
    The operator's January is not paid yet: the streak ends in December, 31 months. Paid on time: 11 of 12, U3 is earned.
    """
    name = "first of February"
    observers = result_of(name)["observers"]
    assert (observers["first_month"], observers["last_month"]) == ("2025-01", "2025-12")
    assert [observers[one]["value"] for one in ("TAX", "TRADE", "CASH")] == ["1405000.00", "1449821.78", "1428869.20"]
    assert result_of(name)["limit"]["legs"] == {"AVERAGE": "194060.00", "LOWEST": "165440.00"}
    assert (feature(name, "op_si_streak"), feature(name, "cs_si_on_time_months")) == (31, 11)
    assert limits(name)[:2] == ("165000.00", "223000.00")


def test_an_identity_feed_that_is_down_is_no_mismatch() -> None:
    assert feature("identity feed down", "op_identity_verified") == "UPSTREAM_ERROR"
    assert picked("identity feed down", "outcome") == ("ENHANCED",)


def test_a_rule_with_an_unknown_input_asserts_no_failure() -> None:
    """No GMV in W6: the refund rate has no denominator, E10 is unknown, and one unknown rule is enough, though turnover fails as well."""
    name = "no orders at all"
    assert result_of(name)["eligibility"] == {"failed": ["E08"], "unknown": ["E10"]}
    assert picked(name, "outcome", "reasons", "limit") == ("INSUFFICIENT_DATA", ["G05"], None)


def test_invoices_count_with_red_and_without_void() -> None:
    """Blue 120,000, red 6,000, void 4,000: (6,000 + 4,000)/(120,000 + 4,000) = .0806. To the related customer 72,000 - 6,000 of 114,000 = .5789."""
    name = "invoices"
    assert (feature(name, "ss_red_void_ratio"), feature(name, "sc_related_sales_share")) == ("0.0806", "0.5789")
    assert (feature(name, "sc_customer_count"), feature(name, "sc_top1_customer_share")) == (2, "0.5789")
    assert feature("invoices withdrawn", "sc_customer_count") == feature("invoices withdrawn", "ss_red_void_ratio") == "CONSENT_REVOKED"
    assert feature("as it is", "sc_customer_count") == "NOT_APPLICABLE"
    assert feature("as it is", "ss_red_void_ratio") == "NOT_CONNECTED"
