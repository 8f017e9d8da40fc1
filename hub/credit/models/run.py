"""All models for one evaluation: the external ones that the policy names are asked at the same time, the default formulas answer for the rest.

What an external model says goes into the engine before its hard rules and caps; what it says of an approval can only be stricter than they are. Where it does not
answer, the default formula does, the result says so, and an approval goes to a person (domain brief, 5.1 and 6).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from hub.credit.dossier import Dossier
from hub.credit.evaluate import Evaluation, Request, evaluate, find
from hub.credit.expressions import Known, Layers
from hub.credit.models import approval, behaviour, collection, monitoring
from hub.credit.models.declare import MODELS, Case, Given, Result, figures, output
from hub.credit.models.lender import NOBODY, Watch
from hub.credit.models.reach import Reach, unreachable
from hub.credit.models.score import Scored
from hub.credit.models.slot import Answered, ask, external_models
from hub.credit.models.triggers import Fired, looked
from hub.credit.policy import Policy
from hub.credit.products.catalogue import Product
from hub.credit.products.matching import Match, matches
from hub.credit.scenario.after import Hint, hints
from hub.credit.scenario.inputs import Material, known_inputs
from hub.domain.enums import MissingReason
from hub.domain.models import ModelSlot

DECLARING = (approval, behaviour, collection, monitoring)
"""Imported so that the register is whole."""
ORDER = (
    ModelSlot.SCORE,
    ModelSlot.APPROVAL,
    ModelSlot.POST_LOAN,
    ModelSlot.BEHAVIOUR_ANALYSIS,
    ModelSlot.COLLECTION,
    ModelSlot.BEHAVIOUR_MANAGEMENT,
)
"""A model sees the results of those before it."""


@dataclass(frozen=True, slots=True)
class Complete:
    """An evaluation, what the models say of it, what monitoring saw (None: nothing is watched), the hints, and how products fit (None: no catalogue is known)."""

    made: Evaluation
    results: tuple[Result, ...]
    fired: tuple[Fired, ...] | None
    hints: tuple[Hint, ...]
    products: tuple[Match, ...] | None = None


async def complete(
    dossier: Dossier,
    policy: Policy,
    request: Request,
    watch: Watch = NOBODY,
    reach: Reach = unreachable,
    subject: str = "",
    catalogue: Sequence[Product] | None = None,
) -> Complete:
    """See the module. ``subject`` is the opaque reference under which an external model knows the customer; ``catalogue`` what is offered: nothing is decided by it."""
    made = evaluate(dossier, policy, request)
    case = case_of(made, watch)
    answers = await _asked(case, reach, subject)
    if ModelSlot.SCORE in answers:
        made = evaluate(dossier, policy, request, _scored(answers[ModelSlot.SCORE]))
        case = case_of(made, watch)
    for slot in ORDER:
        result = _result(slot, case, answers.get(slot))
        case = replace(case, results={**case.results, slot: result})
    fired = None if monitoring.unwatched(case) else tuple(looked(case))
    fitting = None if catalogue is None else matches(made, catalogue)
    return Complete(made, tuple(case.results.values()), fired, hints(case), fitting)


def case_of(made: Evaluation, watch: Watch) -> Case:
    """What the models see. Behind a closed gate it is what can still be told."""
    found = made.findings or find(made.dossier, made.policy, made.request)
    material = Material(made.dossier, found.features, found.verdict, made.request.purpose, found.observers)
    names = Layers({name: Known.of(feature) for name, feature in found.features.items()}, known_inputs(material))
    return Case(made, found, names, watch)


async def score_of(made: Evaluation, reach: Reach = unreachable, subject: str = "") -> Scored | None:
    """What the external score model that the policy names says of an evaluation: of all models it alone has a part in the decision. Made with it, the evaluation is that
    of :func:`complete`. None: the policy names none, or nothing may be asserted."""
    if not asks_for_score(made.policy):
        return None
    answers = await _asked(case_of(made, NOBODY), reach, subject, (ModelSlot.SCORE,))
    return _scored(answers[ModelSlot.SCORE]) if answers else None


def asks_for_score(policy: Policy) -> bool:
    """The policy names an external score model."""
    return any(one.slot is ModelSlot.SCORE for one in external_models(policy.document))


async def _asked(case: Case, reach: Reach, subject: str, slots: Sequence[ModelSlot] = ORDER) -> Mapping[ModelSlot, Answered]:
    """The answers of the external models that there is something to ask about."""
    wanted = [one for one in external_models(case.made.policy.document) if one.slot in slots and _applies(one.slot, case)]
    answers: Sequence[Answered] = await asyncio.gather(*(reach(ask(one, case, subject)) for one in wanted))
    return {one.asked.external.slot: one for one in answers}


def _applies(slot: ModelSlot, case: Case) -> bool:
    """Nobody outside is asked about a customer of whom nothing may be asserted, or whose loans may not be watched."""
    if slot is ModelSlot.POST_LOAN:
        return monitoring.unwatched(case) is None
    if slot is ModelSlot.COLLECTION:
        return case.watch.monitoring and bool(case.watch.owed)
    return case.made.findings is not None


def _scored(answered: Answered) -> Scored:
    if answered.output is None:
        return Scored(None)
    given = answered.output.get("probabilityOfDefault")
    return Scored(answered.output["score"], None if given is None else Decimal(str(given)), answered.reasons)


def _result(slot: ModelSlot, case: Case, answered: Answered | None) -> Result:
    """By the default formula, then as far as an external model says otherwise."""
    result = MODELS[slot].result(case)
    if answered is None:
        return result
    external = answered.asked.external
    told = replace(result, wanted=external.model, request_sha256=answered.asked.sha256)
    if answered.output is None:
        stricter: Given = {"approval": _stricter(result, "REFER")} if slot is ModelSlot.APPROVAL else {}
        return replace(_with(told, stricter), fault=answered.fault)
    said = _with(told, _said(slot, result, answered.output))
    model_id, version = answered.model_id or external.model, answered.version
    return replace(
        said,
        kind=external.kind,
        model_id=model_id,
        version=version,
        reasons=answered.reasons,
        warnings=answered.warnings,
        answer=answered.raw,
    )


def _said(slot: ModelSlot, default: Result, given: Mapping[str, Any]) -> Given:
    """What follows from an answer: the hub's own levels and bounds are applied to it."""
    if slot is ModelSlot.SCORE:
        return {}
    if slot is ModelSlot.APPROVAL:
        return {"approval": _stricter(default, given["approval"])}
    values: dict[str, Any] = {name: Decimal(str(one)) if isinstance(one, int | float | Decimal) else one for name, one in given.items()}
    if slot is ModelSlot.POST_LOAN:
        level = monitoring.level_of(int(given["points"]))
        return {"points": int(given["points"]), "level": level, "action": figures()["level_actions"][level]}
    if "anomaly" in values:
        values["anomalous"] = abs(values["anomaly"]) >= Decimal(figures()["pattern"]["anomaly"])
    return values


def _stricter(default: Result, given: str) -> str | MissingReason:
    """Of the engine's decision and another one the stricter; where the engine has none there is none."""
    own = default["approval"]
    if own.missing or not isinstance(own.value, str):
        return own.missing or MissingReason.INSUFFICIENT_COVERAGE
    return max(own.value, given, key=approval.STRICTER.index)


def _with(result: Result, given: Given) -> Result:
    produces = {one.name: one for one in MODELS[result.slot].produces}
    outputs = tuple(output(produces[one.name], given[one.name]) if one.name in given else one for one in result.outputs)
    return replace(result, outputs=outputs)
