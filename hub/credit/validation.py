"""A policy is checked whole when it is loaded or published: what is refused names the place, what is wrong there, and the remedy."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from hub.credit import policies
from hub.credit.barred import barred_fault, price_faults, table_faults
from hub.credit.features import CATALOGUE
from hub.credit.models.slot import external_models
from hub.credit.models.slot import faults as model_faults
from hub.credit.probing import amount_fault, condition_fault, dead_conditions, exhaustive, kind_of, never_together
from hub.credit.scenario.cost import fee_faults
from hub.errors import PolicyInvalid

if TYPE_CHECKING:
    from hub.credit.policy import Policy

REVENUE = ("REQUIRED", "OPTIONAL", "NOT_APPLICABLE", "REPLACED")
SERIES = ("TRADE", "INVOICE", "TAX", "CASH", "NONE", None)
CAPS = ("PRODUCT", "REVENUE", "DEBT", "CAPACITY", "NEED", "REGULATORY")
REPAYMENTS = ("REVOLVING", "INTEREST_ONLY", "EQUAL_PRINCIPAL", "EQUAL_INSTALMENT", "BULLET", "SETTLEMENT_SHARE", "DAILY_SHARE")
GUARANTEES = (
    "UNSECURED", "REP_GUARANTEE", "CORE_GUARANTEE", "PUBLIC_GUARANTEE", "GUARANTEE_FUND", "CO_BORROWER", "INSURANCE_ASSIGNMENT",
    "RECEIVABLE_ASSIGNMENT",
)  # fmt: skip
ACTIONS = ("FREEZE_UNDRAWN", "REDUCE_UNDRAWN", "STOP_DRAWS", "REVIEW", "LOSE_SUBSIDY", "LOWER_CLASS")
MOST_UPLIFTS = 9
"""The number of an uplift is one digit."""
LONGEST_TERM = 360
"""Months: no product of the field runs longer, and what does is a slip of the pen."""

LADDER = ("RECOMPUTE_AT_REVIEW", "CANCEL_UNDRAWN_ENHANCEMENT")
Fault = tuple[str, str, str]
"""Where, what is wrong, and the remedy."""


def validate(policy: Policy) -> None:
    """Raises PolicyInvalid with the first fault of a policy, or of the engine's parameters it would be applied with."""
    for where, wrong, remedy in _engine_faults():
        raise PolicyInvalid(f"engine, {where}: {wrong}.", remedy=remedy)
    for where, wrong, remedy in faults(policy):
        raise PolicyInvalid(f"{policy.id}, {where}: {wrong}.", remedy=remedy)


@cache
def _engine_faults() -> tuple[Fault, ...]:
    return tuple(engine_faults(policies.document("engine")))


def engine_faults(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Every fault of the engine's exclusions, scorecard, bands and ladder."""
    codes = policies.document("reasons")["codes"]
    for number, one in enumerate(document["hard_exclusions"]):
        if fault := condition_fault(one["unless"]):
            yield f"hard_exclusions[{number}]", f"{one['unless']!r} {fault}", _remedy(fault)
        if one["code"] not in codes:
            yield f"hard_exclusions[{number}]", f"{one['code']!r} is not known", "Use a code of the reason catalogue."
    for one in document["score"]["characteristics"]:
        yield from _bins(one, f"characteristic {one['id']}")
    for name, check in document["checks"].items():
        if not Decimal(check["good"]) < Decimal(check["fair"]) < Decimal(check["poor"]) or Decimal(check["weight"]) <= 0:
            yield f"check {name}", "its bands do not rise, or it weighs nothing", "Correct the figures."
    yield from table_faults(document)
    for word in document["ladder"].values():
        if word not in (*ACTIONS, *LADDER):
            yield "ladder", f"{word!r} is not known", f"Known are {', '.join((*ACTIONS, *LADDER))}."


def _bins(one: Mapping[str, Any], where: str) -> Iterator[Fault]:
    """Each value falls into one bin, and each bin is the bin of some value."""
    if barred := barred_fault([one["feature"]]):
        yield where, barred, _remedy(barred)
        return
    if kind_of(one["feature"]) is None:
        yield where, f"nothing is called {one['feature']!r}", "Use a feature id of the catalogue or a documented input."
        return
    rows = [re.sub(r"\bx\b", one["feature"], condition) for condition, _ in one["bins"]]
    yield from ((where, dead, "Correct the bounds, or leave it out.") for dead in dead_conditions(rows))
    if not exhaustive(rows):
        yield where, "some values fall into no bin", "Add a bin, or widen one."


def faults(policy: Policy) -> Iterator[Fault]:
    """Every fault, in the order of the document."""
    yield from _frame(policy)
    yield from _words(policy)
    yield from _figures(policy)
    yield from _rules(policy)
    yield from _amounts(policy)
    yield from price_faults(policy.document)
    yield from fee_faults(policy)
    yield from _models(policy)


def _models(policy: Policy) -> Iterator[Fault]:
    """The models that answer instead of the default formulas."""
    remedy = "docs/operators.md has an example of each kind."
    try:
        named = external_models(policy.document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        yield "models", f"a model is incomplete, or has a wrong type or word, at {error}", remedy
        return
    for one in named:
        yield from ((f"models {one.slot}", wrong, remedy) for wrong in model_faults(one, frozenset(CATALOGUE)))


def _frame(policy: Policy) -> Iterator[Fault]:
    for frame in (policy.frame, policy.frame_of_persons):
        if frame.revenue not in REVENUE:
            yield "revenue_dimension", f"{frame.revenue!r} is not known to this engine", f"Use {', '.join(REVENUE)}."
    checks = policies.document("engine")["checks"]
    strange = [name for name in policy.frame.replaced_by if name not in checks or name[0] not in "FO"]
    if strange:
        yield "replaced_by", f"{strange[0]!r} is no check of farms or orders", "Use F1 and F2, or O1 and O2."
    if (policy.frame.revenue == "REPLACED") != bool(policy.frame.replaced_by):
        yield "replaced_by", "goes with a revenue_dimension that is REPLACED, and only with it", "Name the checks that form R, or none."


def _words(policy: Policy) -> Iterator[Fault]:
    """Words that the engine must know, and those that must not stand twice."""
    codes = policies.document("reasons")["codes"]
    named = [
        *(("sales_series", policy.sales_series, SERIES),),
        *(("caps", name, CAPS) for name in policy.caps),
        *(("without_caps", name, CAPS) for name in policy.without_caps),
        *(("repayment", name, REPAYMENTS) for name in policy.repayment),
        *(("guarantee", name, GUARANTEES) for name in policy.guarantee),
        *(("guarantee_when", name, policy.guarantee) for name in policy.guarantee_when),
        *((f"eligibility[{number}]", rule.code, codes) for number, rule in enumerate(policy.eligibility)),
        *((f"leg {leg.id}", leg.code, codes) for leg in policy.legs),
        *((f"downgrade[{number}]", step.action, ACTIONS) for number, step in enumerate(policy.downgrade)),
    ]
    yield from (
        (where, f"{word!r} is not known", f"Known are {', '.join(map(str, known))}.") for where, word, known in named if word not in known
    )
    kinds = Counter([need.kind for need in policy.sources if not need.alternatives] + list(policy.document.get("optional_sources", [])))
    twice = [("sources", str(kind)) for kind, count in kinds.items() if count > 1]
    twice += [("legs", name) for name, count in Counter(leg.id for leg in policy.legs).items() if count > 1]
    yield from ((where, f"{name} stands there twice", "Leave one of the two out.") for where, name in twice)


def _figures(policy: Policy) -> Iterator[Fault]:
    if not ((policy.legs or policy.advance) and policy.repayment and policy.guarantee and "PRODUCT" in policy.caps):
        yield "five elements", "a policy needs legs or an advance, a PRODUCT cap, a repayment and a guarantee", "Add what is missing."
    for uplift in policy.uplifts:
        if uplift.share <= 0 or not uplift.any:
            yield f"uplift {uplift.id}", "an uplift has a share above 0 and a condition", "Correct it, or leave it out."
    if len(policy.uplifts) > MOST_UPLIFTS:
        yield "uplifts", f"there are more than {MOST_UPLIFTS}", "Join some of them."
    if policy.uplift_ceiling < 0 or policy.term_bonus < 0:
        yield "uplift_ceiling and term", "neither is below 0", "Correct the figure."
    if policy.term_bonus + (int(policy.base_term) if policy.base_term.isdigit() else 1) > LONGEST_TERM:
        yield "term", f"it has more than {LONGEST_TERM} months", "Correct the figure."
    for number, step in enumerate(policy.downgrade):
        share = step.share
        if (step.action == "REDUCE_UNDRAWN") != (share is not None) or (share is not None and not 0 < share <= 1):
            yield f"downgrade[{number}]", "REDUCE_UNDRAWN, and nothing else, has a share above 0 and up to 1", "Correct the step."


def _rules(policy: Policy) -> Iterator[Fault]:
    conditions = [(f"eligibility[{number}]", rule.passes) for number, rule in enumerate(policy.eligibility)]
    conditions += [(f"eligibility[{number}] refer", rule.refer) for number, rule in enumerate(policy.eligibility) if rule.refer]
    conditions += [(f"uplift {uplift.id}", text) for uplift in policy.uplifts for text in uplift.any]
    conditions += [(f"guarantee_when {name}", text) for name, text in policy.guarantee_when.items()]
    conditions += [(f"downgrade[{number}]", step.when) for number, step in enumerate(policy.downgrade)]
    sound = True
    for where, text in conditions:
        if fault := condition_fault(text):
            sound = False
            yield where, f"{text!r} {fault}", _remedy(fault)
    for number, rule in enumerate(policy.eligibility if sound else ()):
        if rule.refer and never_together(rule.refer, rule.passes):
            yield (
                f"eligibility[{number}] refer",
                f"{rule.refer!r} never holds where the rule fails",
                "Correct the condition, or leave it out.",
            )


def _amounts(policy: Policy) -> Iterator[Fault]:
    amounts = [(f"leg {leg.id}", leg.amount) for leg in policy.legs]
    amounts += [("factor", policy.factor)] if policy.factor else []
    amounts += [("term", policy.base_term)]
    for where, text in amounts:
        if fault := amount_fault(text):
            yield where, f"{text!r} {fault}", _remedy(fault)
    for name, text in policy.caps.items():
        if fault := amount_fault(text, offered=True):
            yield f"cap {name}", f"{text!r} {fault}", _remedy(fault)


def _remedy(fault: str) -> str:
    if fault.endswith(")") and fault.startswith("names"):
        return "Leave it out; another input of the same business fact may be there."
    if fault.startswith("names"):
        return "Use a feature id of the catalogue or a documented input."
    if fault.startswith("asks for"):
        return "Use one of the words the name can be."
    if "row" in fault or "always" in fault:
        return "Correct the bounds, or leave it out."
    return "Correct the expression."
