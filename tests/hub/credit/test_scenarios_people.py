"""One customer for each scenario of shops, persons and farms, every figure derived by hand from the domain brief, section 5.2.

The customers are described in :mod:`tests.hub.credit.scenario_customers`; firms are in :mod:`tests.hub.credit.test_scenarios_firms`.
"""

from __future__ import annotations

from tests.hub.credit.derived import checks, cross_check, limit, offer, open_checks, outcome, points
from tests.hub.credit.scenario_customers import result_of

ELIGIBLE: dict[str, list[str]] = {"failed": [], "unknown": []}
NO_REVENUE = ["R1", "R2", "R3", "R4", "R5", "R6"]


def test_s04_a_cafe_that_takes_its_money_by_code() -> None:
    """Acquired since 1 June 2024: 19 months. 400 receipts a month, all at ten o'clock, none leaves within a day, none unknown, none into a personal account.

    TAX 4·118,000 = 472,000; TRADE 12·39,450 = 473,400; CASH 480,000/1.01 = 475,247.52 (small-scale). R1 = 1,400/473,400 = .0030; R2 = 1,847.52/475,247.52 = .0039;
    R3 = 3,247.52/475,247.52 = .0068. VR = the median, 473,400. R4: invoices do not vary. H has no margin band. Nobody is employed: P1, P2 N/A, P3 not connected: P null.
    L1 0 of 3, L2 0 km. C = (.5 + .3)/.8 = 1; K = .5·.85/.90 + 0 + .3·.60/.75 = .4722 + .24 = .7122: HIGH.

    Base 1.2·40,000·(1 - .1): receipts of 36,000 and 44,000 in turn, mean 40,000, cv 4,000/40,000 = .1: 48,000·.9 = 43,200. Uplifts: R2 PASS .10; utilities 9,600/480,000 =
    .02 .10; nobody says how long the lease runs; acquired by the lender .10. 43,200·1.30 = 56,160. REVENUE .15·473,400 = 71,010. DEBT .5·473,400 = 236,700.
    NOC 480,000 - 200,000 - 9,600 - 60,000 - 60,000 = 150,400; CAPACITY 125,333.33/rate: 2,088,888.89 and 2,198,830.41.

    Score: 56 months 22; no year before 8; cv 25; 20; N/A 8; not rated 12; no debt 30; NO_DEBT 30; thin file 15; no inquiry 20; neither streak known 5; 30: 225, 625, C.
    Rate 3.00 + 3.00 - 0.30 %. Lost: 09 20, 06 18, 02 17, 11 15. HOUSING_FUND adds .2·.30/.30 = .2 to K, the most.
    """
    found = result_of("S04")
    assert found["eligibility"] == ELIGIBLE
    assert checks(found) == {"R1": "PASS 0.0030", "R2": "PASS 0.0039", "R3": "PASS 0.0068", "L1": "PASS 0.0000", "L2": "PASS 0.00"}
    assert (open_checks(found, "UNAVAILABLE"), open_checks(found, "NOT_APPLICABLE")) == (["R4", "P3", "L3"], ["R5", "R6", "P1", "P2", "L4"])
    assert cross_check(found) == ("1.0000", None, "1.0000", "1.0000", "0.7122", "HIGH", "1.0", "473400.00")
    assert points(found) == ([22, 8, 25, 20, 8, 12, 30, 30, 15, 20, 5, 30], 625, "C")
    assert limit(found) == {
        "legs": {"RECEIPTS": "48000.00"}, "base": "43200.00", "uplifts": ["0.10", "0.10", "0", "0.10"], "uplift": "0.30",
        "effective_uplift": "0.3000", "before_caps": "56160.00",
        "base_caps": {"PRODUCT": "300000.00", "REVENUE": "71010.00", "DEBT": "236700.00", "CAPACITY": "2088888.89"},
        "caps": {"PRODUCT": "300000.00", "REVENUE": "71010.00", "DEBT": "236700.00", "CAPACITY": "2198830.41"},
        "binding": [], "base_limit": "43000.00", "final_limit": "56000.00", "enhancement": "13000.00",
    }  # fmt: skip
    assert offer(found) == ("0.0600", "0.0570", 12, 12, "REVOLVING", "UNSECURED")
    assert outcome(found) == ("ENHANCED", ["C09", "C06", "C02", "C11"], [], "HOUSING_FUND")


def test_s05_an_employee_with_a_housing_fund() -> None:
    """The account is NORMAL, paid June 2022 to December 2025: 43 months. One employer. Aged 40. Implied income 1,920/.24 = 8,000; DTI 2,000/8,000 = .25.

    No observers. P2: (8,500 - 8,000)/8,500 = .0588; P3: dev(96,000, 102,000) = .0588; P1 N/A. L1: tax, insurance and fund name him: 0 of 3. L2, L4 N/A, L3 not connected.
    C = (.2 + .3)/.5 = 1; K = (.2·.60/.60 + .3·.40/.55)/.5 = .8364: HIGH. DEVICE is what is missing.

    Base 48·1,920 = 92,160. Uplifts: same employer in both and P3 PASS .10; 43 months .10; bachelor .05: 92,160·1.25 = 115,200. CAPACITY (.5·8,000 - 2,000) = 2,000 a month:
    12 months at .060: 24,000/(1 + .06·13/24) = 24,000/1.0325 = 23,244.55; 36 months at .057: 72,000/(1 + .057·37/24) = 72,000/1.087875 = 66,184.07. It binds (K04).

    Score: nothing but N/A before the bureau: 15 + 13 + 13 + 10 + 8 + 15 + 15 + 15; 35; three inquiries 12; 20; 30: 201, 601, C. Lost: 10 8.
    """
    found = result_of("S05")
    assert (found["eligibility"], found["observers"]) == (ELIGIBLE, None)
    assert checks(found) == {"P2": "PASS 0.0588", "P3": "PASS 0.0588", "L1": "PASS 0.0000"}
    assert (open_checks(found, "UNAVAILABLE"), open_checks(found, "NOT_APPLICABLE")) == (["L3"], [*NO_REVENUE, "P1", "L2", "L4"])
    assert cross_check(found) == (None, "1.0000", "1.0000", "1.0000", "0.8364", "HIGH", "1.0", None)
    assert points(found) == ([15, 13, 13, 10, 8, 15, 15, 15, 35, 12, 20, 30], 601, "C")
    assert limit(found) == {
        "legs": {"DEPOSITS": "92160.00"}, "base": "92160.00", "uplifts": ["0.10", "0.10", "0.05"], "uplift": "0.25",
        "effective_uplift": "0.2500", "before_caps": "115200.00",
        "base_caps": {"PRODUCT": "300000.00", "CAPACITY": "23244.55"}, "caps": {"PRODUCT": "300000.00", "CAPACITY": "66184.07"},
        "binding": ["K04"], "base_limit": "23000.00", "final_limit": "66000.00", "enhancement": "43000.00",
    }  # fmt: skip
    assert offer(found) == ("0.0600", "0.0570", 12, 36, "EQUAL_INSTALMENT", "UNSECURED")
    assert outcome(found) == ("ENHANCED", ["C10"], [], "DEVICE")


def test_s07_a_farmer_with_two_plots() -> None:
    """120 mu seen; the register has 104 for the 100 of plot 1, the insurer 20 for plot 2. Rice is in the table. 100/104 is not above 1.05.

    F1: dev(120, 104 + 20) = 4/124 = .0323. F2: claimed 100·500 + 20·520 = 60,400, norm 120·480 = 57,600: 2,800/60,400 = .0464. No people to check. L1: register and insurer
    name him: 0 of 2. L2: home at 30.00 N, centre of the plots (100·30.00 + 20·30.06)/120 = 30.01 N: .01° = 6371.0088·π/18,000 = 1.11 km. L3 not connected.
    C = 1; K = (.5 + .3·.60/.75)/.8 = .925: HIGH.

    HARVEST .40·120·min(claimed, 480)·2.6 = .40·149,760 = 59,904; INPUTS .80·120·600 = 57,600. Two seasons .10, insured .10, no contract, credit village .05: 57,600·1.25 = 72,000.
    No other cap than PRODUCT. Term: 20 September + 60 days = 19 November, nine full months and a started one.

    Score: N/A up to 07 15 + 13 + 13 + 10 + 8 + 15 + 15; NO_DEBT 30; thin file 15; 20; neither streak known 5; 30: 189, 589, D. Rate 3.00 + 5.00 - 0.30 %. Lost: 09 20, 11 15.
    """
    found = result_of("S07")
    assert (found["eligibility"], found["observers"], found["segments"]["customer_type"]) == (ELIGIBLE, None, "FARMER")
    assert checks(found) == {"L1": "PASS 0.0000", "L2": "PASS 1.11", "F1": "PASS 0.0323", "F2": "PASS 0.0464"}
    assert (open_checks(found, "UNAVAILABLE"), open_checks(found, "NOT_APPLICABLE")) == (["L3"], [*NO_REVENUE, "P1", "P2", "P3", "L4"])
    assert cross_check(found) == ("1.0000", None, "1.0000", "1.0000", "0.9250", "HIGH", "1.0", None)
    assert points(found) == ([15, 13, 13, 10, 8, 15, 15, 30, 15, 20, 5, 30], 589, "D")
    assert limit(found) == {
        "legs": {"HARVEST": "59904.00", "INPUTS": "57600.00"}, "base": "57600.00", "uplifts": ["0.10", "0.10", "0", "0.05"],
        "uplift": "0.25", "effective_uplift": "0.2500", "before_caps": "72000.00",
        "base_caps": {"PRODUCT": "300000.00"}, "caps": {"PRODUCT": "300000.00"},
        "binding": [], "base_limit": "57000.00", "final_limit": "72000.00", "enhancement": "15000.00",
    }  # fmt: skip
    assert offer(found) == ("0.0800", "0.0770", 10, 10, "BULLET", "INSURANCE_ASSIGNMENT")
    assert outcome(found) == ("ENHANCED", ["C09", "C11"], [], "DEVICE")


def test_s08_a_graduates_start_up_that_hires() -> None:
    """The cafe of S04 with a proof of its category and staff that grew from 2 to 7: five jobs. The share of new staff is asked of enterprises only.

    P1 0; P2: (5,200 - 5,000)/5,200 = .0385; P3 not connected: P = 1. Three observers, so R counts: K = .4722 + .2·.70 + .24 = .8522. VR 473,400.
    PROGRAMME 300,000; five jobs double it: u = 1.00, 600,000. DEBT 236,700. Σ heads 54·5,200 = 280,800 of wages: NOC = 480,000 - 60,000 - 9,600 - 60,000 - 280,800 = 69,600.
    CAPACITY of equal instalments 69,600/1.2·36/12 = 174,000: /(1 + .06·37/24) = /1.0925 = 159,267.73; /(1 + .057·37/24) = /1.087875 = 159,944.85. It binds both.
    Score as in S04: his streaks are unknown (no insurance record of his own, no fund connected): 625, C.
    """
    found = result_of("S08")
    assert found["eligibility"] == ELIGIBLE
    assert (checks(found)["P1"], checks(found)["P2"]) == ("PASS 0.0000", "PASS 0.0385")
    assert cross_check(found) == ("1.0000", "1.0000", "1.0000", "1.0000", "0.8522", "HIGH", "1.0", "473400.00")
    assert points(found) == ([22, 8, 25, 20, 8, 12, 30, 30, 15, 20, 5, 30], 625, "C")
    assert limit(found) == {
        "legs": {"PROGRAMME": "300000.00"}, "base": "300000.00", "uplifts": ["1.00", "0"], "uplift": "1.00", "effective_uplift": "1.0000",
        "before_caps": "600000.00", "base_caps": {"PRODUCT": "600000.00", "DEBT": "236700.00", "CAPACITY": "159267.73"},
        "caps": {"PRODUCT": "600000.00", "DEBT": "236700.00", "CAPACITY": "159944.85"},
        "binding": ["K04"], "base_limit": "159000.00", "final_limit": "159000.00", "enhancement": "0.00",
    }  # fmt: skip
    assert offer(found) == ("0.0600", "0.0570", 36, 36, "EQUAL_INSTALMENT", "GUARANTEE_FUND")
    assert outcome(found) == ("ENHANCED", ["C09", "C06", "C02", "C11"], [], "HOUSING_FUND")


def test_s12_an_employee_from_elsewhere() -> None:
    """The employee of S05 with a hukou in another city. 43 local months, twelve months with an employer. Cross-check and score as in S05.

    INCOME 6·min(8,000, 8,500) = 48,000; no REVENUE leg, since nobody has verified revenue; 100,000. Uplifts: 43 months of local insurance .15; the fund account is NORMAL .10; no
    certificate, no rent known: 48,000·1.25 = 60,000. First loan: PRODUCT 150,000. DEBT and CAPACITY have no input. Term 6 + 18.
    """
    found = result_of("S12")
    assert (found["eligibility"], found["observers"], found["segments"]["overlays"]) == (ELIGIBLE, None, ["NEW_CITIZEN"])
    assert checks(found) == {"P2": "PASS 0.0588", "P3": "PASS 0.0588", "L1": "PASS 0.0000"}
    assert cross_check(found) == (None, "1.0000", "1.0000", "1.0000", "0.8364", "HIGH", "1.0", None)
    assert points(found) == ([15, 13, 13, 10, 8, 15, 15, 15, 35, 12, 20, 30], 601, "C")
    assert limit(found) == {
        "legs": {"INCOME": "48000.00", "REVENUE": None, "FIXED": "100000.00"}, "base": "48000.00", "uplifts": ["0.15", "0.10", "0", "0"],
        "uplift": "0.25", "effective_uplift": "0.2500", "before_caps": "60000.00",
        "base_caps": {"PRODUCT": "150000.00", "DEBT": None, "CAPACITY": None}, "caps": {"PRODUCT": "150000.00", "DEBT": None, "CAPACITY": None},
        "binding": [], "base_limit": "48000.00", "final_limit": "60000.00", "enhancement": "12000.00",
    }  # fmt: skip
    assert offer(found) == ("0.0600", "0.0570", 6, 24, "EQUAL_INSTALMENT", "UNSECURED")
    assert outcome(found) == ("ENHANCED", ["C10"], [], "DEVICE")
