"""What kind of customer the golden personas are, and why what is missing is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.persona import load
from hub.credit.dossier import Dossier
from hub.credit.evaluate import Request, evaluate
from hub.credit.policy import load_policy
from hub.credit.sources import unreadable
from hub.domain.enums import MissingReason, SourceKind
from hub.domain.facts import all_specs, spec_of
from hub.store.dossier.evidence import wanted
from hub.store.evaluations.profile import READ, profile_row
from tests.hub.credit.dossiers import dossier_of


def profile_of(dossier: Dossier, scenario: str) -> dict[str, Any]:
    found = evaluate(dossier, load_policy(scenario), Request()).findings
    assert found is not None
    return profile_row(dossier, found)


@pytest.mark.parametrize("name", ["online-seller", "small-manufacturer", "conflicting-data"])
def test_a_profile_says_what_it_knows_and_why_not_the_rest(shared: Path, name: str) -> None:
    persona = load(shared / "golden" / f"{name}.json")
    row = profile_of(dossier_of(persona), persona.scenario)
    assert row["industry_code"] and row["industry_section"] == row["industry_code"][0] and row["industry_section"].isalpha()
    assert row["region"].endswith("市")
    named = {"size": row["size_class"], "customerType": row["customer_type"], "productClass": row["product_class"]}
    assert {key for key, value in named.items() if value is None} == set(row["missing"]) & set(named)


def test_what_a_closed_source_would_say_is_missing_for_its_reason(shared: Path) -> None:
    persona = load(shared / "golden" / "online-seller.json")
    dossier, kind = dossier_of(persona), SourceKind.REGISTRATION
    found = evaluate(dossier, load_policy(persona.scenario), Request()).findings
    assert found is not None
    closed = replace(
        dossier,
        sources={**dossier.sources, kind: unreadable(dossier.source(kind), MissingReason.CONSENT_REVOKED)},
        facts={one: rows for one, rows in dossier.facts.items() if spec_of(one).source is not kind},
    )
    row = profile_row(closed, found)
    assert (row["industry_code"], row["region"]) == (None, None)
    assert (row["missing"]["industry"], row["missing"]["region"]) == ("CONSENT_REVOKED", "CONSENT_REVOKED")


def test_all_that_a_profile_reads_is_digested() -> None:
    """What segments and regions are made of is among the evidence sets, over the whole or the last twelve months."""
    spans = {spec.name: {span.name for span in found} for spec, found in wanted().items()}
    assert {spec.name for spec in all_specs()} >= READ
    assert all(spans[kind] & {"ALL", "W12"} for kind in READ)
