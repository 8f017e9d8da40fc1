"""The generated reference pages are what the declarations say today."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.cli.feature_reference import FAMILIES, features_page
from hub.cli.model_reference import models_page
from hub.cli.product_reference import products_page
from hub.cli.reference import facts_page
from hub.cli.scenario_reference import scenarios_page
from hub.credit.features import CATALOGUE
from hub.credit.reference import check_reference

ROOT = Path(__file__).resolve().parents[2]


def test_the_data_dictionary_is_current() -> None:
    assert (ROOT / "docs" / "reference" / "facts.md").read_text("utf-8") == facts_page(), "run `make docs`"


def test_the_features_are_those_of_the_catalogue() -> None:
    page = (ROOT / "docs" / "reference" / "features.md").read_text("utf-8")
    assert page == features_page(), "run `make docs`"
    # A family that the page has no place for would be left out in silence.
    assert {one.family for one in CATALOGUE.values()} == set(FAMILIES)


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
