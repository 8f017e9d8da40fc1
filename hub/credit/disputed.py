"""What is objected to is not used to the customer's disadvantage until it is answered (征信业管理条例 25; PIPL 24).

Where it would be, the evaluation is made without it, and a person decides. Nor does anybody get by objecting what he would not get otherwise: where the result would be
better without it, no limit is offered by the machine alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hub.credit.dossier import Dossier
from hub.credit.features.amounts import monthly_amounts
from hub.domain.enums import Outcome
from hub.domain.facts import Invoice, PaymentTransaction
from hub.domain.money import ZERO

if TYPE_CHECKING:
    from hub.credit.evaluate import Evaluation

IN_DISPUTE, PERSON_ASKED = "D01", "D02"
"""Reasons: a fact that would decide is in dispute; the customer objects to a decision by machine alone."""
MOST = 4
_BEST_FIRST = (Outcome.ENHANCED, Outcome.BASE_ONLY, Outcome.REFER_MANUAL, Outcome.INELIGIBLE, Outcome.INSUFFICIENT_DATA)


def undisputed(dossier: Dossier) -> Dossier:
    """The dossier without the facts that are objected to, as far as it holds them one by one."""
    others = {kind: rows for kind, rows in dossier.objections.others.items() if kind in dossier.facts}
    facts = {**dossier.facts, **others}
    before = monthly_amounts(dossier.of(Invoice), dossier.of(PaymentTransaction))
    sums = monthly_amounts(facts.get(Invoice, ()), facts.get(PaymentTransaction, ()))
    kept = {name: series for name, series in dossier.amounts.items() if name not in before}
    return replace(dossier, facts=facts, amounts={**kept, **sums})


def is_better(one: Evaluation, other: Evaluation) -> bool:
    """For the customer. Where nothing could be decided without a fact, a decline because of it is no better than that."""
    if (one.outcome, other.outcome) == (Outcome.INSUFFICIENT_DATA, Outcome.INELIGIBLE):
        return True
    return _rank(one) < _rank(other)


def _rank(made: Evaluation) -> tuple[Any, ...]:
    limit, price = (made.findings.limit, made.findings.price) if made.findings else (None, None)
    return _BEST_FIRST.index(made.outcome), -(limit.final_limit if limit else ZERO), price.rate if price else ZERO


def referred(made: Evaluation, code: str) -> Evaluation:
    """A person decides, and is told why before all else."""
    said = made.reasons
    codes, customer = (tuple(dict.fromkeys((code, *one)))[:MOST] for one in (said.codes, said.customer))
    return replace(made, outcome=Outcome.REFER_MANUAL, reasons=replace(said, codes=codes, customer=customer))
