"""What scenarios share of a dossier is what each would have found alone."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connectors.sandbox.persona import load
from hub.consent.gate import GivenConsent
from hub.credit import policies
from hub.credit.crosscheck import observe, run_checks
from hub.credit.crosscheck.checks import SEEN_BY_CHECKS
from hub.credit.crosscheck.frame import Frame
from hub.credit.dossier import Dossier
from hub.credit.evaluate import Evaluation, Request, evaluate
from hub.credit.features import SeriesProfile, compute_features
from hub.credit.features.reading import Reading
from hub.credit.policy import Policy, load_policy
from hub.credit.scenario.inputs import Material, known_inputs
from hub.credit.sources import HeldConsent, Holdings, Use
from hub.domain.enums import ConsentStatus, SourceKind
from tests.hub.credit.dossiers import dossier_of

SELLER = Path(__file__).parents[3] / "connectors/sandbox/personas/online-tea-seller.json"
DAY, NOW = date(2026, 1, 20), datetime(2026, 1, 20, tzinfo=UTC)
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


def test_an_input_is_shared_if_it_looks_at_the_dossier_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: one that hid what else it looked at would be the first asker's for everybody."""
    made = evaluate(dossier_of(load(SELLER)), open_ones(RULES)[0], Request()).findings
    assert made is not None

    def purposes() -> tuple[Any, Any]:
        dossier = dossier_of(load(SELLER))
        one, other = (known_inputs(Material(dossier, made.features, made.verdict, of)) for of in ("OPERATING", "CONSUMPTION"))
        assert one["existing_balances"] is other["existing_balances"]
        return one["purpose"].value, other["purpose"].value

    assert purposes() == ("OPERATING", "CONSUMPTION")
    monkeypatch.setattr(Material, "purpose", property(lambda self: self._purpose))
    assert purposes() == ("OPERATING", "OPERATING")


def test_scenarios_with_other_consents_stand_on_their_own_ground() -> None:
    """What a consent names for one scenario alone is nothing to the others, in whichever order they are asked for."""
    given = GivenConsent(SourceKind.TAX, "bank", "CREDIT_APPROVAL", frozenset({"S01", "S02"}), ConsentStatus.ACTIVE, DAY, DAY, None)
    held, now = [HeldConsent(given, NOW)], Use("bank", "CREDIT_APPROVAL", None, DAY, NOW)
    shared = Holdings(held)
    for name in ("S01", "S03", "S02", None):
        use = replace(now, scenario=name)
        assert shared.standing(use) == Holdings(held).standing(use), name
    assert shared.standing(replace(now, scenario="S01")) is shared.standing(replace(now, scenario="S02"))
    assert not shared.allowing(replace(now, scenario="S03")) and shared.allowing(replace(now, scenario="S01"))


def test_a_dossier_is_gone_with_whoever_had_it() -> None:
    """Nothing that is derived from it leads back to it: thousands of them would wait for the collector of cycles, and it look through them."""
    kept = dossier_of(load(SELLER))

    def dossiers() -> int:
        return sum(isinstance(one, Dossier) for one in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = dossiers()
        together(kept, open_ones(RULES))
        assert dossiers() == before
        cycle = replace(kept)
        cycle.memo["self"] = cycle
        del cycle
        assert dossiers() == before + 1, "the control"
    finally:
        gc.enable()
