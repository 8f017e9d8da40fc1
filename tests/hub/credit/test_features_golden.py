"""The golden personas: every feature of the expected files comes out exactly; and what the demo's persona must give, always."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.persona import load
from hub.credit.features import CATALOGUE, SeriesProfile, compute_features
from hub.credit.values import Feature
from hub.domain.enums import MissingReason, Unit
from hub.domain.money import round_money, round_ratio
from tests.hub.credit.dossiers import dossier_of

LATER = {"rr_verified_revenue", "rr_debt_to_revenue", "rr_expected_loss_rate", "rr_risk_adjusted_margin"}
FOUR_PLACES = (Unit.RATIO, Unit.TIMES)
DEMO = Path(__file__).parents[3] / "connectors/sandbox/personas/online-tea-seller.json"


def shown(feature: Feature) -> Any:
    """The value as the expected format prints it."""
    if isinstance(feature.value, Decimal):
        return str((round_ratio if feature.unit in FOUR_PLACES else round_money)(feature.value))
    if feature.unit in (Unit.YUAN, Unit.RATIO) and isinstance(feature.value, int) and not isinstance(feature.value, bool):
        raise AssertionError(f"{feature.id} is an amount and came out as an int")
    return feature.value


@pytest.mark.parametrize(
    ("persona", "profile"),
    [
        ("online-seller", SeriesProfile("TRADE", names_shop=True)),
        ("small-manufacturer", SeriesProfile("TAX")),
        ("conflicting-data", SeriesProfile("TRADE", names_shop=True)),
    ],
)
def test_every_expected_feature_comes_out(shared: Path, persona: str, profile: SeriesProfile) -> None:
    expected = json.loads((shared / "golden" / "expected" / f"{persona}.json").read_text("utf-8"))["features"]
    features = compute_features(dossier_of(load(shared / "golden" / f"{persona}.json")), profile)
    got = {name: {"value": shown(one), "unit": one.unit.value, "missing_reason": one.missing} for name, one in features.items()}
    assert {name: got[name] for name in expected if name not in LATER} == {k: v for k, v in expected.items() if k not in LATER}


def test_the_catalogue_has_all_features_but_those_made_later() -> None:
    own = {name for name, entry in CATALOGUE.items() if entry.compute}
    assert len(own) == 86
    assert own.isdisjoint(LATER)
    families = {"rr": 9, "sc": 10, "ps": 12, "ss": 20, "cs": 10, "op": 15, "cb": 10}
    assert {family: sum(1 for name in own if name.startswith(family)) for family in families} == families


def test_every_formula_says_what_it_reads_and_how() -> None:
    silent = {"sc_open_order_cover", "ps_returned_payments", "cb_positive_rate", "cb_dispute_rate", "op_age"}
    assert {name for name, entry in CATALOGUE.items() if entry.compute and not entry.reads} <= silent
    assert all(entry.doc.endswith(".") for entry in CATALOGUE.values() if entry.compute)


def test_the_demo_persona() -> None:
    """NGMV 1,464,320 less what its file says is checked by hand: the seller of tea ware has the months of its file."""
    features = compute_features(dossier_of(load(DEMO)), SeriesProfile("TRADE", names_shop=True))
    unknown = {name: one.missing for name, one in features.items() if one.value is None}
    assert set(unknown.values()) <= {
        MissingReason.NOT_APPLICABLE,
        MissingReason.NOT_CONNECTED,
        MissingReason.INSUFFICIENT_COVERAGE,
    }
    assert features["ss_months_in_business"].value == 44
    assert features["ss_zero_months"].value == 0
    assert features["cb_orders_per_month"].number == features["cb_orders_per_month"].value
