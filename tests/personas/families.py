"""Every feature of each family (domain brief, section 3), derived on one customer: D1 rr and D3 ps, D2 sc and D4 ss on two firms, D5 cs, D6 op, D7 cb on others.

A null stands with its reason.
"""

from __future__ import annotations

from tests.personas.arithmetic import D, Decimal, Derived, default_probability, mean, ratio, slope, spread, text, yuan
from tests.personas.people import ORDERS, REFUNDED


def rr() -> tuple[str, Derived]:
    """The furniture maker's loans: 200,000 at 900 a month until 15 September, eight months; 150,000 secured at 5,000; one paid back that was late in May 2024.

    What its owner owes does not count, nor does what was 90 days late of it. Inquiries: the first bank twice on one day, the second in November, the third in August; his own
    and that of January do not count.
    """
    service = 8 * 900 + 12 * 5_000
    taken = 12 * (150_000 + 170_000) // 2 + 12 * 90_000
    cash = taken - 12 * (158_200 + 52_000 + 10_000 + 8_000 + 5_500 + 3_000)
    revenue = (D(taken) + 60_000) / D("1.13")
    loss = D(".65") * default_probability(669)
    return "furniture-maker", {
        "rr_verified_revenue": yuan(revenue), "rr_gross_margin": ratio(1 - D(1_936_200) / 2_766_000), "rr_net_operating_cash": yuan(cash),
        "rr_debt_service_12m": yuan(service), "rr_dscr": ratio(D(cash) / service), "rr_debt_to_revenue": ratio(350_000 / revenue),
        "rr_unsecured_lenders": 1, "rr_max_dpd_24m": 30, "rr_arrears_count_24m": 1, "rr_hard_inquiries_3m": 2, "rr_hard_inquiries_6m": 3,
        "rr_expected_loss_rate": ratio(loss), "rr_risk_adjusted_margin": ratio(D(".037") - D(".016") - D(".008") - loss),
    }  # fmt: skip


def sc() -> tuple[str, Derived]:
    """The printing house sold 2,100,000 to a to h and 120,000 to n, less 30,000 to b. Of a to h and o, who bought in 2024, all but o came back.

    b supplies 12,000 a month, too; s1 72,000 since 16 January 2024, s2 36,000 since 16 March 2025: 24 and 10 full months. h is related, a is a core enterprise.
    """
    sold = {"a": 525_000, "b": 390_000, "c": 315_000, "d": 210_000, "e": 210_000, "f": 168_000, "g": 147_000, "h": 105_000, "n": 120_000}
    whole = D(sum(sold.values()))
    early, late = 24 * (72_000 + 12_000), 10 * 36_000
    return "printing-house", {
        "sc_customer_count": 9, "sc_top1_customer_share": ratio(sold["a"] / whole),
        "sc_top5_customer_share": ratio(sum(sorted(sold.values())[-5:]) / whole), "sc_customer_retention": ratio(D(8) / 9),
        "sc_top5_supplier_share": ratio(1), "sc_supplier_tenure": yuan(D(early * 24 + late * 10) / (early + late)),
        "sc_related_sales_share": ratio(sold["h"] / whole), "sc_round_trip_share": ratio(12 * 12_000 / whole),
        "sc_core_enterprise_share": ratio(sold["a"] / whole), "sc_open_order_cover": "NOT_CONNECTED",
    }  # fmt: skip


def ps() -> tuple[str, Derived]:
    """The furniture maker's year from its statements: 360 days x the mean of two balance sheets over cost or revenue. No receipt names an invoice.

    In the half-year 1,610,000 came in: 1,500,000 of sales, 60,000 lent, of which 57,000 left five hours later, 30,000 of nobody knows whom, 20,000 of its own.
    Wages, rent and the like leave on the 16th as the money arrives, but they are 78,500 of at least 150,000.
    """

    def days(first: int, last: int, over: int) -> Decimal:
        return 360 * D(first + last) / 2 / over

    cost, revenue = 1_936_200, 2_766_000
    stock, owed, owing = days(400_000, 420_000, cost), days(300_000, 360_000, revenue), days(180_000, 200_000, cost)
    coming = D(6 * 250_000 + 60_000 + 30_000 + 20_000)
    return "furniture-maker", {
        "ps_purchase_amount": yuan(12 * 140_000), "ps_purchase_to_sales": ratio(D(12 * 140_000) / revenue), "ps_ar_days": yuan(owed),
        "ps_ap_days": yuan(owing), "ps_inventory_days": yuan(stock),
        "ps_cash_cycle": yuan(stock + owed - owing + days(20_000, 20_000, cost) - days(10_000, 10_000, revenue)),
        "ps_settlement_lag": "NOT_CONNECTED", "ps_personal_account_share": ratio(0), "ps_unknown_inflow_share": ratio(30_000 / coming),
        "ps_fast_in_out_share": ratio(60_000 / coming), "ps_low_balance_days": 0, "ps_returned_payments": "INSUFFICIENT_COVERAGE",
    }  # fmt: skip


def ss() -> tuple[str, Derived]:
    """The printing house's invoices: 160,000 until May, 130,000 in June, 210,000 from July; 165,000 a month in 2024. A red one of 30,000, a void one of 15,000.

    All are of the 16th, in February of the 15th: 31 days from one to the next at most. Established on 1 March 2022, rated B, 12 x 2,600 of VAT, August 2024 missed.
    """
    sales, before = [D(160_000)] * 5 + [D(130_000)] + [D(210_000)] * 6, D(165_000)
    return "printing-house", {
        "ss_net_sales": yuan(sum(sales)), "ss_avg_net_sales_6m": yuan(210_000), "ss_min_month": yuan(130_000), "ss_cv": ratio(spread(sales)),
        "ss_growth_yoy": ratio(sum(sales) / (12 * before) - 1), "ss_growth_3m_yoy": ratio(210_000 / before - 1),
        "ss_growth_6m_yoy": ratio(210_000 / before - 1), "ss_trend": ratio(slope(sales)), "ss_zero_months": 0, "ss_active_months": 12,
        "ss_peak_ratio": ratio(210_000 / mean(sales)), "ss_max_invoice_gap": 31, "ss_red_void_ratio": ratio(D(45_000) / (2_220_000 + 15_000)),
        "ss_refund_rate": "NOT_APPLICABLE", "ss_zero_filings": 0, "ss_missed_filings": 1, "ss_tax_paid": yuan(12 * 2_600), "ss_tax_rating": "B",
        "ss_months_in_business": 46, "ss_industry_risk": "MEDIUM",
    }  # fmt: skip


def cs() -> tuple[str, Derived]:
    """The cleaning company: 1,512,000 of wages on 3,600,000 without VAT, 12 x 15,900 of rent and 12 x 6,360 of utilities on 3,816,000 with it, 12 x 6,000 of VAT.

    The employer pays 25 % of 1,260,000, and 8 % of 8,000 a month into one fund. February was paid in March.
    """
    wages, sales = D(6 * 120_000 + 6 * 132_000), D(3_600_000)
    return "cleaning-company", {
        "cs_wage_ratio": ratio(wages / sales), "cs_rent_ratio": ratio(12 * 15_900 / (sales * D("1.06"))), "cs_take_rate": "NOT_APPLICABLE",
        "cs_logistics_ratio": ratio(0), "cs_utility_ratio": ratio(12 * 6_360 / (sales * D("1.06"))), "cs_vat_burden": ratio(12 * 6_000 / sales),
        "cs_social_cost_ratio": ratio((D(".25") * 1_260_000 + 12 * 640) / wages), "cs_headcount_avg": yuan(21),
        "cs_headcount_change": ratio(D(22) / 20 - 1), "cs_si_on_time_months": 11,
    }  # fmt: skip


def op() -> tuple[str, Derived]:
    """The nurse, born on 3 May 1990. Insurance: February 2024 was paid in June, later than in three months: March 2024 to December 2025. Fund: since September 2022.

    Each of the 48 months one of the two was paid here. Two employers in two years. She is sued once, and the case she brought and the closed one do not count. A register of
    businesses is not connected, so what it would say has its reason.
    """
    return "nurse", {
        "op_age": 35, "op_industry_years": "NOT_CONNECTED", "op_si_streak": 10 + 12, "op_hf_streak": 4 + 12 + 12 + 12, "op_hf_implied_income": yuan(9_000),
        "op_employer_changes": 1, "op_education": "BACHELOR", "op_local_months": 48, "op_identity_verified": True, "op_other_orgs": "NOT_CONNECTED",
        "op_legal_rep_stable_months": "NOT_CONNECTED", "op_open_litigation": 1, "op_device_count": 3, "op_paste_ratio": ratio(D(".1")),
    }  # fmt: skip


def cb() -> tuple[str, Derived]:
    """The incense shop: 440 orders in the half-year. Of 800 the first 500 have a buyer each, the other 300 go round the first 120 of them.

    260 in the quarter: 65 to each of four cities, but for six that go to one address in the first: numbers 0, 43, 86, 130, 173, 216, of the cities 0, 3, 2, 2, 1, 0.
    Ordered from eight in the morning to ten at night.
    """
    quarter = D(sum(ORDERS[9:]))
    cities = [65 + 4, 65 - 1, 65 - 2, 65 - 1]
    entropy = -sum((one / quarter) * (one / quarter).ln() for one in map(D, cities)) / D(4).ln()
    return "incense-shop", {
        "cb_buyer_count": 500, "cb_repeat_rate": ratio(D(120) / 500), "cb_orders_per_month": yuan(D(sum(ORDERS[6:])) / 6),
        "cb_positive_rate": "INSUFFICIENT_COVERAGE", "cb_shop_score": text(D("4.65"), 2), "cb_sell_through": ratio(D(82) / 100),
        "cb_city_entropy": ratio(entropy), "cb_address_concentration": ratio(6 / quarter), "cb_off_hours_share": ratio(0),
        "cb_dispute_rate": "INSUFFICIENT_COVERAGE",
    }  # fmt: skip


def shop_in_other_families() -> tuple[str, Derived]:
    """What other families say of the shop: 21 of 440 refunded, 5 % taken, and statements of the 8th. An order of day d is paid then and completed four days later.

    The lag of a month is (its end + 8) - (d + 4), weighted; all orders pay the same. Refunded ones are closed, not completed: the first three or six of a month.
    """
    lengths = {6: 31, 7: 31, 8: 30, 9: 31, 10: 30, 11: 31}
    lags = [
        length + 8 - (1 + (2 * j + 1) * length // (2 * ORDERS[month]) + 4)
        for month, length in lengths.items()
        for j in range(REFUNDED[month], ORDERS[month])
    ]
    return "incense-shop", {
        "ss_refund_rate": ratio(D(21) / 440), "cs_take_rate": ratio(D(".05")), "ps_settlement_lag": yuan(mean([D(one) for one in lags])),
        "sc_customer_count": "NOT_APPLICABLE",
    }  # fmt: skip


FAMILIES = {"rr": rr, "sc": sc, "ps": ps, "ss": ss, "cs": cs, "op": op, "cb": cb}
