"""The project's own golden personas, one for each scenario and one for each family of features, against what was derived for them in :mod:`tests.personas`.

Straight from the persona; the whole path is :mod:`tests.e2e.test_own_personas`. S07 and S09 are derived in :mod:`tests.e2e.test_orders_and_plots`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.hub.credit.scenario_customers import result_with
from tests.personas import NAMES, as_persona_1, document_of
from tests.personas.arithmetic import D, Derived, cross_check, wrong
from tests.personas.awkward import CASES, Case
from tests.personas.families import FAMILIES, shop_in_other_families
from tests.personas.people import DERIVED


@cache
def found_of(name: str) -> dict[str, Any]:
    return result_with(document_of(name))


def features(derived: Derived) -> Derived:
    return {f"features.{name}": value for name, value in derived.items()}


def test_every_scenario_has_a_persona_of_its_own_with_a_derivation() -> None:
    assert set(DERIVED) == set(NAMES)
    scenarios = {document_of(name)["scenario"] for name in NAMES} | {"S07", "S09"}
    assert sorted(scenarios) == [f"S{number:02}" for number in range(1, 13)]


@pytest.mark.parametrize("name", NAMES)
def test_the_evaluation_is_what_was_derived(name: str) -> None:
    assert wrong(found_of(name), DERIVED[name]()) == []


@pytest.mark.parametrize("family", FAMILIES)
def test_every_feature_of_a_family_is_what_was_derived(family: str) -> None:
    name, derived = FAMILIES[family]()
    said = {one for one in found_of(name)["features"] if one.startswith(f"{family}_")}
    assert said == set(derived), "the derivation leaves none out"
    assert wrong(found_of(name), features(derived)) == []


def test_the_features_a_shop_has_in_other_families() -> None:
    name, derived = shop_in_other_families()
    assert wrong(found_of(name), features(derived)) == []


@pytest.mark.parametrize("case", CASES)
def test_who_is_hard_to_decide(case: str) -> None:
    assert wrong(result_with(CASES[case].document()), CASES[case].derived) == []


def test_cannot_decide_is_apart_from_declined() -> None:
    """In every scenario somebody cannot be decided, and where the golden one is offered something somebody is declined or sent to a person."""
    outcomes: dict[str, set[str]] = {}
    for one in CASES.values():
        outcomes.setdefault(one.document()["scenario"], set()).add(one.derived["outcome"])
    assert {scenario for scenario, found in outcomes.items() if "INSUFFICIENT_DATA" in found} == {
        f"S{number:02}" for number in range(1, 13)
    }
    for one in CASES.values():
        codes = "".join(code[0] for code in one.derived.get("reasons", ()))
        assert {"INSUFFICIENT_DATA": "G", "INELIGIBLE": "EX"}.get(one.derived["outcome"], "GECXK").find(codes[:1]) >= 0


def test_a_case_that_changed_nothing_would_be_noticed() -> None:
    """The control: without its changes no case that is not offered the golden one's limit comes out as derived."""
    as_golden = {"s01-owed-tax", "s08-a-category-of-the-place", "s09-orders-are-ten-days-old"}
    same = {name for name, one in CASES.items() if wrong(result_with(Case(one.base, (), {}).document()), one.derived) == []}
    assert same == as_golden


def test_a_derivation_notices_a_cent() -> None:
    """The control: one cent more declared, one day more of insurance, one code less."""
    found = json.loads(json.dumps(found_of("furniture-maker")))
    found["observers"]["TAX"]["value"] = "2766000.01"
    found["features"]["rr_max_dpd_24m"]["value"] = 60
    found["reasons"].pop()
    assert len(wrong(found, DERIVED["furniture-maker"]())) == 2
    assert len(wrong(found, features(FAMILIES["rr"]()[1]))) == 1


def test_the_arithmetic_is_that_of_the_briefs_own_example() -> None:
    """8.2: P2 .2154 scores .7692, P = .9308, C = .9862, K = .94."""
    said = cross_check(
        {**dict.fromkeys(("R1", "R2", "R3", "R4", "R5", "R6", "P1", "P3", "L1", "L2"), D(0)), "P2": D(436_800) / 2_028_000}, "L4"
    )
    assert (said["checks.P2.status"], said["checks.P2.s"], said["dimensions.P"]) == ("WARN", "0.7692", "0.9308")
    assert (said["consistency"], said["coverage"]) == ("0.9862", "0.9400")


@pytest.mark.parametrize("name", NAMES)
def test_a_file_and_its_result_keep_both_formats(shared: Path, name: str) -> None:
    for schema, document in (("persona", as_persona_1(document_of(name))), ("expected", found_of(name))):
        found = Draft202012Validator(json.loads((shared / "golden" / f"{schema}.schema.json").read_text("utf-8")))
        assert [f"{one.json_path}: {one.message}" for one in found.iter_errors(document)] == []
