"""The evaluations of individual businesses and persons, derived as in :mod:`tests.personas.firms`."""

from __future__ import annotations

from tests.personas import firms
from tests.personas.arithmetic import D, Derived, cross_check, dev, limited, priced, rates, scored, spread, yuan

ORDERS = [60, 50, 60, 60, 60, 70, 60, 60, 60, 80, 120, 60]
REFUNDED = [3] * 10 + [6, 3]
SALES = [D(500) * (orders - refunded) for orders, refunded in zip(ORDERS, REFUNDED, strict=True)]


def incense_shop() -> Derived:
    """S03. 800 orders of 500 yuan, 39 refunded; the platform pays 95 % of it. Small-scale: 1 % of VAT. Nobody employed, no fund account.

    Six of the 260 orders of the last quarter go to one address: L4 WARN, which is kept from the customer but noted.
    """
    tax, trade = D(85_000 + 90_000 + 84_000 + 110_000), sum(SALES) / D("1.01")
    paid_out = sum(SALES) * D(".95")
    cash = paid_out / D(".95") / D("1.01")
    checks = {
        "R1": dev(tax, trade), "R2": D(0), "R3": dev(tax, cash), "R4": D(0), "R5": D(0), "L1": D(0), "L2": D(0), "L3": D(2) / 10, "L4": D(6) / 260,
    }  # fmt: skip
    half = sum(SALES[6:]) / 6
    legs = {"AVERAGE": D("1.5") * half, "LOWEST": 2 * min(SALES)}
    spare = (paid_out - 190_250 - 12 * (2_000 + 1_500 + 1_000 + 3_000)) / D("1.2") - 12_000
    base_rate, rate = rates("B", "1")
    fixed = {"PRODUCT": D(500_000), "REVENUE": D(".20") * cash, "DEBT": D(".5") * cash - 30_000}
    assert D(".25") < spread(SALES) <= D(".40")
    return {
        "eligibility": {"failed": [], "unknown": []},
        "observers.TAX.value": yuan(tax), "observers.TRADE.value": yuan(trade), "observers.CASH.value": yuan(cash),
        **cross_check(checks, "R6 P1 P2 P3"),
        "tier": "HIGH", "tau": "1.0", "verified_revenue": yuan(trade),
        # 32 months, no year before, cv .26, refunds .0477, not rated, .08 of debt, 6.8 times, no insurance connected and no fund account
        **scored([22, 8, 18, 20, 15, 12, 30, 30, 35, 20, 5, 30], "B"),
        **priced("B", "1", 645),
        # a score of 4.65: .9. R1; settled at the lender; .24 come back, below .30
        **limited(
            legs, legs["LOWEST"] * D(".9"), [".15", ".10", "0", "0", "0"], "1",
            fixed | {"CAPACITY": spare * 9 / 12 / (1 + base_rate * 10 / 24)}, fixed | {"CAPACITY": spare / (1 + rate * 13 / 24)},
        ),
        "limit.binding": [], "term_months": {"base": 9, "offered": 12}, "repayment": "EQUAL_PRINCIPAL", "guarantee": "UNSECURED",
        "outcome": "ENHANCED", "reasons": ["C06", "C02", "C11", "C01"], "notes": ["XL4"], "next_best_source": None,
    }  # fmt: skip


def noodle_shop() -> Derived:
    """S04. 300 payments a month, 48,000 and 54,000 in turn; two employees at bases of 4,500 and wages of 5,000: P2 = .10, just PASS. Margin .50, the band's lower end.
    His credit card is of 2011: what is owed today is owed, however long ago it began.

    662 points are an A, and an A's rate of 3.70 % does not pay for a PD of .0218: 3.70 - 2.40 - 1.42 < 0. So a person decides (K07), although everything else agrees.
    """
    tax, trade, cash = D(4 * 150_000), D(12 * 50_000), D(6 * (48_000 + 54_000)) / D("1.01")
    checks = {
        "R1": D(0), "R2": dev(trade, cash), "R3": dev(tax, cash), "R5": D(0), "P1": D(0), "P2": D(5_000 - 4_500) / 5_000, "L1": D(0), "L2": D(0),
    }  # fmt: skip
    leg = D("1.2") * 51_000
    left = D(612_000 - 306_000 - 12 * (1_530 + 5_000 + 10_000 + 1_000 + 4_000)) / D("1.2") - 12 * 300
    base_rate, rate = rates("A", "1")
    fixed = {"PRODUCT": D(300_000), "REVENUE": D(".15") * tax, "DEBT": D(".5") * tax - 20_000}
    return {
        "eligibility": {"failed": [], "unknown": []},
        "observers.TAX.value": yuan(tax), "observers.TRADE.value": yuan(trade), "observers.CASH.value": yuan(cash),
        **cross_check(checks, "R6 L4"),
        "tier": "HIGH", "tau": "1.0", "verified_revenue": yuan(tax),
        # 62 months, no year before, cv .0588, not rated, .0333 of debt, 47,640/3,600 = 13 times, 1 inquiry, 12 months of insurance
        **scored([30, 8, 25, 20, 8, 12, 30, 30, 35, 20, 14, 30], "A"),
        **priced("A", "1", 662),
        # R2; utilities of .03; no lease known; acquired by another bank
        **limited(
            {"RECEIPTS": leg}, leg * (1 - D(3_000) / 51_000), [".10", ".10", "0", "0"], "1",
            fixed | {"CAPACITY": left / base_rate}, fixed | {"CAPACITY": left / rate},
        ),
        "limit.binding": [], "repayment": None, "guarantee": None,
        "outcome": "REFER_MANUAL", "reasons": ["K07", "C06", "C02", "C11"], "notes": [], "next_best_source": "HOUSING_FUND",
    }  # fmt: skip


def nurse() -> Derived:
    """S05. The fund holds 9,000 x 16 % a month, declared are 9,600; a quarter of the sessions are elsewhere. Everything else is told in the family op."""
    checks = {"P2": D(600) / 9_600, "P3": dev(D(9_000), D(9_600)), "L1": D(0), "L3": D(3) / 12}
    deposit, spare = D(9_000) * D(".16"), D(".5") * 9_000 - 1_500
    base_rate, rate = rates("D", "1")
    return {
        "eligibility": {"failed": [], "unknown": []}, "observers": None,
        **cross_check(checks, "R1 R2 R3 R4 R5 R6 P1 L2 L4"),
        "tier": "HIGH", "tau": "1.0", "verified_revenue": None,
        **scored([15, 13, 13, 10, 8, 15, 15, 15, 15, 20, 20, 30], "D"),
        **priced("D", "1", 589),
        # one employer in both and P3; 40 months; a bachelor
        **limited(
            {"DEPOSITS": 48 * deposit}, 48 * deposit, [".10", ".10", ".05"], "1",
            {"PRODUCT": D(300_000), "CAPACITY": spare * 12 / (1 + base_rate * 13 / 24)},
            {"PRODUCT": D(300_000), "CAPACITY": spare * 36 / (1 + rate * 37 / 24)},
        ),
        "limit.binding": [], "term_months": {"base": 12, "offered": 36}, "repayment": "EQUAL_INSTALMENT", "guarantee": "UNSECURED",
        "outcome": "ENHANCED", "reasons": ["C09"], "notes": ["XL3"], "next_best_source": None,
    }  # fmt: skip


def hairdresser() -> Derived:
    """S12. An owner whose declared quarters and receipts are two observers, too few to judge by: no verified revenue, and half the uplift. Her fund and her income agree.

    The scenario names shops, so L4 and the refund rate are unknown, not inapplicable.
    """
    checks = {"P3": D(0), "L1": D(0), "L2": D(0)}
    cash = D(12 * (20_000 - 4_000 - 3_000 - 500 - 5_000))
    legs = {"INCOME": 6 * cash / 12, "REVENUE": None, "FIXED": D(100_000)}
    base_rate, rate = rates("C", ".5")
    return {
        "eligibility": {"failed": [], "unknown": []}, "observers": None,
        **cross_check(checks, "R1 R2 R3 R4 R5 R6 P1 P2"),
        "tier": "HIGH", "tau": "0.5", "verified_revenue": None, "segments.overlays": ["NEW_CITIZEN"],
        # 34 months, no year before, receipts of 20,000 each month, no debt, thin file, 20 months of insurance
        **scored([22, 8, 25, 20, 5, 12, 15, 30, 15, 20, 14, 30], "C"),
        **priced("C", ".5", 616),
        # 20 local months; a fund account; no certificate known; rent in six months
        **limited(
            legs, 6 * cash / 12, [".15", ".10", "0", ".05"], ".5",
            {"PRODUCT": D(150_000), "DEBT": None, "CAPACITY": cash / D("1.2") * 6 / 12 / (1 + base_rate * 7 / 24)},
            {"PRODUCT": D(150_000), "DEBT": None, "CAPACITY": cash / D("1.2") * 15 / 12 / (1 + rate * 16 / 24)},
        ),
        "limit.binding": [], "term_months": {"base": 6, "offered": 15}, "repayment": "EQUAL_INSTALMENT", "guarantee": "UNSECURED",
        "outcome": "ENHANCED", "reasons": ["C09", "C06", "C02", "C05"], "notes": [], "next_best_source": "SHOP",
    }  # fmt: skip


DERIVED = {
    "furniture-maker": firms.furniture_maker,
    "printing-house": firms.printing_house,
    "incense-shop": incense_shop,
    "noodle-shop": noodle_shop,
    "nurse": nurse,
    "cleaning-company": firms.cleaning_company,
    "graduate-studio": firms.graduate_studio,
    "appliance-dealer": firms.appliance_dealer,
    "sensor-maker": firms.sensor_maker,
    "hairdresser": hairdresser,
}
