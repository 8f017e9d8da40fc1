"""属地经营: a local lender lends where it is; what is unknown declines nobody (互联网贷款 2021-24)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.sandbox.persona import Persona
from hub.credit.evaluate import Request, evaluate
from hub.credit.policy import load_policy
from hub.credit.reference import check_reference
from hub.domain.facts import BusinessRegistration
from tests.hub.credit.dossiers import dossier_of
from tests.hub.credit.scenario_customers import customer


@pytest.mark.parametrize(
    ("scenario", "area", "outcome"),
    [
        ("S02", None, "ENHANCED"),
        ("S02", {"宁波市", "杭州市"}, "ENHANCED"),
        ("S02", {"杭州市"}, "INELIGIBLE"),
        ("S05", {"宁波市"}, "ENHANCED"),
        ("S05", {"杭州市"}, "INELIGIBLE"),
    ],
)
@pytest.mark.law("互联网贷款 2021-24: service area")
def test_a_local_lender_stays_in_its_area(scenario: str, area: set[str] | None, outcome: str) -> None:
    """A firm of 宁波 and an employee who lives there."""
    dossier = dossier_of(Persona.model_validate(customer(scenario)))
    reference = replace(dossier.reference, service_area=None if area is None else frozenset(area))
    found = evaluate(replace(dossier, reference=reference), load_policy(scenario), Request())
    assert (found.outcome, "E26" in found.reasons.codes) == (outcome, outcome == "INELIGIBLE")


def test_an_operating_place_in_the_area_is_enough_and_an_unknown_one_declines_nobody() -> None:
    dossier = dossier_of(Persona.model_validate(customer("S02")))
    (own,) = dossier.of(BusinessRegistration)
    served = replace(dossier, reference=replace(dossier.reference, service_area=frozenset({"杭州市"})))
    moved = replace(served, facts={**served.facts, BusinessRegistration: (replace(own, operating_city="杭州市"),)})
    assert evaluate(moved, load_policy("S02"), Request()).outcome == "ENHANCED"
    person = dossier_of(Persona.model_validate(customer("S05")))
    nowhere = replace(person, subject=replace(person.subject, residence_city=None), reference=served.reference)
    assert evaluate(nowhere, load_policy("S05"), Request()).outcome == "ENHANCED"


def test_the_area_is_a_reference_document() -> None:
    text = '{"source": "licence", "effective_from": "2026-01-01", "documents": {"service_area": ["宁波市", ""]}}'
    assert [one.where for one in check_reference(text)] == ["documents.service_area[1]"]
    assert check_reference(text.replace(', ""', "")) == []
