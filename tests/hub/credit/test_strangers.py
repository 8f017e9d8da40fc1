"""What holds for customers whom nobody thought of (:mod:`tests.personas.strangers`), in each scenario, whatever is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from connectors.sandbox.persona import Persona
from hub.credit import policies
from hub.credit.crosscheck import revenue
from hub.credit.dossier import Dossier
from hub.credit.evaluate import Request, evaluate
from hub.credit.expected import to_expected
from hub.credit.policy import load_policy
from hub.domain.enums import Outcome, SourceKind
from tests.hub.credit.dossiers import dossier_of
from tests.hub.credit.scenario_customers import customer
from tests.hub.credit.test_scenarios_properties import scaled
from tests.personas.strangers import Document, neighbour, stranger

GROUPS = {"INSUFFICIENT_DATA": "G", "INELIGIBLE": "EXCK", "REFER_MANUAL": "XECK", "BASE_ONLY": "XCK", "ENHANCED": "XCK"}
TOLD_OTHERWISE = {"reasons", "customer_reasons", "next_best_source"}


def found_in(dossier: Dossier, document: Document) -> dict[str, Any]:
    request = document["request"]
    amount = Decimal(request["amount"]) if "amount" in request else None
    return to_expected(evaluate(dossier, load_policy(document["scenario"]), Request(request["purpose"], amount)), document["id"])


def result(document: Document) -> dict[str, Any]:
    return found_in(dossier_of(Persona.model_validate(document)), document)


def limit_of(found: dict[str, Any]) -> Decimal:
    limit = found["limit"]
    return Decimal(limit["final_limit"]) if limit and limit["final_limit"] else Decimal(0)


def unanswered(found: dict[str, Any]) -> Iterator[str]:
    """What is no answer: an outcome without its reasons or with those of another one, a limit above a cap, or not in whole thousands."""
    json.dumps(found)
    outcome, limit, caps = Outcome(found["outcome"]), limit_of(found), found["limit"]["caps"].values() if found["limit"] else ()
    if len(found["reasons"]) > 4 or any(code[0] not in GROUPS[outcome] for code in found["reasons"]):
        yield f"{outcome} for {found['reasons']}"
    if outcome in (Outcome.INSUFFICIENT_DATA, Outcome.INELIGIBLE) and not found["reasons"]:
        yield f"{outcome} for nothing"
    if limit % 1000 or limit < 0 or any(cap is not None and limit > Decimal(cap) for cap in caps):
        yield f"a limit of {limit}"
    if (outcome in (Outcome.ENHANCED, Outcome.BASE_ONLY)) > (limit > 0):
        yield f"{outcome} and nothing is offered"


def told(found: dict[str, Any]) -> dict[str, Any]:
    """But for why and what next, and for the reasons of nulls."""
    plain: dict[str, Any] = json.loads(json.dumps({name: value for name, value in found.items() if name not in TOLD_OTHERWISE}))
    for one in (*(plain["features"] or {}).values(), *(plain["observers"] or {}).values()):
        if isinstance(one, dict):
            one.pop("missing_reason", None)
    return plain


def barred(document: Document, by: Random) -> Iterator[str]:
    """A source that may not be read is as if it were not there. But a shop whose consent is withdrawn is still a shop, to which D7 applies (domain brief, section 0)."""
    kind, consent = by.choice(sorted({*document["sources"]} - {"SHOP"})), by.choice(["NEVER", "REVOKED", "EXPIRED"])
    without, other = deepcopy(document), deepcopy(document)
    del without["sources"][kind]
    other["sources"][kind] |= {"consent": consent, "consent_changed_on": document["as_of"]}
    if told(result(other)) != told(result(without)):
        yield f"{kind}, {consent}, says something"


def disordered(dossier: Dossier, by: Random) -> Dossier:
    def shuffled(rows: Iterable[Any]) -> list[Any]:
        found = list(rows)
        by.shuffle(found)
        return found

    facts = {kind: tuple(shuffled(rows)) for kind, rows in shuffled(dossier.facts.items())}
    amounts = {series: dict(shuffled(months.items())) for series, months in shuffled(dossier.amounts.items())}
    return replace(dossier, facts=facts, amounts=amounts)


def wrong(document: Document) -> list[str]:
    """Every property that does not hold."""
    by, dossier = Random(document["id"]), dossier_of(Persona.model_validate(document))
    found = found_in(dossier, document)
    twice = result({**scaled(document, 2), "request": document["request"]})
    return [
        *unanswered(found),
        *barred(document, by),
        *([] if found_in(disordered(dossier, by), document) == found else ["the order of records says something"]),
        *([] if limit_of(twice) >= limit_of(found) else [f"twice the money makes {limit_of(twice)} of {limit_of(found)}"]),
    ]


def everybody(scenario: str, strangers: int, neighbours: int) -> Iterator[Document]:
    """Seeds go round the scenarios."""
    at = int(scenario[1:]) - 1
    yield from (stranger(at + 12 * turn) for turn in range(strangers))
    yield from (neighbour(at + 12 * turn) for turn in range(neighbours))


@pytest.mark.parametrize("scenario", policies.names())
def test_everybody_gets_an_answer_that_holds(scenario: str) -> None:
    assert {one["id"]: faults for one in everybody(scenario, 2, 3) if (faults := wrong(one))} == {}


@pytest.mark.load
@pytest.mark.parametrize("scenario", policies.names())
def test_many_do(scenario: str) -> None:
    assert {one["id"]: faults for one in everybody(scenario, 30, 30) if (faults := wrong(one))} == {}


@pytest.mark.load
@pytest.mark.parametrize("seed", range(60))
def test_and_so_they_do_in_scenarios_that_are_none_of_theirs(seed: int) -> None:
    document = stranger(seed)
    dossier = dossier_of(Persona.model_validate(document))
    assert [one for name in policies.names() for one in unanswered(found_in(dossier, {**document, "scenario": name}))] == []


def test_strangers_are_of_all_kinds() -> None:
    """The control: the same seed is the same customer, each source is barred for somebody in each way, and a neighbour is no golden one."""
    assert stranger(7) == stranger(7) != stranger(19) and neighbour(7) == neighbour(7)
    sources = [stranger(seed)["sources"] for seed in range(200)]
    for kind in SourceKind:
        assert {one[kind]["consent"] for one in sources if "consent" in one.get(kind, ())} == {"NEVER", "REVOKED", "EXPIRED"}


def test_what_does_not_hold_would_be_noticed() -> None:
    """The control of each property."""
    found = result({**customer("S06"), "request": {"purpose": "OPERATING"}})
    assert list(unanswered(found)) == [] and limit_of(found) > 0
    spoilt = {**found, "outcome": "INELIGIBLE"}, {**found, "reasons": ["G01"]}, {**found, "limit": None}
    assert [len(list(unanswered(one))) for one in spoilt] == [0 if found["reasons"] else 1, 1, 1]
    assert told(found) != told({**found, "tau": "0.0"})
    assert told(found) == told({**found, "reasons": [], "next_best_source": None})


def test_a_band_around_nothing_is_no_band(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lender may have configured ["0", "0"]: R5 cannot be computed, and everything else can."""
    document = {**customer("S06"), "request": {"purpose": "OPERATING"}}
    document["reference"] |= {"margin_bands": {"C33": ["0", "0"]}}
    found = result(document)
    assert (found["checks"]["R5"]["status"], found["outcome"]) == ("UNAVAILABLE", "ENHANCED")
    monkeypatch.setattr(revenue, "_band", lambda _: None)
    assert result(document)["checks"]["R5"]["status"] == "NOT_APPLICABLE", "the control"
