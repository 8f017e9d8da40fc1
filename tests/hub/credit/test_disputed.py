"""What is in dispute is not used against the customer; what speaks for him is; and nobody gets a limit by objecting."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors.sandbox.persona import Persona
from hub.credit import evaluate as engine
from hub.credit.dossier import Dossier
from hub.credit.evaluate import Evaluation, Request, evaluate
from hub.credit.models.score import Scored
from hub.credit.objections import Objections
from hub.credit.policy import load_policy
from hub.domain.enums import Outcome
from hub.domain.facts import CreditInquiry, Invoice, TaxArrear
from tests.hub.credit.dossiers import dossier_of
from tests.hub.credit.scenario_customers import customer

POLICY = load_policy("S01")
ARREAR = TaxArrear(arrear_number="1", tax_kind="VAT", since=date(2025, 11, 16), amount=Decimal(900), late_fee=Decimal(0), cleared_on=None)


@pytest.fixture(scope="module")
def good() -> Dossier:
    """A manufacturer to whom S01 gives more."""
    return dossier_of(Persona.model_validate(customer("S01")))


def holding(good: Dossier, kind: type, *more: Any, **said: Any) -> Dossier:
    """With more facts of a kind, to all of which he objects."""
    facts = {**good.facts, kind: (*good.of(kind), *more)}
    return replace(good, facts=facts, objections=Objections(**{"others": {kind: good.of(kind)}, **said}))


def judged(found: Dossier, scored: Scored | None = None) -> Evaluation:
    return evaluate(found, POLICY, Request(), scored)


@pytest.mark.law("征信业管理条例 25: suspended")
def test_what_would_decline_is_left_out_and_a_person_decides(good: Dossier) -> None:
    disputed = holding(good, TaxArrear, ARREAR)
    assert judged(replace(disputed, objections=Objections())).reasons.codes == ("E06",), "control: it declines"
    found = judged(disputed)
    assert (found.outcome, found.reasons.codes) == (Outcome.REFER_MANUAL, ("D01", "C06"))
    assert (found.dossier.of(TaxArrear), found.reasons.customer[0]) == ((), "D01"), "no model sees it, and the customer is told"
    assert found.findings and found.findings.limit and found.findings.limit.final_limit == judged(good).findings.limit.final_limit  # type: ignore[union-attr]


@pytest.mark.law("征信业管理条例 25: suspended")
def test_it_is_these_lines_that_leave_it_out(good: Dossier, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: an engine that takes no notice of objections declines by what is in dispute."""
    monkeypatch.setattr(engine, "_settled", lambda made, scored: made)
    assert judged(holding(good, TaxArrear, ARREAR)).outcome is Outcome.INELIGIBLE


def test_what_costs_points_or_price_is_left_out_too(good: Dossier) -> None:
    """Nothing is declined by five look-ups; a grade is lost."""
    (one,) = good.of(CreditInquiry)
    lookups = [
        replace(one, inquired_on=date(2025, 12, 1 + number), organisation=str(number), reason="LOAN_APPROVAL") for number in range(5)
    ]
    disputed = holding(good, CreditInquiry, *lookups)
    before, after = judged(replace(disputed, objections=Objections())), judged(disputed)
    assert before.findings and after.findings
    assert before.findings.score.total < after.findings.score.total == judged(good).findings.score.total  # type: ignore[operator, union-attr]
    assert after.outcome in (before.outcome, Outcome.REFER_MANUAL)


def test_what_speaks_for_the_customer_stays(good: Dossier) -> None:
    """He objects to some invoices: without them he would get less."""
    left = good.of(Invoice)[: len(good.of(Invoice)) // 3]
    disputed = replace(good, objections=Objections({Invoice: left}))
    found, whole = judged(disputed), judged(good)
    assert (found.outcome, found.findings.limit.final_limit) == (whole.outcome, whole.findings.limit.final_limit)  # type: ignore[union-attr]
    assert len(found.dossier.of(Invoice)) == len(good.of(Invoice))


def test_sums_are_made_without_what_is_in_dispute(good: Dossier) -> None:
    assert engine.undisputed(replace(good, objections=Objections({Invoice: ()}))).amounts.get("IO", {}) == {}


@pytest.mark.law("PIPL 24: a person decides")
def test_an_objection_to_a_decision_sends_the_next_to_a_person(good: Dossier) -> None:
    """Of the scenario it is about; a decline by rules as well: it is a decision by machine alone like any other."""
    objected = replace(good, objections=Objections(decided=frozenset({"S01"})))
    assert (judged(objected).outcome, judged(objected).reasons.codes[0]) == (Outcome.REFER_MANUAL, "D02")
    declined = holding(good, TaxArrear, ARREAR, others={}, decided=frozenset({"S01"}))
    assert (judged(declined).outcome, judged(declined).reasons.codes) == (Outcome.REFER_MANUAL, ("D02", "E06"))
    assert judged(replace(good, objections=Objections(decided=frozenset({"S02"})))).outcome is Outcome.ENHANCED
    nothing = replace(objected, sources={}, facts={})
    assert judged(nothing).outcome is Outcome.INSUFFICIENT_DATA, "there is nothing to decide yet"


def test_of_what_is_summed_nobody_can_tell_so_a_person_decides(good: Dossier) -> None:
    found = judged(replace(good, objections=Objections(summed=frozenset({"Refund"}))))
    assert (found.outcome, found.reasons.codes[0]) == (Outcome.REFER_MANUAL, "D01")


def test_an_external_score_saw_what_is_in_dispute(good: Dossier) -> None:
    """It would be the same with and without; the scorecard says that it matters."""
    (one,) = good.of(CreditInquiry)
    disputed = holding(
        good,
        CreditInquiry,
        *[replace(one, inquired_on=date(2025, 12, 1 + number), organisation=str(number), reason="LOAN_APPROVAL") for number in range(5)],
    )
    assert judged(disputed, Scored(560)).outcome is Outcome.REFER_MANUAL
