"""The generated reference pages are what the declarations say today."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub.cli.feature_reference import FAMILIES, features_page
from hub.cli.model_reference import models_page
from hub.cli.product_reference import products_page
from hub.cli.reference import facts_page
from hub.cli.scenario_reference import scenarios_page
from hub.cli.signs import SIGNS, UNITS
from hub.credit.features import CATALOGUE
from hub.credit.reference import check_reference
from hub.domain.enums import MissingReason, SourceKind, Unit

ROOT = Path(__file__).resolve().parents[2]


def test_the_data_dictionary_is_current() -> None:
    assert (ROOT / "docs" / "reference" / "facts.md").read_text("utf-8") == facts_page(), "run `make docs`"


def test_the_features_are_those_of_the_catalogue() -> None:
    page = (ROOT / "docs" / "reference" / "features.md").read_text("utf-8")
    assert page == features_page(), "run `make docs`"
    # A family that the page has no place for would be left out in silence.
    assert {one.family for one in CATALOGUE.values()} == set(FAMILIES)


_SIGN = re.compile(r"(?<![A-Za-z_])(?:[A-Z][A-Z0-9_]*(?:-[0-9]+)?|Σ)(?![A-Za-z0-9_])")
VALUES = {"LOW", "MEDIUM", "HIGH", "PROHIBITED", "NO_DEBT", "MATCH", "MISMATCH", "ACTIVE", "BANK_PERSONAL", "ID", *"ABCDGMNZ"}
"""Values of the feature itself, or of the facts that it reads: no signs."""
KNOWN = {name for one, _ in SIGNS for name in one} | set(MissingReason) | set(SourceKind) | VALUES


def unexplained(formula: str) -> set[str]:
    """Signs of a formula that the page does not explain: numbers of months and days, and the words in brackets, aside."""
    shapes = {re.sub(r"\d+", "#", one) for one in KNOWN}
    found = set(_SIGN.findall(re.sub(r"\[[^]]*\]", "", formula)))
    return {one for one in found if re.sub(r"\d+", "#", one) not in shapes}


def test_every_sign_of_a_formula_is_explained() -> None:
    assert set().union(*(unexplained(one.doc) for one in CATALOGUE.values())) == set()
    assert {one.unit for one in CATALOGUE.values()} - set(UNITS) <= {Unit.DAYS, Unit.MONTHS, Unit.YEARS, Unit.COUNT, Unit.SECONDS}
    assert unexplained("Σ GMV of W6 / EBITDA[X] at M-3") == {"EBITDA"}, "control: a sign that nobody explains is found"


@pytest.mark.parametrize("path", sorted((ROOT / "docs").rglob("*.md")), ids=lambda path: path.name)
def test_a_page_has_one_title(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.S | re.M)
    assert len(re.findall(r"^# ", text, flags=re.M)) == 1


@pytest.mark.law("征信业务管理办法: explainable")
def test_the_scenarios_are_those_of_the_policies() -> None:
    assert (ROOT / "docs" / "reference" / "scenarios.md").read_text("utf-8") == scenarios_page(), "run `make docs`"


def test_the_models_are_those_that_are_declared() -> None:
    assert (ROOT / "docs" / "reference" / "models.md").read_text("utf-8") == models_page(), "run `make docs`"


def test_the_products_are_those_of_the_catalogue() -> None:
    assert (ROOT / "docs" / "reference" / "products.md").read_text("utf-8") == products_page(), "run `make docs`"


def test_the_example_of_a_peers_product_has_no_fault() -> None:
    page = products_page()
    assert check_reference(page.split("```json")[1].split("```")[0]) == []
