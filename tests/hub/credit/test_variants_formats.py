"""Every variant is a persona by the format's own schema, and its result is an expected file by that of the results. Both schemas lie in ../shared."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hub.credit.expected import rounded
from tests.hub.credit.scenario_customers import CUSTOMERS, customer
from tests.hub.credit.scenario_customers import result_of as scenario_result
from tests.hub.credit.variants import VARIANTS, changed, result_of


def validator(shared: Path, name: str) -> Any:
    schema = json.loads((shared / "golden" / name).read_text("utf-8"))
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def faults(of: Any, document: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in of.iter_errors(document)]


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_is_a_persona(shared: Path, name: str) -> None:
    assert faults(validator(shared, "persona.schema.json"), changed(*VARIANTS[name])) == []


@pytest.mark.parametrize("name", VARIANTS)
def test_its_result_is_of_the_expected_format(shared: Path, name: str) -> None:
    assert faults(validator(shared, "expected.schema.json"), result_of(name)) == []


@pytest.mark.parametrize("scenario", CUSTOMERS)
def test_a_customer_of_each_scenario_keeps_both_formats(shared: Path, scenario: str) -> None:
    assert faults(validator(shared, "persona.schema.json"), customer(scenario)) == []
    assert faults(validator(shared, "expected.schema.json"), scenario_result(scenario)) == []


def test_the_schema_notices_what_does_not_belong(shared: Path) -> None:
    """The control: a unit of its own, a figure that is no text, a section of its own."""
    document = json.loads(json.dumps(result_of("as it is")))
    document["features"]["op_age"]["unit"] = "SECONDS"
    document["consistency"], document["remark"] = 0.98, "x"
    assert len(faults(validator(shared, "expected.schema.json"), document)) == 3


def test_a_rounded_zero_has_no_sign() -> None:
    assert (rounded(Decimal("-0.00004"), 4), rounded(Decimal("-0.00005"), 4)) == ("0.0000", "-0.0001")
