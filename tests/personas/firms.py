"""The evaluations of the firms, derived. Each docstring tells the case; the numbers below it are the brief's arithmetic on the figures of the file."""

from __future__ import annotations

from tests.personas.arithmetic import D, Derived, cross_check, dev, limited, north, priced, rates, scored, shape, yuan


def furniture_maker() -> Derived:
    """S01. Declares 230,000 a month, June amended to 236,000; invoices 220,000 and 230,000 in turn, in August 15,000 of them red (a void one counts nowhere).

    Receives 150,000 and 170,000 in turn and 90,000 at the lender. Receivables grew by 60,000. Equity of 2023 and two years: 5 % of the profit are not explained, just PASS.
    """
    tax, sold = D(11 * 230_000 + 236_000), [D(220_000), D(230_000)] * 6
    sold[7] -= 15_000
    received = [D(150_000 + 90_000), D(170_000 + 90_000)] * 6
    trade, cash = sum(sold), (sum(received) + 360_000 - 300_000) / D("1.13")
    expected_equity = 800_000 + 120_000 + 180_000 - 40_000 - 60_000 - 20_000
    checks = {
        "R1": dev(tax, trade), "R2": dev(trade, cash), "R3": dev(tax, cash), "R4": shape(sold, received),
        "R5": D(0),  # 1 - 1,936,200/2,766,000 = .30, between .20 and .40
        "R6": abs(D(expected_equity - 965_000)) / (120_000 + 180_000),
        "P1": dev(D(8), D(8 * 11 + 9) / 12), "P2": D(52_000 - 40_000) / 52_000, "L1": D(0), "L2": north(".09"),
    }  # fmt: skip
    paid = 12 * 4_000 + 4 * 3_000  # VAT and CIT of 2025; surcharges do not count; 36,000 in 2024
    legs = {"TAX": D(8) * (paid + 36_000) / 2, "REVENUE": D(".15") * cash}
    left = D(159_600) / D("1.2") - 67_200  # see the family rr
    base_rate, rate = rates("A", "1")
    days = 360 * (D(410_000 - 190_000 + 20_000) / 1_936_200 + D(330_000 - 10_000) / 2_766_000)
    need = D(2_766_000) * (1 - D(180_000) / 2_766_000) * D("1.10") * days / 360 - (80_000 - 20_000) - 200_000
    fixed = {"PRODUCT": D(3_000_000), "DEBT": D(".5") * cash - 350_000}
    return {
        "eligibility": {"failed": [], "unknown": []},
        "observers.TAX.value": yuan(tax), "observers.TRADE.value": yuan(trade), "observers.CASH.value": yuan(cash),
        **cross_check(checks, "L4"),
        "tier": "HIGH", "tau": "1.0", "verified_revenue": yuan(sorted([tax, trade, cash])[1]),
        # 91 months, growth .1525, cv .01, no zero month, no shop, rated A, .1293 of debt, 2.375 times, 30 days once, 2 inquiries, 12 months of insurance
        **scored([30, 25, 25, 20, 8, 30, 22, 30, 15, 20, 14, 30], "A"),
        **priced("A", "1", 669),
        # R1 with invoices; 90 of 250 at the lender; 11 months on time; A after A; growth above .10: just the ceiling of .40
        **limited(
            legs, legs["TAX"], [".10", ".10", ".05", ".05", ".10"], "1",
            fixed | {"CAPACITY": left / base_rate, "NEED": need}, fixed | {"CAPACITY": left / rate, "NEED": need},
        ),
        "limit.binding": ["K05"], "term_months": {"base": 12, "offered": 12}, "repayment": "REVOLVING", "guarantee": "UNSECURED",
        "outcome": "ENHANCED", "reasons": ["C09", "C07", "C11"], "notes": ["XR4", "XP2", "XL2"], "next_best_source": "HOUSING_FUND",
    }  # fmt: skip


def printing_house() -> Derived:
    """S02. Invoices 160,000 a month, in June 30,000 of May's reversed, from July 210,000. Declares 160,000 and from July 200,000; August 2024 was never filed.

    No insurance, no identity, no device: P is null and K .66, so that half the uplift is left.
    """
    sold = [D(160_000)] * 5 + [D(130_000)] + [D(210_000)] * 6
    received = [D(180_800)] * 6 + [D(214_700)] * 6
    tax, trade, cash = D(6 * 160_000 + 6 * 200_000), sum(sold), sum(received) / D("1.13")
    checks = {"R1": dev(tax, trade), "R2": dev(trade, cash), "R3": dev(tax, cash), "R4": shape(sold, received), "L1": D(0)}
    left = D(2_373_000 - 12 * (130_000 + 30_000 + 10_000)) / D("1.2") - 144_000
    base_rate, rate = rates("B", ".5")
    fixed = {"PRODUCT": D(2_000_000), "REVENUE": D(".15") * tax, "DEBT": D(".5") * tax - 300_000}
    return {
        "eligibility": {"failed": [], "unknown": []},
        "observers.TAX.value": yuan(tax), "observers.TRADE.value": yuan(trade), "observers.CASH.value": yuan(cash),
        **cross_check(checks, "R5 R6 L4"),
        "tier": "MEDIUM", "tau": "0.5", "verified_revenue": yuan(tax),
        # 46 months, growth .1061, cv .1568, B, .1389 of debt, 333,000/144,000 = 2.31 times, 3 inquiries, neither streak known
        **scored([22, 25, 25, 20, 8, 22, 22, 30, 35, 12, 5, 30], "B"),
        **priced("B", ".5", 656),
        # five customers buy 1,650 of 2,190: .8; R1; eight of nine came back; the core enterprise buys .24 only; suppliers of 21.9 months
        **limited(
            {"INVOICED": trade / 10}, trade / 10 * D(".8"), [".10", ".10", "0", ".05"], ".5",
            fixed | {"CAPACITY": left / base_rate}, fixed | {"CAPACITY": left / rate},
        ),
        "limit.binding": [], "term_months": {"base": 12, "offered": 12}, "repayment": "REVOLVING", "guarantee": "UNSECURED",
        "outcome": "ENHANCED", "reasons": ["C11", "C01", "C06", "C07"], "notes": [], "next_best_source": "SOCIAL_INSURANCE",
    }  # fmt: skip


def cleaning_company() -> Derived:
    """S06. 20 insured until June, then 22, of whom 21.5 on average are declared; bases of 5,000 against wages of 6,000. VAT of 6 %."""
    tax, trade, cash = D(12 * 300_000), D(12 * 300_000), 12 * D(312_700) / D("1.06")
    wages, bases = D(6 * 120_000 + 6 * 132_000), D(6 * 100_000 + 6 * 110_000)
    checks = {
        "R1": D(0), "R2": dev(trade, cash), "R3": dev(tax, cash), "P1": dev(D(21), D("21.5")), "P2": (wages - bases) / wages,
        "P3": dev(D(8_000), D(8_800)), "L1": D(0), "L2": D(0),
    }  # fmt: skip
    cost = wages + bases / 4 + 12 * (15_900 + 6_360 + 6_000 + 60_000)
    left = (12 * D(312_700) - cost) / D("1.2")
    base_rate, rate = rates("B", "1")
    legs = {"STAFF": D(30_000 * 21), "CONTRIBUTIONS": 3 * bases / 4, "REVENUE": tax / 10}
    fixed = {"PRODUCT": D(1_000_000), "DEBT": D(".5") * tax}
    return {
        "eligibility": {"failed": [], "unknown": []},
        "observers.TAX.value": yuan(tax), "observers.TRADE.value": yuan(trade), "observers.CASH.value": yuan(cash),
        **cross_check(checks, "R5 R6 L4"),
        "tier": "HIGH", "tau": "1.0", "verified_revenue": yuan(tax),
        # 76 months, growth .0714, M, no debt, thin file, no inquiry, 22 months of insurance
        **scored([30, 18, 25, 20, 8, 12, 30, 30, 15, 20, 14, 30], "B"),
        **priced("B", "1", 652),
        # more heads than a year ago; P2 only WARN; one of 22 has a fund
        **limited(
            legs, legs["REVENUE"], [".10", "0", "0"], "1",
            fixed | {"CAPACITY": left / base_rate}, fixed | {"CAPACITY": left / rate},
        ),
        "limit.binding": [], "term_months": {"base": 12, "offered": 18}, "repayment": "INTEREST_ONLY", "guarantee": "UNSECURED",
        "outcome": "ENHANCED", "reasons": ["C09", "C06", "C02", "C11"], "notes": ["XP2"], "next_best_source": "DEVICE",
    }  # fmt: skip


def graduate_studio() -> Derived:
    """S08. An enterprise with the proof of a category; one job of five was created, so nothing is earned, and the debt cap makes the offer."""
    tax, trade, cash = D(4 * 140_000), D(12 * 46_000), 12 * D(47_470) / D("1.01")
    heads = 6 * 4 + 6 * 5
    checks = {
        "R1": dev(tax, trade), "R2": dev(trade, cash), "R3": dev(tax, cash), "P1": D(0), "P2": D(5_500 - 5_000) / 5_500, "L1": D(0), "L2": D(0),
    }  # fmt: skip
    cash_left = D(12 * 47_470 - heads * (5_500 + 1_200) - 12 * 3_000) / D("1.2")
    rate, _ = rates("B", "0")
    caps = {"PRODUCT": D(5_000_000), "DEBT": D(".5") * tax, "CAPACITY": cash_left * 36 / 12 / (1 + rate * 37 / 24)}
    return {
        "eligibility": {"failed": [], "unknown": []},
        "observers.TAX.value": yuan(tax), "observers.TRADE.value": yuan(trade), "observers.CASH.value": yuan(cash),
        **cross_check(checks, "R5 R6 L4"),
        "tier": "HIGH", "tau": "1.0", "verified_revenue": yuan(tax),
        # 26 months, no year before, not rated, no debt, thin file, 12 months of insurance
        **scored([22, 8, 25, 20, 8, 12, 30, 30, 15, 20, 14, 30], "B"),
        **priced("B", "1", 634, enhanced=False),
        **limited({"PROGRAMME": D(4_000_000)}, D(4_000_000), ["0", "0"], "1", caps, caps),
        "limit.binding": ["K03"], "term_months": {"base": 36, "offered": 36}, "repayment": "EQUAL_INSTALMENT", "guarantee": "GUARANTEE_FUND",
        "outcome": "BASE_ONLY", "reasons": ["C09", "C06", "C02", "C01"], "notes": [], "next_best_source": "HOUSING_FUND",
    }  # fmt: skip


def appliance_dealer() -> Derived:
    """S10. Buys 100,000 a month from the core enterprise since June 2024: 19 months, not 36. Nothing else is known that could be earned."""
    tax, trade, cash = D(12 * 150_000), D(12 * 148_000), 12 * D(165_000) / D("1.13")
    checks = {"R1": dev(tax, trade), "R2": dev(trade, cash), "R3": dev(tax, cash), "R5": D(0), "L1": D(0)}
    left = D(12 * (165_000 - 146_900 - 5_000)) / D("1.2") - 12 * 4_000
    rate, _ = rates("B", "0")
    legs = {"MONTHLY": D(2 * 100_000), "YEARLY": D(".20") * 12 * 100_000}
    caps = {"PRODUCT": D(3_000_000), "DEBT": D(".5") * trade - 500_000, "CAPACITY": left / rate}
    return {
        "eligibility": {"failed": [], "unknown": []},
        "observers.TAX.value": yuan(tax), "observers.TRADE.value": yuan(trade), "observers.CASH.value": yuan(cash),
        **cross_check(checks, "R6 L4"),  # R5: 1 - 1,762,800/(1,776,000 x 1.13) = .1216, between .05 and .20
        "tier": "MEDIUM", "tau": "0.5", "verified_revenue": yuan(trade),
        # 60 months, growth -.075, not rated, .2815 of debt, 157,200/48,000 = 3.3 times, 2 inquiries, neither streak known
        **scored([30, 18, 25, 20, 8, 12, 22, 30, 35, 20, 5, 30], "B"),
        **priced("B", ".5", 655, enhanced=False),
        **limited(legs, legs["MONTHLY"], ["0", "0", "0"], ".5", caps, caps),
        "limit.binding": [], "term_months": {"base": 12, "offered": 12}, "repayment": "INTEREST_ONLY", "guarantee": "UNSECURED",
        "outcome": "BASE_ONLY", "reasons": ["C06", "C11", "C07", "C02"], "notes": [], "next_best_source": "SOCIAL_INSURANCE",
    }  # fmt: skip


def sensor_maker() -> Derived:
    """S11. 96,000 of 2,400,000 declared are spent on research: .04. The yearly statement says so, in a line that is this project's addition to the format (ADR 67).

    What is sold and received never changes, so there is no shape: R = .85 of .90. P = (.4 + .3·s(6,000/48,000))/.7, P2 WARN. One patent, a subsidy of September.
    """
    tax, trade, cash = D(12 * 200_000), D(12 * 190_000), 12 * D(214_700) / D("1.13")
    checks = {
        "R1": dev(tax, trade), "R2": dev(trade, cash), "R3": dev(tax, cash), "P1": D(0), "P2": D(48_000 - 42_000) / 48_000, "L1": D(0),
    }  # fmt: skip
    left = 12 * D(214_700 - 113_000 - 48_000) / D("1.2")
    base_rate, rate = rates("B", "1")
    legs = {"REVENUE": D(".20") * trade + D(".5") * 96_000, "CLASS": D(3_000_000)}
    fixed = {"PRODUCT": D(3_000_000), "DEBT": D(".5") * trade}
    return {
        "eligibility": {"failed": [], "unknown": []},
        "observers.TAX.value": yuan(tax), "observers.TRADE.value": yuan(trade), "observers.CASH.value": yuan(cash),
        **cross_check(checks, "R5 R6 L4"),  # no band for C40, and no balance sheets
        "tier": "HIGH", "tau": "1.0", "verified_revenue": yuan(trade),
        # 107 months, no year before, nothing varies, no zero month, no shop, not rated, no debt, thin file, no inquiry, neither streak known
        **scored([30, 8, 25, 20, 8, 12, 30, 30, 15, 20, 5, 30], "B"),
        **priced("B", "1", 633),
        **limited(
            legs, legs["REVENUE"], ["0", "0", "0", ".10"], "1",
            fixed | {"CAPACITY": left / base_rate}, fixed | {"CAPACITY": left / rate},
        ),
        "limit.binding": [], "term_months": {"base": 12, "offered": 36}, "repayment": "INTEREST_ONLY", "guarantee": "UNSECURED",
        "outcome": "ENHANCED", "reasons": ["C09", "C06", "C02", "C11"], "notes": ["XP2"],
        # L2: a shop or an identity feed would bring it, .3·.20/.75, more than a housing fund's .2·.30; the first in order
        "next_best_source": "SHOP",
    }  # fmt: skip


def untold_research() -> Derived:
    """The same where the statement has no line of research, as persona/1 has it, or no statement is connected: not declined, but cannot be decided (G05).

    What would tell it no cross-check needs, so the next best source stays that which adds most to the coverage.
    """
    known = sensor_maker()
    kept = (
        "observers.TAX.value",
        "observers.TRADE.value",
        "observers.CASH.value",
        "consistency",
        "coverage",
        "tier",
        "tau",
        "verified_revenue",
        "score.total",
    )
    return {name: known[name] for name in (*kept, "next_best_source")} | {
        "eligibility": {"failed": [], "unknown": ["E20"]}, "limit": None, "outcome": "INSUFFICIENT_DATA", "reasons": ["G05"], "customer_reasons": ["G05"],
    }  # fmt: skip
