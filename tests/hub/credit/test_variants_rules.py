"""Single clauses of the domain brief on sellers made for them, with expectations derived by hand.

The figures all share stand at the head of :mod:`tests.hub.credit.test_variants_sources`.
"""

from __future__ import annotations

from tests.hub.credit.test_variants_findings import check
from tests.hub.credit.test_variants_sources import feature, limits, picked
from tests.hub.credit.variants import result_of


def earned(name: str) -> list[bool]:
    return [one["earned"] for one in result_of(name)["limit"]["uplifts"]]


def test_a_company_with_statements_has_a_need_cap() -> None:
    """Days: inventory 360·70/700 = 36, receivable 360·65/1,300 = 18, payable 360·35/700 = 18: cycle 36.

    NEED 1,260,000·(1 - 60/1,300)·1.10·36/360 - (30,000 - 10,000) = 132,203.08 - 20,000 = 112,203.08; growth .1591 counts as .10. It binds both.
    R6: 100,000 + 2·60,000 - 2·20,000 = 180,000 expected, 175,000 found: 5,000/120,000 = .0417. ΔAR = 0.
    """
    name = "company with statements"
    assert feature(name, "ps_cash_cycle") == "36.00"
    assert check(name, "R6")[:2] == ("PASS", "0.0417")
    assert result_of(name)["limit"]["caps"]["NEED"] == result_of(name)["limit"]["base_caps"]["NEED"] == "112203.08"
    assert limits(name) == ("112000.00", "112000.00", ["K05"])
    assert feature(name, "rr_gross_margin") == "0.4615"


def test_equity_is_unknown_when_a_year_of_profit_is() -> None:
    """Both balance sheets and the profit of one of two years: unavailable, not computed as if the other year were 0. Without statements: N/A."""
    assert check("a year without a statement", "R6")[:2] == ("UNAVAILABLE", None)
    assert check("as it is", "R6")[:2] == ("NOT_APPLICABLE", None)


def test_the_factor_of_the_base_is_the_lower_one() -> None:
    """Score below 4.7: .9·165,440 = 148,896. Refunds of 12 % too: S = .88·GMV, legs 1.5·122,613.33 and 2·77,440, .8·154,880 = 123,904."""
    assert result_of("score of 4.65")["limit"]["base"] == "148896.00"
    name = "twelve percent refunded"
    assert feature(name, "ss_refund_rate") == "0.1200"
    assert result_of(name)["limit"]["legs"] == {"AVERAGE": "183920.00", "LOWEST": "154880.00"}
    assert result_of(name)["limit"]["base"] == "123904.00"


def test_a_refund_counts_in_the_month_it_succeeds() -> None:
    """100 more of November refunded in December: REF of W6 653 + 100 of 10,450 orders = .0721; December 131,600 - 8,000, avg6 775,760/6.

    Refused requests and orders that were never paid change nothing: 19,500 orders, 12,500 buyers.
    """
    name = "late refunds"
    assert (feature(name, "ss_refund_rate"), feature(name, "ss_avg_net_sales_6m")) == ("0.0721", "129293.33")
    assert (feature(name, "cb_buyer_count"), feature(name, "cb_orders_per_month")) == (12500, "1741.67")


def test_own_transfers_and_loans_are_no_revenue() -> None:
    assert result_of("own money")["observers"] == result_of("as it is")["observers"]
    assert feature("own money", "rr_net_operating_cash") == "316200.00"


def test_a_missed_return_that_was_filed_late_is_filed() -> None:
    assert result_of("filed late")["observers"]["TAX"]["value"] == "1405000.00"
    assert feature("filed late", "ss_zero_filings") == 0


def test_a_period_before_the_business_was_not_missed() -> None:
    """Tax data begin in January 2024, the business in August: the first two quarters were not due."""
    assert feature("just begun", "ss_missed_filings") == 0
    assert feature("as it is", "ss_missed_filings") == 0
    assert feature("a missed quarter", "ss_missed_filings") == 1


def test_the_size_needs_a_head_count_of_enough_months() -> None:
    """Nine months of withholding are below the minimum of W12: the insured count; without insurance nobody knows. P1 has nine common months."""
    assert result_of("withholding since April")["segments"]["size"] == "MICRO"
    assert check("withholding since April", "P1")[0] == "UNAVAILABLE"
    assert result_of("withholding since April, no insurance")["segments"]["size"] is None


def test_the_contribution_base_is_found_without_a_pension_record() -> None:
    """(120,000 - 115,488)/120,000 = .0376."""
    assert check("no pension", "P2")[:2] == check("as it is", "P2")[:2] == ("PASS", "0.0376")


def test_an_uplift_of_two_ways_is_earned_by_either() -> None:
    """10 of 12 months on time; the operator's own streak of 31 earns U3. Without any record of his it does not."""
    assert feature("pays late twice", "cs_si_on_time_months") == 10
    assert earned("pays late twice") == [True, True, True, True, False]
    assert feature("pays late twice, no streak", "op_si_streak") == "NOT_APPLICABLE"
    assert earned("pays late twice, no streak") == [True, True, False, True, False]


def test_a_discount_that_eats_the_margin_goes_to_a_person() -> None:
    """19 months: 10 points for 22, 667, still A. PD = 1/(1 + e^((667 - 387.6036)/72.1348)) = .020367; .037 - .024 - .65·PD = -.0002."""
    name = "nineteen months"
    assert (result_of(name)["score"]["total"], result_of(name)["score"]["pd"]) == (667, "0.0204")
    assert result_of(name)["price"] == {"base_rate": "0.0400", "rate": "0.0370", "risk_adjusted_margin": "-0.0002"}
    assert picked(name, "outcome", "repayment", "reasons") == ("REFER_MANUAL", None, ["K07", "C01", "C06", "C05"])


def test_several_closed_gates_speak_in_the_order_of_the_policy() -> None:
    assert picked("three gates", "outcome", "reasons") == ("INSUFFICIENT_DATA", ["G02", "G04", "G03"])


def test_a_person_without_a_business_has_no_base_to_enhance() -> None:
    """All sales features are N/A, so every rule on them is skipped, both legs are null, and there is no limit: a person decides."""
    name = "a person"
    assert feature(name, "ss_min_month") == feature(name, "ss_months_in_business") == "NOT_APPLICABLE"
    assert picked(name, "outcome", "limit", "price") == ("REFER_MANUAL", None, None)
