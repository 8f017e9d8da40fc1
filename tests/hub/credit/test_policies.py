"""Policy documents: every scenario has one, each number says where it comes from, and what is wrong is refused with its place and its remedy."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from hub.credit import policies
from hub.credit.evaluate import Request, evaluate
from hub.credit.expressions import Known, Layers, Missing, amount
from hub.credit.expressions import evaluate as is_true
from hub.credit.policy import load_policy, read_policy
from hub.credit.probing import condition_fault
from hub.credit.scenario.cost import cost_of
from hub.credit.scenario.inputs import KINDS, Material, known_inputs
from hub.credit.validation import engine_faults
from hub.domain.enums import MissingReason, Outcome
from hub.errors import PolicyInvalid
from tests.hub.credit.scenario_customers import customer
from tests.hub.credit.variants import evaluated

SCENARIOS = [f"S{number:02d}" for number in range(1, 13)]
LATER = [name for name in SCENARIOS if name not in ("S01", "S03")]


def test_every_scenario_has_a_policy() -> None:
    assert policies.names() == SCENARIOS
    assert [load_policy(name).id for name in SCENARIOS] == SCENARIOS


def test_a_scenario_nobody_knows() -> None:
    with pytest.raises(PolicyInvalid, match=r"no policy for scenario S13\.") as refused:
        load_policy("S13")
    assert refused.value.remedy == f"Known are {', '.join(SCENARIOS)}."


@pytest.mark.parametrize("name", LATER)
@pytest.mark.law("征信业务管理办法: explainable")
def test_each_number_says_where_it_comes_from(name: str) -> None:
    document = policies.document(name)
    listed = [one for part in ("eligibility", "legs", "uplifts", "downgrade") for one in document[part]]
    assert [one for one in listed if not one.get("source")] == []
    lone = {*document["caps"], "price", "term"} | {part for part in ("factor", "advance") if part in document}
    assert set(document["sources_of"]) == lone


def changed(name: str, path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    document = deepcopy(policies.document(name))
    inside: Any = document
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = value
    return document


REFUSED = {
    "a name nobody provides": (
        ("S02", ("eligibility", 1, "pass"), "ss_max_invoice_gaps <= 90"),
        "S02, eligibility[1].pass: 'ss_max_invoice_gaps <= 90' names 'ss_max_invoice_gaps', which nothing is called.",
        "Use a feature id of the catalogue or a documented input.",
    ),
    "a device that decides": (
        ("S02", ("eligibility", 1, "pass"), "op_device_count <= 3"),
        "S02, eligibility[1].pass: 'op_device_count <= 3' names 'op_device_count', which is for fraud prevention and monitoring only (requirements).",
        "Leave it out",
    ),
    "a device in a cap": (("S02", ("caps", "REVENUE"), "100000 * op_paste_ratio"), "for fraud prevention and monitoring only", "Leave it out"),
    "the sex of the owner": (("S02", ("uplifts", 0, "any"), ["owner_gender == 'F'"]), "names 'owner_gender', which no decision may look at (PIPL 24)", "Leave it out"),
    "the region of the number": (("S02", ("factor",), "id_region == 33 ? 1.0 : 0.8"), "names 'id_region', which no decision may look at (PIPL 24)", "Leave it out"),
    "the brand of the phone": (("S02", ("legs", 0, "amount"), "phone_brand * 2"), "no decision may look at (requirements)", "Leave it out"),
    "a price of its own": (("S02", ("rate",), "0.04 + 0.01 * ss_cv"), "S02, rate: a price depends on the grade and on the tier", "Leave it out"),
    "no expression": (("S02", ("eligibility", 1, "pass"), "ss_max_invoice_gap <="), "cannot be read", "Correct the expression."),
    "a word against a number": (("S01", ("eligibility", 1, "pass"), "ss_tax_rating >= 3"), "compares what cannot be compared", "Correct the expression."),
    "a number that may be a word": (("S04", ("eligibility", 0, "pass"), "rr_dscr >= 1.2"), "compares what cannot be compared", "Correct the expression."),
    "a value for a condition": (("S04", ("eligibility", 0, "pass"), "acquiring_months + 6"), "is no condition", "Correct the expression."),
    "a word that never comes": (
        ("S05", ("uplifts", 2, "any"), ["op_education in ['BACHELOR', 'PHD']"]),
        "S05, uplifts[2].any[0]: \"op_education in ['BACHELOR', 'PHD']\" asks for 'PHD', which none of its names can be.",
        "Use one of the words the name can be.",
    ),
    "a rule that cannot pass": (
        ("S02", ("eligibility", 4, "pass"), "ss_growth_6m_yoy >= 20 and ss_growth_6m_yoy <= -0.50"), "is always false", "Correct the bounds, or leave it out."
    ),
    "a rule that cannot fail": (("S06", ("eligibility", 0, "pass"), "insured_headcount < 3 or insured_headcount >= 3"), "is always true", "Correct the bounds, or leave it out."),
    "a referral that never comes": (
        ("S01", ("eligibility", 1, "refer"), "ss_tax_rating == 'A'"), "eligibility[1].refer: \"ss_tax_rating == 'A'\" never holds where the rule fails", "leave it out",
    ),
    "a row that is never reached": (
        ("S02", ("factor",), "sc_top5_customer_share <= 0.80 ? 1.0 : sc_top5_customer_share <= 0.60 ? 0.8 : 0.6"),
        "S02, factor: 'sc_top5_customer_share <= 0.80 ? 1.0 : sc_top5_customer_share <= 0.60 ? 0.8 : 0.6' has a row that is never reached",
        "Correct the bounds, or leave it out.",
    ),
    "a last row that is never reached": (
        ("S03", ("factor",), "min([cb_shop_score < 4.7 ? 0.9 : cb_shop_score >= 4.7 ? 1.0 : 0.8, 1])"), "has a last row that is never reached", "Correct the bounds"
    ),
    "a condition for an amount": (("S06", ("legs", 0, "amount"), "cs_headcount_avg >= 3"), "is no amount", "Correct the expression."),
    "a text for an amount": (("S06", ("legs", 0, "amount"), "ss_tax_rating"), "is no amount", "Correct the expression."),
    "a sum of words": (("S06", ("legs", 0, "amount"), "ss_tax_rating + 1"), "computes with what is no number", "Correct the expression."),
    "the rate outside a cap": (("S05", ("legs", 0, "amount"), "48 * monthly_deposit * rate"), "names 'rate'", "Use a feature id"),
    "a code nobody explains": (("S02", ("eligibility", 0, "code"), "E99"), "S02, eligibility[0].code: 'E99' is not known.", "Known are"),
    "a cap the engine does not know": (("S02", ("caps",), {"PRODUCT": "1", "COLLATERAL": "2"}), "S02, caps.COLLATERAL: `COLLATERAL` is not known.", "Known are PRODUCT"),
    "a guarantee nobody gives": (("S02", ("guarantee",), ["PRAYER"]), "S02, guarantee[0]: 'PRAYER' is not known.", "Known are UNSECURED"),
    "a way to repay nobody knows": (("S02", ("repayment",), ["SOMETIMES"]), "'SOMETIMES' is not known.", "Known are REVOLVING"),
    "a revenue dimension": (("S02", ("revenue_dimension",), "PERHAPS"), "S02, revenue_dimension: 'PERHAPS' is not known", "Known are REQUIRED"),
    "no replacement": (("S07", ("replaced_by",), []), "goes with a revenue_dimension that is REPLACED", "Name the checks"),
    "a replacement that is none": (("S07", ("replaced_by",), ["R1"]), "'R1' is no check of farms or orders", "Use F1 and F2"),
    "no product cap": (("S02", ("caps",), {}), "S02, the document: a policy needs legs or an advance, a PRODUCT cap", "Add what is missing."),
    "an uplift of nothing": (("S02", ("uplifts", 0, "share"), "0"), "S02, uplifts[0].share: an uplift has a share above 0", "Correct it"),
    "two legs of one name": (("S06", ("legs", 1, "id"), "STAFF"), "S06, legs[1].id: STAFF stands there twice.", "Leave one of the two out."),
    "a source twice": (("S06", ("optional_sources",), ["TAX"]), "S06, optional_sources[0]: TAX is a source that it cannot do without, too.", "Leave one of the two out."),
    "an unknown step": (("S02", ("downgrade", 0, "action"), "CALL"), "S02, downgrade[0].action: 'CALL' is not known.", "Known are FREEZE_UNDRAWN"),
    "a cut without a share": (("S02", ("downgrade", 0, "action"), "REDUCE_UNDRAWN"), "REDUCE_UNDRAWN, and nothing else, has a share", "Correct the step."),
    "a figure that is none": (("S02", ("uplift_ceiling",), "much"), "S02, uplift_ceiling: is no share from 0 to 1", "Write one there."),
}  # fmt: skip


@pytest.mark.parametrize("fault", REFUSED)
@pytest.mark.law("fairness: barred inputs", "requirements: fraud monitoring only", "PIPL 24: price")
def test_what_is_wrong_is_refused_with_its_place_and_its_remedy(fault: str) -> None:
    (name, path, value), said, remedy = REFUSED[fault]
    with pytest.raises(PolicyInvalid) as refused:
        read_policy(changed(name, path, value))
    assert said in str(refused.value)
    assert remedy in refused.value.remedy


BROKEN: dict[str, tuple[tuple[str | int, ...], Any, str]] = {
    "an exclusion that never comes": (
        ("hard_exclusions", 0, "unless"), "registration_status == 'ACTIVE' or registration_status != 'ACTIVE'", "is always true"
    ),
    "an exclusion nobody explains": (("hard_exclusions", 0, "code"), "E77", "'E77' is not known"),
    "a bin that is never reached": (("score", "characteristics", 0, "bins", 1, 0), "x < 11", "has a row that is never reached: 'ss_months_in_business < 11'"),
    "a value without a bin": (("score", "characteristics", 0, "bins", 3, 0), "x > 60", "some values fall into no bin"),
    "a grade without a bin": (("score", "characteristics", 5, "bins", 4, 0), "x == 'C'", "has a row that is never reached"),
    "a characteristic of nothing": (("score", "characteristics", 0, "feature"), "ss_months", "nothing is called 'ss_months'"),
    "bands that do not rise": (("checks", "R1", "fair"), "0.05", "its bands do not rise"),
    "a price by region": (("price", "spreads", "NINGBO"), "0.0500", "not by grade alone (PIPL 24)"),
    "a price by anything else": (("price", "by_age"), {}, "it has other members than"),
    "a device in the scorecard": (("score", "characteristics", 0, "feature"), "op_device_count", "for fraud prevention and monitoring only"),
    "a rung nobody knows": (("ladder", "LOW"), "SHRUG", "'SHRUG' is not known"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.law("PIPL 24: price")
def test_what_is_wrong_with_the_engines_parameters_is_found(fault: str) -> None:
    path, value, said = BROKEN[fault]
    found = list(engine_faults(changed("engine", path, value)))
    assert any(said in wrong for _, wrong, _ in found)
    assert all(remedy for _, _, remedy in found)


def test_the_engines_parameters_as_they_are_pass() -> None:
    assert list(engine_faults(policies.document("engine"))) == []


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_policies_as_they_are_pass(name: str) -> None:
    """The control: nothing but the fault is refused."""
    assert read_policy(deepcopy(policies.document(name))).id == name


def test_a_condition_of_many_names_is_not_taken_for_one_that_cannot_turn() -> None:
    """Five numbers have more combinations than are tried: what was not met is then no proof. Of two numbers all are tried."""
    names = ("ss_cv", "ss_trend", "ss_refund_rate", "cs_rent_ratio", "cs_wage_ratio")
    assert condition_fault(" and ".join(f"{name} > 0.1 and {name} < 0.9" for name in names)) is None
    assert condition_fault("ss_cv > 0.1 and ss_trend > 0.1 and ss_cv < 0.05") == "is always false"


def test_an_input_is_computed_when_it_is_asked_for() -> None:
    """A policy names a few of many inputs, and some of the others read every transaction."""
    found = evaluated(customer("S05"))
    assert found.findings
    inputs = known_inputs(Material(found.dossier, found.findings.features, found.findings.verdict))
    assert set(inputs) == set(KINDS) and len(inputs) == len(KINDS)
    assert inputs._made == {}
    assert (inputs["monthly_deposit"].value, set(inputs._made)) == (Decimal(1920), {"monthly_deposit"})
    names = Layers({"monthly_deposit": Known(Decimal(1), None, numeric=True)}, inputs)
    assert (names["monthly_deposit"].value, names["fund_account_status"].value) == (1, "NORMAL")
    with pytest.raises(KeyError):
        names["nobody"]


@pytest.mark.parametrize("expression", ["a / b > 10", "a / b <= 10", "a % b > 1", "c * c * c > 1", "c ^ 9 > 1"])
def test_a_condition_that_cannot_be_computed_is_unknown(expression: str) -> None:
    """By zero nothing is divided, and zen-engine computes 28 digits: neither is false, and neither stops an evaluation."""
    names = {name: Known(Decimal(value), None, numeric=True) for name, value in (("a", 5), ("b", 0), ("c", 10**15))}
    for known in (names, Layers(names)):
        assert is_true(expression, known) == Missing(MissingReason.ZERO_DENOMINATOR)
        assert amount(expression.split(" > ")[0].split(" <= ")[0], known) == Missing(MissingReason.ZERO_DENOMINATOR)
    assert is_true("a > 3 or a / b > 10", names) is True, "control: what is decided before is decided"
    with pytest.raises(RuntimeError):
        is_true("a > 'x'", names)


UNCOMPUTABLE: dict[str, tuple[tuple[Any, ...], Any]] = {
    "a share of nothing": (("eligibility", 0, "pass"), "verified_revenue / zero_filing_run > 2"),
    "a leg beyond all digits": (("legs", 1, "amount"), "verified_revenue * verified_revenue * verified_revenue * verified_revenue * verified_revenue"),
    "a term of less than a month": (("term", "base"), "0.5"),
    "a term that no loan has": (("term", "base"), "verified_revenue"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNCOMPUTABLE)
def test_what_passes_the_check_can_be_evaluated(name: str) -> None:
    """A person decides, or data are missing: it is no error of the hub, and no decline."""
    path, value = UNCOMPUTABLE[name]
    document = changed("S01", path, value)
    document["fees"] = [{"kind": "GUARANTEE", "once": "0.0100"}]
    dossier = evaluated(customer("S01")).dossier
    made = evaluate(dossier, read_policy(document), Request())
    assert (made.outcome, cost_of(made)) == (
        Outcome.INSUFFICIENT_DATA if path[0] == "eligibility" else Outcome.REFER_MANUAL,
        None,
    )
