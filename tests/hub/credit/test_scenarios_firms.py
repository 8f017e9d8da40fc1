"""One customer for each scenario of firms, every figure derived by hand from the domain brief, section 5.2.

What the firm's scenarios share (S02, S06, S09, S10, S11; the customer is described in :mod:`tests.hub.credit.scenario_customers`):

Observers of 2025. TAX 12·168,000 = 2,016,000. TRADE 12·165,000 = 1,980,000. CASH 12·180,000 = 2,160,000 with VAT; r_vat = Σ tax/Σ net = 13 %, so
2,160,000/1.13 = 1,911,504.42. R1 = 36,000/2,016,000 = .0179; R2 = 68,495.58/1,980,000 = .0346; R3 = 104,495.58/2,016,000 = .0518: all PASS, VR = the median,
1,980,000. R4: the months do not vary, unavailable. R5: margin 1 - 12·141,250/(1,980,000·1.13) = 1 - 1,695,000/2,237,400 = .2424, inside C33's .15 to .30: 0.
R6: no balance sheets. P1: 5 insured, 5 declared: 0. P2: (25,000 - 24,000)/25,000 = .0400. P3: no housing fund connected. L1: register, tax, account name the
owner or the firm: 0 of 3 differ. L2: the place verified is the registered one: 0 km. L3: no device. L4: no shop.
R = P = L = 1, C = 1. K = .5·.95/1.00 + .2·.70/1.00 + .3·.60/.75 = .475 + .14 + .24 = .855: HIGH, tau 1. HOUSING_FUND would add .2·.30 = .06, as DEVICE would
(.3·.15/.75): the first in the order of the sources is named.

NOC = 2,160,000 - 1,695,000 - 12·25,000 = 165,000. The loan is due 400 a month for 11 months: 4,400. CAPACITY, interest cover: (165,000/1.2 - 4,400)/rate =
133,100/rate: 3,327,500 at .0400 and 3,597,297.30 at .0370. DEBT .5·1,980,000 - 100,000 = 890,000. No statements, so no NEED.

Score. 01: 70 months: 30. 02: by scenario. 03: cv 0: 25. 04: 20. 05: no shop, N/A: 8 of 15. 06: B: 22. 07: 100,000/1,980,000 = .0505: 30. 08: 165,000/4,400 = 37.5: 30.
09: 35. 10: one inquiry: 20. 11: 48 months of social insurance: 20. 12: 30. Without 02: 270. Rate of an A: 3.00 + 1.00 - 0.30 %.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from connectors.sandbox.persona import Persona
from hub.credit import policies
from hub.credit.dossier import Dossier, SourceState
from hub.credit.evaluate import Request, evaluate
from hub.credit.expected import to_expected
from hub.credit.expressions import names_in
from hub.credit.parameters import words
from hub.credit.policy import load_policy
from hub.credit.scenario.reasons import wording
from hub.domain.enums import SourceKind
from hub.domain.facts import FinancialStatement
from tests.hub.credit.derived import checks, cross_check, limit, offer, open_checks, outcome, points
from tests.hub.credit.dossiers import dossier_of
from tests.hub.credit.scenario_customers import customer, result_of

CHECKS = {
    "R1": "PASS 0.0179", "R2": "PASS 0.0346", "R3": "PASS 0.0518", "R5": "PASS 0.0000", "P1": "PASS 0.0000", "P2": "PASS 0.0400",
    "L1": "PASS 0.0000", "L2": "PASS 0.00",
}  # fmt: skip
VERDICT = ("1.0000", "1.0000", "1.0000", "1.0000", "0.8550", "HIGH", "1.0", "1980000.00")
ELIGIBLE: dict[str, list[str]] = {"failed": [], "unknown": []}


def test_s01_the_same_firm_by_its_tax() -> None:
    """36,000 of VAT in each year, mean 36,000; rated B: 6·36,000 = 216,000 against .15·1,980,000 = 297,000. S = TAX: 695 as in S06.

    Uplifts: R1 PASS with invoices .10; nothing at the lender; twelve months on time .05; one rating only; growth .12 .10: 216,000·1.25 = 270,000. Nothing binds.
    """
    found = result_of("S01")
    assert (found["eligibility"], cross_check(found)) == (ELIGIBLE, VERDICT)
    assert points(found) == ([30, 25, 25, 20, 8, 22, 30, 30, 35, 20, 20, 30], 695, "A")
    whole = limit(found)
    assert (whole["legs"], whole["uplifts"]) == ({"TAX": "216000.00", "REVENUE": "297000.00"}, ["0.10", "0", "0.05", "0", "0.10"])
    assert (whole["base_limit"], whole["final_limit"], whole["binding"]) == ("216000.00", "270000.00", [])
    assert outcome(found) == ("ENHANCED", ["C06"], [], "HOUSING_FUND")


def test_s02_a_firm_that_invoices_eight_customers() -> None:
    """First output invoice January 2024, 23 months before M0. All invoices fall on the 16th, in February on the 15th: the longest gap is 31 days. ΣIO 1,980,000.
    Growth of 3, 6 and 12 months 165/150 - 1 = .10. Customer h (10 %) is related; nobody both buys and sells.

    02: .10 is not above .10: 18. 270 + 18 = 288: 688, A. Lost: 06 8, 02 7.
    top5 = .20 + .15 + .15 + .10 + .10 = .70: conc .8. Base .10·1,980,000·.8 = 158,400. Uplifts: R1 .10; all eight customers of 2024 are back .10; the core
    customer a has 20 % of sales, below 30 %; suppliers since 16 January 2024, 24 months .05. 158,400·1.25 = 198,000. REVENUE .15·1,980,000 = 297,000.
    """
    found = result_of("S02")
    assert found["eligibility"] == ELIGIBLE
    assert checks(found) == CHECKS
    assert (open_checks(found, "UNAVAILABLE"), open_checks(found, "NOT_APPLICABLE")) == (["R4", "P3", "L3"], ["R6", "L4"])
    assert cross_check(found) == VERDICT
    assert points(found) == ([30, 18, 25, 20, 8, 22, 30, 30, 35, 20, 20, 30], 688, "A")
    assert limit(found) == {
        "legs": {"INVOICED": "198000.00"}, "base": "158400.00", "uplifts": ["0.10", "0.10", "0", "0.05"], "uplift": "0.25",
        "effective_uplift": "0.2500", "before_caps": "198000.00",
        "base_caps": {"PRODUCT": "2000000.00", "REVENUE": "297000.00", "DEBT": "890000.00", "CAPACITY": "3327500.00"},
        "caps": {"PRODUCT": "2000000.00", "REVENUE": "297000.00", "DEBT": "890000.00", "CAPACITY": "3597297.30"},
        "binding": [], "base_limit": "158000.00", "final_limit": "198000.00", "enhancement": "40000.00",
    }  # fmt: skip
    assert offer(found) == ("0.0400", "0.0370", 12, 12, "REVOLVING", "UNSECURED")
    assert outcome(found) == ("ENHANCED", ["C06", "C02"], [], "HOUSING_FUND")


def test_s06_an_employer_of_five() -> None:
    """S = TAX: growth 168/150 - 1 = .12: 25 points, 695, A. Lost: 06 8. Twelve of twelve months on time, nothing owed, five all year: change 0. P1 PASS.

    STAFF 30,000·5 = 150,000. CONTRIBUTIONS: 24,000·(.14 + .095) = 5,640 a month, 67,680 a year, three times 203,040. REVENUE .10·1,980,000 = 198,000.
    Uplifts: change 0 is not below 0 .10; P2 PASS .10; no housing fund. 150,000·1.20 = 180,000. Interest only, 12 + 6 months.
    """
    found = result_of("S06")
    assert (found["eligibility"], checks(found), cross_check(found)) == (ELIGIBLE, CHECKS, VERDICT)
    assert points(found) == ([30, 25, 25, 20, 8, 22, 30, 30, 35, 20, 20, 30], 695, "A")
    assert limit(found) == {
        "legs": {"STAFF": "150000.00", "CONTRIBUTIONS": "203040.00", "REVENUE": "198000.00"}, "base": "150000.00",
        "uplifts": ["0.10", "0.10", "0"], "uplift": "0.20", "effective_uplift": "0.2000", "before_caps": "180000.00",
        "base_caps": {"PRODUCT": "1000000.00", "DEBT": "890000.00", "CAPACITY": "3327500.00"},
        "caps": {"PRODUCT": "1000000.00", "DEBT": "890000.00", "CAPACITY": "3597297.30"},
        "binding": [], "base_limit": "150000.00", "final_limit": "180000.00", "enhancement": "30000.00",
    }  # fmt: skip
    assert offer(found) == ("0.0400", "0.0370", 12, 18, "INTEREST_ONLY", "UNSECURED")
    assert outcome(found) == ("ENHANCED", ["C06"], [], "HOUSING_FUND")


def test_s09_a_supplier_with_two_open_orders() -> None:
    """Order 1: the government, 400,000 confirmed, nothing invoiced: 400,000 open. Order 2: customer a, 300,000, of which 297,000 confirmed and 100,000 invoiced:
    197,000 open. Both buyers are on the list; customer a has paid four past orders, the government needs none. The last delivery, 20 May, is 120 days away.

    O1: dev(700,000, 697,000) = 3,000/700,000 = .0043, O2: 1 - 4/4 = 0. They form R, with 1.00 of 1.00: K = .5 + .14 + .24 = .88. R1 to R3 and VR are shown.
    Base 400,000·.70 + 197,000·.50 = 378,500. All four past orders in time .10, account locked .10, R2 PASS .05: u = .25. Government .70·1.25 = .875, at most .85:
    340,000; customer a .625·197,000 = 123,125: 463,125 before caps. Nobody's part is above half of 3,000,000.
    Term: 20 May + 60 days = 19 July, five full months and a started one. S = INVOICE: 688 points as in S02. Interest cover, since all is paid at the end.
    """
    found = result_of("S09")
    assert (found["eligibility"], checks(found)) == (ELIGIBLE, CHECKS | {"O1": "PASS 0.0043", "O2": "PASS 0.0000"})
    assert cross_check(found) == ("1.0000", "1.0000", "1.0000", "1.0000", "0.8800", "HIGH", "1.0", "1980000.00")
    assert points(found) == ([30, 18, 25, 20, 8, 22, 30, 30, 35, 20, 20, 30], 688, "A")
    assert limit(found) == {
        "legs": {"ORDERS": "378500.00"}, "base": "378500.00", "uplifts": ["0.10", "0.10", "0.05"], "uplift": "0.25",
        "effective_uplift": "0.2500", "before_caps": "463125.00",
        "base_caps": {"PRODUCT": "3000000.00", "DEBT": "890000.00", "CAPACITY": "3327500.00"},
        "caps": {"PRODUCT": "3000000.00", "DEBT": "890000.00", "CAPACITY": "3597297.30"},
        "binding": [], "base_limit": "378000.00", "final_limit": "463000.00", "enhancement": "85000.00",
    }  # fmt: skip
    assert offer(found) == ("0.0400", "0.0370", 6, 6, "BULLET", "RECEIVABLE_ASSIGNMENT")
    assert outcome(found) == ("ENHANCED", ["C06", "C02"], [], "HOUSING_FUND")


def test_s10_a_dealer_of_a_core_enterprise() -> None:
    """The core enterprise supplies 60 % of 110,000 a month: 66,000, 792,000 a year. First invoice 16 December 2022: 37 full months. It is not related.

    An F5175 has no margin band: R5 N/A, so K = .5·.85/.90 + .14 + .24 = .8522. Score as in S02: 688.
    MONTHLY 1.0·66,000·2 = 132,000; YEARLY .20·792,000 = 158,400. Nobody says whether it buys back; 37 months .10; no shop. 132,000·1.10 = 145,200.
    """
    found = result_of("S10")
    assert (found["eligibility"], checks(found)) == (ELIGIBLE, {name: said for name, said in CHECKS.items() if name != "R5"})
    assert cross_check(found) == ("1.0000", "1.0000", "1.0000", "1.0000", "0.8522", "HIGH", "1.0", "1980000.00")
    assert points(found) == ([30, 18, 25, 20, 8, 22, 30, 30, 35, 20, 20, 30], 688, "A")
    assert limit(found) == {
        "legs": {"MONTHLY": "132000.00", "YEARLY": "158400.00"}, "base": "132000.00", "uplifts": ["0", "0.10", "0"], "uplift": "0.10",
        "effective_uplift": "0.1000", "before_caps": "145200.00",
        "base_caps": {"PRODUCT": "3000000.00", "DEBT": "890000.00", "CAPACITY": "3327500.00"},
        "caps": {"PRODUCT": "3000000.00", "DEBT": "890000.00", "CAPACITY": "3597297.30"},
        "binding": [], "base_limit": "132000.00", "final_limit": "145000.00", "enhancement": "13000.00",
    }  # fmt: skip
    assert offer(found) == ("0.0400", "0.0370", 12, 12, "INTEREST_ONLY", "UNSECURED")
    assert outcome(found) == ("ENHANCED", ["C06", "C02"], [], "HOUSING_FUND")


def with_research(dossier: Dossier, research: int = 90_000, revenue: int = 2_000_000) -> Dossier:
    """The same with a statement of 2025 that names the cost of research, which the format persona/1 cannot say."""
    lines = {"revenue": revenue, "cost": revenue * 76 // 100, "net_profit": revenue // 20, "research_cost": research}
    year = FinancialStatement(
        kind="PL", period_start=date(2025, 1, 1), period_end=date(2025, 12, 31), basis="TAX_FILED",
        lines={name: Decimal(amount) for name, amount in lines.items()},
    )  # fmt: skip
    state = SourceState(SourceKind.FINANCIALS, None, dossier.source(SourceKind.TAX).intervals, date(2026, 1, 19))
    sources = {**dossier.sources, SourceKind.FINANCIALS: state}
    return replace(dossier, sources=sources, facts={**dossier.facts, FinancialStatement: (year,)})


@cache
def technology() -> dict[str, Any]:
    persona = Persona.model_validate(customer("S11"))
    return to_expected(evaluate(with_research(dossier_of(persona)), load_policy("S11"), Request()), persona.id)


def test_s11_a_technology_firm() -> None:
    """Research 90,000 of 2,000,000 = 4.5 % of revenue. TECH_SME, 70 months, five insured. Margin by the statement 1 - 1,520,000/2,000,000 = .24: R5 0.

    REVENUE .20·1,980,000 + .5·90,000 = 396,000 + 45,000 = 441,000; CLASS 2,000,000. Uplifts: no patent listed; nobody says who graduated or who invested; a subsidy
    of September .10. 441,000·1.10 = 485,100. S = TAX: 695 points. Term 12 + 24. PRODUCT is the class cap.
    """
    found = technology()
    assert (found["eligibility"], checks(found), cross_check(found)) == (ELIGIBLE, CHECKS, VERDICT)
    assert points(found) == ([30, 25, 25, 20, 8, 22, 30, 30, 35, 20, 20, 30], 695, "A")
    assert limit(found) == {
        "legs": {"REVENUE": "441000.00", "CLASS": "2000000.00"}, "base": "441000.00", "uplifts": ["0", "0", "0", "0.10"], "uplift": "0.10",
        "effective_uplift": "0.1000", "before_caps": "485100.00",
        "base_caps": {"PRODUCT": "2000000.00", "DEBT": "890000.00", "CAPACITY": "3327500.00"},
        "caps": {"PRODUCT": "2000000.00", "DEBT": "890000.00", "CAPACITY": "3597297.30"},
        "binding": [], "base_limit": "441000.00", "final_limit": "485000.00", "enhancement": "44000.00",
    }  # fmt: skip
    assert offer(found) == ("0.0400", "0.0370", 12, 36, "INTEREST_ONLY", "UNSECURED")
    assert outcome(found) == ("ENHANCED", ["C06"], [], "HOUSING_FUND")


def test_s11_without_a_statement_cannot_be_decided() -> None:
    """Nobody is known to spend nothing on research: the share is unknown, with the reason of the statements."""
    found = result_of("S11")
    assert found["eligibility"] == {"failed": [], "unknown": ["E20"]}
    assert (found["outcome"], found["reasons"], found["limit"]) == ("INSUFFICIENT_DATA", ["G05"], None)
    made = evaluate(dossier_of(Persona.model_validate(customer("S11"))), load_policy("S11"), Request())
    assert made.findings and made.findings.verdict.next_best_source == SourceKind.HOUSING_FUND
    said = wording("G05", made.gate, made.findings.eligibility.lacking)
    assert said == ("The history is too short: Cost of research", "历史数据时间不足：研发费用"), "it says what is missing"


@pytest.mark.parametrize("scenario", policies.names())
def test_whatever_a_rule_asks_for_has_words(scenario: str) -> None:
    asked = {name for rule in load_policy(scenario).eligibility for name in names_in(rule.passes)}
    assert asked <= words("features").keys() | words("inputs").keys()
