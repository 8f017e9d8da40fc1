"""The golden personas, evaluated on dossiers made straight from them: every intermediate within its tolerance."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.persona import load
from hub.credit.evaluate import Request, evaluate
from hub.credit.expected import to_expected
from hub.credit.policy import load_policy
from tests.hub.credit.compare import differences
from tests.hub.credit.dossiers import dossier_of

NAMES = ("online-seller", "small-manufacturer", "conflicting-data")


@pytest.mark.parametrize("name", NAMES)
def test_every_intermediate(shared: Path, name: str) -> None:
    golden = shared / "golden"
    persona = load(golden / f"{name}.json")
    expected: dict[str, Any] = json.loads((golden / "expected" / f"{name}.json").read_text("utf-8"))
    request = Request(persona.request.purpose if persona.request else "OPERATING", persona.request.amount if persona.request else None)
    found = to_expected(evaluate(dossier_of(persona), load_policy(persona.scenario), request), persona.id)
    assert differences(found, expected) == []


def test_the_comparison_notices_a_cent_too_much() -> None:
    assert differences(
        {"tolerance": {"YUAN": "0.01"}, "limit": {"base": "1.02"}}, {"tolerance": {"YUAN": "0.01"}, "limit": {"base": "1.00"}}
    ) == ["limit.base: 1.02, expected 1.00"]
    assert differences({"limit": {"base": "1.01"}}, {"tolerance": {"YUAN": "0.01"}, "limit": {"base": "1.00"}}) == []
    assert Decimal("0.01") > 0
