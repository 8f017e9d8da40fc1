"""What the law forbids to collect has no place to be kept in, and what is sensitive is said to be."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from hub.domain.enums import Sensitivity, SourceKind
from hub.domain.facts import BehaviourSession, FieldType, all_specs, spec_of
from hub.store import tables
from hub.store.fact_tables import FACT_TABLES
from hub.store.metadata import metadata

FORBIDDEN = re.compile(
    r"religio|belief|gene(tic|s)?_|dna|fingerprint|blood|illness|disease|diagnos|health_record|medical|biometric|face_|iris|voiceprint|"
    r"gender|(^|_)sex($|_)|ethnic|nation(ality)?$|minzu|contact_list|phone_book|address_book|browsing|phone_brand|device_brand|device_model|password|cvv|pin_code"
)  # fmt: skip
"""征信业管理条例 14; JR/T 0171, C3; what the domain brief bars as inputs or lets nobody collect."""


def columns() -> list[str]:
    """Of every table, those of facts among them."""
    assert tables and set(FACT_TABLES) == {spec.name for spec in all_specs()}
    return [f"{table.name}.{column.name}" for table in metadata.tables.values() for column in table.columns]


def forbidden(names: Iterable[str]) -> list[str]:
    return [name for name in names if FORBIDDEN.search(name.partition(".")[2])]


@pytest.mark.law("征信业管理条例 14: never", "requirements: fraud monitoring only", "fairness: barred inputs")
def test_nothing_forbidden_has_a_column() -> None:
    assert len(columns()) > 500
    assert forbidden(columns()) == []


@pytest.mark.parametrize(
    "name", ["party.religion", "party.blood_type", "fact_x.gender", "customer.ethnicity", "fact_x.phone_brand", "fact_x.contact_list"]
)
def test_the_look_at_columns_notices(name: str) -> None:
    assert forbidden([name]) == [name]


@pytest.mark.law("JR/T 0171: no C3")
def test_no_fact_has_a_field_of_class_c3() -> None:
    assert [f"{spec.name}.{field.name}" for spec in all_specs() for field in spec.fields if field.sensitivity is Sensitivity.C3] == []


@pytest.mark.law("PIPL 28: sensitive")
def test_devices_and_whereabouts_of_persons_are_sensitive() -> None:
    """Places of orders and of a business's registration are the business's; a person's home, plot and session are his."""
    places = {
        f"{spec.name}.{field.name}": field.sensitivity
        for spec in all_specs()
        for field in spec.fields
        if field.kind is FieldType.COORDINATE
    }
    persons = {name: level for name, level in places.items() if name.startswith(("HouseholdRegistration", "FarmPlot"))}
    assert len(persons) == 4 and set(persons.values()) == {Sensitivity.C2}
    session = {field.name: field.sensitivity for field in spec_of(BehaviourSession).fields}
    assert (session["device"], session["city"]) == (Sensitivity.C2, Sensitivity.C2)
    assert {spec.name for spec in all_specs() if spec.source is SourceKind.DEVICE} == {"BehaviourSession"}, (
        "a source, and a consent, of its own"
    )
