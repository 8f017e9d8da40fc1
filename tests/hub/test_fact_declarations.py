"""What a kind of fact may be declared as. The read of a page finds facts of a kind with a day by that day alone."""

from __future__ import annotations

from datetime import date

import pytest

from hub.domain.enums import SourceKind
from hub.domain.facts import declare
from hub.domain.facts.declare import about, fact


def declared(day: object) -> None:
    plain = type(
        "Visit",
        (),
        {"__doc__": "One.", "__annotations__": {"number": str, "on": day}, "number": about("Its key."), "on": about("Its day.")},
    )
    fact(source=SourceKind.SHOP, key=("number",), occurred="on")(plain)


def test_a_fact_that_counts_on_a_day_always_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declare, "_REGISTRY", {})
    declared(date)
    with pytest.raises(TypeError, match="always has one"):
        declared(date | None)
