"""What scenarios share of a dossier is what each would have found alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connectors.sandbox.persona import load
from hub.credit import policies
from hub.credit.crosscheck import observe, run_checks
from hub.credit.crosscheck.checks import SEEN_BY_CHECKS
from hub.credit.crosscheck.frame import Frame
from hub.credit.dossier import Dossier
from hub.credit.evaluate import Evaluation, Request, evaluate
from hub.credit.features import SeriesProfile, compute_features
from hub.credit.features.reading import Reading
from hub.credit.policy import Policy, load_policy
from tests.hub.credit.dossiers import dossier_of

SELLER = Path(__file__).parents[3] / "connectors/sandbox/personas/online-tea-seller.json"
RULES: list[Policy] = [load_policy(name) for name in policies.names()]


def told(made: Evaluation) -> tuple[Any, ...]:
    return made.outcome, made.reasons, made.gate, made.findings


def open_ones(rules: list[Policy]) -> list[Policy]:
    """Behind an open gate: as many scenarios as there are come to features and checks."""
    return [replace(one, sources=()) for one in rules]


def alone(dossier: Dossier, rules: list[Policy]) -> list[Any]:
    return [told(evaluate(replace(dossier), one, Request())) for one in rules]


def together(dossier: Dossier, rules: list[Policy]) -> list[Any]:
    shared, order = replace(dossier), list(rules)
    Random(7).shuffle(order)
    found = {one.id: told(evaluate(shared, one, Request())) for one in order}
    return [found[one.id] for one in rules]


def test_every_scenario_finds_what_it_would_have_found_alone() -> None:
    dossier, rules = dossier_of(load(SELLER)), open_ones(RULES)
    assert together(dossier, rules) == alone(dossier, rules)


def test_a_formula_that_hid_what_it_saw_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: were the sales series not among what a formula is seen to look at, scenarios would get each other's."""
    monkeypatch.setattr(Reading, "see", lambda self, name: self.shared.aspect(name))
    dossier, rules = dossier_of(load(SELLER)), open_ones(RULES)
    assert together(dossier, rules) != alone(dossier, rules)


class Watched(Mapping[str, Any]):
    def __init__(self, features: Mapping[str, Any]) -> None:
        self.features, self.seen = features, set[str]()

    def __getitem__(self, name: str) -> Any:
        self.seen.add(name)
        return self.features[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.features)

    def __len__(self) -> int:
        return len(self.features)


def test_checks_look_at_the_features_that_are_named() -> None:
    dossier = dossier_of(load(SELLER))
    watched = Watched(compute_features(dossier, SeriesProfile("TRADE", names_shop=True)))
    run_checks(dossier, watched, observe(dossier), Frame())
    assert watched.seen <= set(SEEN_BY_CHECKS) and len(watched.seen) > 1
