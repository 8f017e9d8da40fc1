"""Single clauses of the scenarios, each on a customer changed for it; what is expected is derived in the docstring.

The customers and their figures: :mod:`tests.hub.credit.test_scenarios_firms` and :mod:`tests.hub.credit.test_scenarios_people`.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from connectors.sandbox.persona import Persona
from hub.credit import policies
from hub.credit.dossier import SourceState
from hub.credit.evaluate import Request, evaluate
from hub.credit.expected import to_expected
from hub.credit.policy import load_policy, read_policy
from hub.credit.scenario.reasons import wording
from hub.domain.enums import MissingReason, SourceKind
from tests.connectors.cn_persona import resident
from tests.hub.credit.dossiers import dossier_of
from tests.hub.credit.scenario_customers import BUYERS, EMPLOYER, cafe, customer, result_with
from tests.hub.credit.variants import Document, evaluated

Change = Callable[[Document], Any]


def changed(scenario: str, *changes: Change) -> Document:
    document = customer(scenario)
    for change in changes:
        change(document)
    return document


def result(scenario: str, *changes: Change) -> Document:
    return result_with(changed(scenario, *changes))


def without(*sources: str) -> Change:
    return lambda document: [document["sources"].pop(name) for name in sources]


def fund(**values: Any) -> Change:
    return lambda document: document["housing_fund"]["accounts"][0].update(values)


def plot(number: int, **values: Any) -> Change:
    return lambda document: document["farm"]["plots"][number].update(values)


def order(number: int, **values: Any) -> Change:
    return lambda document: document["procurement"]["orders"][number].update(values)


def account(**values: Any) -> Change:
    return lambda document: document["ledger"]["accounts"][0].update(values)


def sold(*amounts: int) -> Change:
    """Net output of the months from January 2024."""
    return lambda document: document["invoices"]["output"][0].update(net=[f"{amount}.00" for amount in amounts])


def owes(due: str) -> Change:
    return lambda document: document["bureau"]["accounts"][0].update(monthly_due=due)


def no_accounts(document: Document) -> None:
    document["housing_fund"]["accounts"] = []


def no_open_orders(document: Document) -> None:
    document["procurement"]["orders"] = document["procurement"]["orders"][2:]


def sells_to_one(document: Document) -> None:
    document["invoices"]["output"][0]["split"] = [{"party": "a", "share": "1"}]


def born(digits: str) -> Change:
    return lambda document: document["people"]["owner"].update(resident_id=resident(digits))


MISSING = {
    "S07": ("FARM", "G03"),
    "S09": ("PROCUREMENT", "G03"),
    "S10": ("PROCUREMENT", "G03"),
    "S05": ("HOUSING_FUND", "G03"),
    "S12": ("IDENTITY", "G03"),
}


@pytest.mark.parametrize("scenario", MISSING)
@pytest.mark.law("PIPL 24: explained")
def test_cannot_decide_is_said_with_the_source_that_is_missing(scenario: str) -> None:
    """A closed gate names the source and the reason, and asserts nothing else: not a decline."""
    source, code = MISSING[scenario]
    found = evaluated(changed(scenario, without(source)))
    assert found.gate == ((SourceKind(source), MissingReason.NOT_CONNECTED),)
    assert (found.outcome, found.reasons.codes, found.findings) == ("INSUFFICIENT_DATA", (code,), None)
    assert wording(code, found.gate)[0] == f"A source is not connected or does not answer: {source}"


DECLINED: dict[str, tuple[str, tuple[Change, ...], list[str]]] = {
    "S02: turnover 12·100,000": ("S02", (sold(*[100_000] * 24),), ["E08"]),
    "S02: 3·50,000 against 3·150,000, -.67": ("S02", (sold(*[150_000] * 12, *[165_000] * 9, *[50_000] * 3),), ["E09"]),
    "S02: 60 % to a related customer": (
        "S02", (lambda one: one["invoices"]["output"][0].update(split=[{"party": "a", "share": "0.4"}, {"party": "h", "share": "0.6"}]),), ["E21"]
    ),
    "S04: acquired for 4 months": ("S04", (account(opened_on="2025-09-01"),), ["E01"]),
    "S04: 299 payments a month": ("S04", (lambda one: one["ledger"]["flows"][0].update(per_month=299),), ["E08"]),
    "S04: all into a personal account": ("S04", (account(type="BANK_PERSONAL"),), ["E25"]),
    "S05: sealed": ("S05", (fund(status="SEALED"),), ["E13"]),
    "S05: no account at all": ("S05", (no_accounts,), ["E13"]),
    "S05: eleven months": ("S05", (fund(**{"from": "2025-02"}),), ["E13"]),
    "S05: 21 years old": ("S05", (born("33999820041017003"),), ["E14"]),
    "S05: 56 years old": ("S05", (born("33999819700117003"),), ["E14"]),
    "S05: DTI 4,001/8,000": ("S05", (owes("4001.00"),), ["E24"]),
    "S06: two insured": ("S06", (lambda one: one["social_insurance"]["employer"].update(headcount=[2] * 12),), ["E22", "XP1"]),
    "S06: nobody insured": (
        "S06", (lambda one: one["social_insurance"]["employer"].update(headcount=[0] * 12, base=["0.00"] * 12),
                lambda one: one["tax"]["withholding"].update(headcount=[0] * 12)), ["E22"],
    ),
    "S06: a month unpaid": ("S06", (lambda one: one["social_insurance"]["employer"].update(unpaid=["2025-12"]),), ["E12"]),
    "S06: 12 declared, 5 insured, P1 7/12": ("S06", (lambda one: one["tax"]["withholding"].update(headcount=[12] * 12),), ["XP1"]),
    "S06: 8 to 5, -.375": (
        "S06", (lambda one: one["social_insurance"]["employer"].update(headcount=[8, *[5] * 11]),
                lambda one: one["tax"]["withholding"].update(headcount=[8, *[5] * 11])), ["E22"],
    ),
    "S07: four mu": ("S07", (plot(0, satellite_mu="3", register_mu="3"), plot(1, satellite_mu="1", insured_mu="1")), ["E08"]),
    "S07: a crop that is not financed": ("S07", (plot(0, crop="烟草"),), ["E23"]),
    "S07: 106 seen, 100 registered": ("S07", (plot(0, satellite_mu="106", register_mu="100"),), ["E23"]),
    "S09: a buyer that is not listed": ("S09", (lambda one: one["reference"].update(approved_buyers=[]),), ["E19"]),
    "S09: two paid past orders": ("S09", (order(2, paid_on="2026-02-20"), order(3, paid_on="2026-02-20")), ["E19"]),
    "S09: nothing open": ("S09", (no_open_orders,), ["E08"]),
    "S09: 49,999 open": ("S09", (order(1, invoiced="247001.00"),), ["E08"]),
    "S09: 181 days": ("S09", (order(0, deliver_by="2026-07-20"),), ["E19"]),
    "S10: its core enterprise is its own": (
        "S10", (lambda one: one["relations"].update(related=[{"party": "core", "type": "SHAREHOLDING", "share": "0.30"}]),), ["E21"]
    ),
    "S10: eleven months": ("S10", (lambda one: one["invoices"]["input"][0].update(first="2025-02", net=["110000.00"] * 11),), ["E19"]),
    "S12: at home for long": ("S12", (lambda one: one["people"]["owner"].update(hukou_city="宁波市"),), ["E20"]),
    "S12: five local months": (
        "S12", (fund(**{"from": "2025-08"}), lambda one: one["social_insurance"]["persons"][0].update({"from": "2025-08"})), ["E14", "E01"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DECLINED)
@pytest.mark.law("PIPL 24: explained")
def test_a_failed_rule_declines_and_alone_speaks(case: str) -> None:
    scenario, changes, codes = DECLINED[case]
    found = result(scenario, *changes)
    assert (found["eligibility"]["failed"], found["eligibility"]["unknown"]) == (codes, [])
    assert (found["outcome"], found["reasons"], found["limit"]) == ("INELIGIBLE", codes, None)


UNDECIDED: dict[str, tuple[str, tuple[Change, ...], list[str], list[str]]] = {
    "S02: no relationship graph is loaded": ("S02", (lambda one: one.pop("relations"),), ["E21"], ["G03"]),
    "S06: nobody declared wages": ("S06", (lambda one: one["tax"].pop("withholding"),), ["XP1"], ["G05"]),
    "S07: the register knows no plot": ("S07", (lambda one: one["farm"]["plots"][0].pop("register_mu"),), ["E23"], ["G05"]),
    "S08: no proof of a category": ("S08", (lambda one: one["business"].pop("qualifications"),), ["E20"], ["G05"]),
    "S10: no relationship graph is loaded": ("S10", (lambda one: one.pop("relations"),), ["E21"], ["G03"]),
    "S10: it never bought from a core enterprise": (
        "S10", (lambda one: one["reference"].update(core_enterprises=[BUYERS["a"]]),), ["E19", "E21"], ["G05"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", UNDECIDED)
def test_an_unknown_input_is_no_decline(case: str) -> None:
    scenario, changes, codes, reasons = UNDECIDED[case]
    found = result(scenario, *changes)
    assert found["eligibility"] == {"failed": [], "unknown": codes}
    assert (found["outcome"], found["reasons"], found["limit"]) == ("INSUFFICIENT_DATA", reasons, None)


def test_s02_who_sells_to_one_customer_gets_less() -> None:
    """top5 = 1.00: conc .6, base 198,000·.6 = 118,800. The one customer came back and is a core enterprise: .10 + .10 + .05 + .05, 118,800·1.30 = 154,440."""
    found = result("S02", sells_to_one)
    assert found["limit"]["base"] == "118800.00"
    assert [one["earned"] for one in found["limit"]["uplifts"]] == [True, True, True, True]
    assert found["limit"]["before_caps"] == "154440.00"


@pytest.mark.law("互联网贷款 2020-9: consumption")
def test_s05_consumption_is_capped_by_product_and_regulator() -> None:
    """(.5·20,000 - 2,000) = 8,000 a month; 48·4,800 = 230,400·1.25 = 288,000; both caps of 200,000 bind. Base 20,000 in fund and insurance, 21,000 declared."""
    rich = (
        fund(base="20000.00"),
        lambda one: one["social_insurance"]["persons"][0].update(base="20000.00"),
        lambda one: one["tax"]["personal_income"][0].update(amounts=["21000.00"] * 12),
        lambda one: one.update(request={"purpose": "CONSUMPTION"}),
    )
    found = result("S05", *rich)
    assert (found["limit"]["before_caps"], found["limit"]["final_limit"], found["limit"]["binding"]) == (
        "288000.00",
        "200000.00",
        ["K01", "K06"],
    )


def test_s05_the_uplift_of_education_can_be_switched_off() -> None:
    """92,160·1.20 = 110,592; it keeps its number and its share."""
    document = deepcopy(policies.document("S05"))
    document["uplifts"][2]["enabled"] = False
    persona = Persona.model_validate(customer("S05"))
    found = to_expected(evaluate(dossier_of(persona), read_policy(document), Request()), persona.id)["limit"]
    assert found["uplifts"][2] == {"id": "S05.U3", "share": "0.05", "earned": False}
    assert found["before_caps"] == "110592.00"


def test_s05_without_declared_income_nothing_confirms_the_person() -> None:
    """P2, P3 need TAX: P null, so UNVERIFIED, without XC2, since no revenue is asked for. Characteristic 12 takes 8: 601 - 22 = 579, D.

    CAPACITY, twelve months at .080: 24,000/(1 + .08·13/24) = 24,000/1.043333 = 23,003.19: the base offer. TAX brings P back: .2·1.00/.5 = .4 of K, and SI, HF are there.
    """
    found = result("S05", without("TAX"))
    assert (found["tier"], found["tau"], found["score"]["total"]) == ("UNVERIFIED", "0.0", 579)
    assert (found["outcome"], found["reasons"], found["next_best_source"]) == ("BASE_ONLY", ["C12", "C10"], "TAX")
    assert (found["limit"]["final_limit"], found["term_months"]) == ("23000.00", {"base": 12, "offered": 12})


def test_s07_a_register_that_knows_far_more_is_a_conflict() -> None:
    """F1: dev(120, 200 + 20) = 100/220 = .4545, above .30: SEVERE, and hard. Nothing is offered; the customer is told why and that a person will look."""
    found = result("S07", plot(0, register_mu="200"))
    assert found["checks"]["F1"] == {"status": "SEVERE", "d": "0.4545", "s": "0.0000", "weight": "0.6000"}
    assert (found["tier"], found["outcome"], found["limit"], found["flags"]) == ("CONFLICT", "REFER_MANUAL", None, [])
    assert (found["reasons"], found["customer_reasons"]) == (["XF1"], ["XF1", "XC1"])


def test_s07_an_uninsured_crop_is_lent_on_without_an_assignment() -> None:
    """Seasons .10, village .05: 57,600·1.15 = 66,240."""
    found = result("S07", lambda one: one["farm"].update(insured=False))
    assert (found["guarantee"], found["limit"]["before_caps"]) == ("UNSECURED", "66240.00")


def test_s07_after_the_harvest_there_is_no_term() -> None:
    """19 November 2025 + 60 days is 18 January: no month is left, so nothing can be offered by itself."""
    found = result("S07", lambda one: one["farm"].update(harvest_on="2025-11-19"))
    assert (found["outcome"], found["limit"], found["term_months"]) == ("REFER_MANUAL", None, None)


def test_s07_a_farmer_with_a_business_is_judged_by_his_plots() -> None:
    """The same plots under the cafe's register: what only a business has does not apply, people neither; L2 is from home."""
    document = changed("S07")
    shop = cafe("S07")
    del document["subject_person"]
    document["business"], document["sources"]["REGISTRATION"] = shop["business"], {"from": "2025-01"}
    found = result_with(document)
    assert found["features"]["ss_months_in_business"]["missing_reason"] == "NOT_APPLICABLE"
    assert (found["score"]["total"], found["limit"]["before_caps"], found["checks"]["L2"]["d"]) == (589, "72000.00", "1.11")


def test_s09_pairs_are_shown_and_do_not_move_the_tier() -> None:
    """Declared 12·20,000 = 240,000: R1 and R3 SEVERE. R2 passes, TAX is the outlier; the tier stays HIGH by O1 and O2 and the three notes say so.

    VR = min(TRADE, CASH) = 1,911,504.42, DEBT 855,752.21.
    """
    found = result("S09", lambda one: one["tax"]["vat_returns"][0].update(declared=["20000.00"] * 24))
    assert [found["checks"][name]["status"] for name in ("R1", "R2", "R3")] == ["SEVERE", "PASS", "SEVERE"]
    assert (found["tier"], found["dimensions"]["R"], found["verified_revenue"]) == ("HIGH", "1.0000", "1911504.42")
    assert (found["limit"]["caps"]["DEBT"], found["notes"]) == ("855752.21", ["XR1", "XR3"])


def test_s09_an_order_its_buyer_does_not_stand_by_is_a_conflict() -> None:
    """dev(700,000, 400,000 + 100,000) = .2857 above .20."""
    found = result("S09", order(1, confirmed="100000.00", invoiced="0.00"))
    assert (found["checks"]["O1"]["status"], found["tier"]) == ("SEVERE", "CONFLICT")
    assert (found["outcome"], found["reasons"], found["customer_reasons"]) == ("REFER_MANUAL", ["XO1"], ["XO1", "XC1"])


def test_s09_one_buyers_part_is_half_of_the_product() -> None:
    """Government 4,000,000·.70 = 2,800,000, cut at 1,500,000; customer a 98,500: 1,598,500. Raised 3,400,000 cut as well, and 123,125: 1,623,125. DEBT 890,000 binds."""
    found = result("S09", order(0, amount="4000000.00", confirmed="4000000.00"))
    assert (found["limit"]["base"], found["limit"]["before_caps"]) == ("1598500.00", "1623125.00")
    assert (found["limit"]["final_limit"], found["limit"]["binding"]) == ("890000.00", ["K03"])


def test_s09_cover_of_the_request_by_open_orders() -> None:
    """(400,000 + 197,000)/300,000 = 1.99."""
    asked = result("S09", lambda one: one.update(request={"purpose": "OPERATING", "amount": "300000.00"}))
    assert asked["features"]["sc_open_order_cover"]["value"] == "1.9900"
    assert result("S09")["features"]["sc_open_order_cover"]["missing_reason"] == "INSUFFICIENT_COVERAGE"
    assert result("S02")["features"]["sc_open_order_cover"]["missing_reason"] == "NOT_CONNECTED"


def test_s12_either_of_two_sources_opens_the_gate() -> None:
    """Without social insurance: P2 unavailable, P3 .30 of .60, just half: P stays. U1 is not earned: 48,000·1.10. Without both the first one says why."""
    found = result("S12", without("SOCIAL_INSURANCE"))
    assert (found["tier"], found["limit"]["before_caps"]) == (
        "MEDIUM",
        "50400.00",
    )  # K = (.2·.5 + .3·.3/.55)/.5 = .5273, tau .5: 48,000·1.05
    closed = evaluated(changed("S12", without("SOCIAL_INSURANCE", "HOUSING_FUND")))
    assert closed.gate[0] == (SourceKind.SOCIAL_INSURANCE, MissingReason.NOT_CONNECTED)
    assert closed.reasons.codes == ("G03",)


def test_s12_the_income_of_one_source_is_cut() -> None:
    """Nothing declared: .70·8,000 = 5,600; six times 33,600."""
    assert result("S12", lambda one: one["tax"].pop("personal_income"))["limit"]["legs"]["INCOME"] == "33600.00"


def test_s12_a_second_loan_may_be_larger() -> None:
    """A loan at the lender paid in time all year."""
    again = result("S12", lambda one: one["bureau"]["accounts"][0].update(lender=one["reference"]["lender"]))
    assert again["limit"]["caps"]["PRODUCT"] == "300000.00"
    late = {"first": "2024-01", "codes": "N" * 19 + "1" + "N" * 4}
    recent = result("S12", lambda one: one["bureau"]["accounts"][0].update(lender=one["reference"]["lender"], statuses=late))
    assert recent["limit"]["caps"]["PRODUCT"] == "150000.00"


def owner_from_elsewhere(document: Document) -> None:
    """The owner of the cafe, insured by himself for three years, with a hukou elsewhere."""
    document["people"]["owner"]["hukou_city"] = "安庆市"
    document["ledger"]["flows"][0]["per_month"] = 1
    document["sources"]["SOCIAL_INSURANCE"] = {"from": "2023-01"}
    insured = {"person": "owner", "employer": None, "from": "2023-01", "to": "2025-12", "base": "4800.00"}
    none = {"first": "2025-01", "headcount": [0] * 12, "base": ["0.00"] * 12}
    document["social_insurance"] = {"city": "宁波市", "rates": {"PENSION": ["0.14", "0.08"]}, "employer": none, "persons": [insured]}


def owner(*changes: Change) -> Document:
    document = cafe("S12")
    for change in (owner_from_elsewhere, *changes):
        change(document)
    return result_with(document)


def declares(*quarters: str) -> Change:
    return lambda document: document["tax"].update(
        vat_returns=[{"first": "2025Q1", "declared": list(quarters), "filed_day": 12}] if quarters else []
    )


def with_fund_and_income(document: Document) -> None:
    """A housing-fund account of the owner's own, and the same income declared."""
    row = {"person": "owner", "employer": {"name": "公司", "uscc": EMPLOYER}, "status": "NORMAL", "from": "2024-01", "to": "2025-12"}
    account = {**row, "base": "8000.00", "employer_rate": "0.12", "employee_rate": "0.12"}
    document["housing_fund"] = {"city": "宁波市", "accounts": [account]}
    document["sources"]["HOUSING_FUND"] = {"from": "2024-01"}
    document["tax"].update(personal_income=[{"person": "owner", "first": "2025-01", "amounts": ["8000.00"] * 12}])


def test_s12_an_owner_with_three_observers_is_verified_like_anybody() -> None:
    """INCOME 6·150,400/12 = 75,200; REVENUE .10·473,400·12/12 = 47,340; base 47,340. P is null (no fund). The scenario names SHOP, so L4 is unavailable, not N/A:
    K = .4722 + 0 + .3·.60/1.00 = .6522, MEDIUM, tau .5.

    U1 36 local months .15; U4 rent in all six months .05: 47,340·(1 + .5·.20) = 52,074. CAPACITY (equal instalments) does not bind.
    """
    found = owner()
    assert (found["tier"], found["coverage"], found["verified_revenue"]) == ("MEDIUM", "0.6522", "473400.00")
    assert found["limit"]["legs"] == {"INCOME": "75200.00", "REVENUE": "47340.00", "FIXED": "100000.00"}
    assert found["limit"]["before_caps"] == "52074.00"


def test_s12_an_owner_with_one_observer_has_no_revenue_and_half_the_uplift() -> None:
    """Only PAYMENT observes: R does not apply, there is no verified revenue and no leg of it. P is null: UNVERIFIED, without XC2.

    With a fund account of his own and his declared income P3 stands for P: C = 1, K = (.2·1 + .3·.60)/.5 = .76, HIGH, and tau is .5 all the same.
    """
    found = owner(without("TAX", "INVOICE"))
    assert (found["tier"], found["observers"], found["verified_revenue"]) == ("UNVERIFIED", None, None)
    assert found["features"]["rr_debt_to_revenue"]["missing_reason"] == "NOT_APPLICABLE"
    assert "XC2" not in found["reasons"]
    half = owner(without("INVOICE"), with_fund_and_income, declares())
    assert (half["tier"], half["tau"], half["coverage"], half["verified_revenue"]) == ("HIGH", "0.5", "0.7600", None)
    assert half["limit"]["legs"]["REVENUE"] is None


def test_s12_two_observers_too_few_to_judge_by_do_no_harm() -> None:
    """TAX and CASH alone: R3 agrees, .20 of the .90 that applies, so R is null. The same as with one observer, not UNVERIFIED; but what contradicts is a conflict.

    Declared 10,000: R3 = 465,247.52/475,247.52 = .979, above .60.
    """
    found = owner(without("INVOICE"), with_fund_and_income)
    assert (found["tier"], found["tau"], found["coverage"], found["verified_revenue"]) == ("HIGH", "0.5", "0.7600", None)
    against = owner(without("INVOICE"), with_fund_and_income, declares("2500.00", "2500.00", "2500.00", "2500.00"))
    assert (against["tier"], against["checks"]["R3"]["d"], against["outcome"]) == ("CONFLICT", "0.9790", "REFER_MANUAL")


@pytest.mark.parametrize("reason", MissingReason)
def test_whatever_closes_the_gate_is_said(reason: MissingReason) -> None:
    """A consent that rests, or that does not name the app that asks, among them: it cannot be decided, and the customer is told which source it is about."""
    dossier, policy = dossier_of(Persona.model_validate(customer("S01"))), load_policy("S01")
    kind = policy.sources[0].kind
    closed = replace(dossier, sources={**dossier.sources, kind: SourceState(kind, reason)})
    made = evaluate(closed, policy, Request("OPERATING"))
    assert (made.outcome, len(made.reasons.codes)) == ("INSUFFICIENT_DATA", 1)
    assert kind in wording(made.reasons.codes[0], made.gate)[0]
