"""A policy is checked whole when it is loaded or published: what is refused names the place, what is wrong there, and the remedy."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from hub.credit import policies
from hub.credit.barred import barred_fault, table_faults
from hub.credit.expressions import names_in, raw
from hub.credit.features import CATALOGUE
from hub.credit.models.slot import external_models
from hub.credit.models.slot import faults as model_faults
from hub.credit.parameters import parameters
from hub.credit.probing import amount_fault, condition_fault, dead_conditions, exhaustive, kind_of, never_together
from hub.credit.scenario.cost import fee_faults
from hub.credit.shape import ACTIONS, LONGEST_TERM, Fault, Path, written
from hub.errors import PolicyInvalid

if TYPE_CHECKING:
    from hub.credit.policy import Policy

MOST_UPLIFTS = 9
"""The number of an uplift is one digit."""
LADDER = ("RECOMPUTE_AT_REVIEW", "CANCEL_UNDRAWN_ENHANCEMENT")


def validate(policy: Policy) -> None:
    """Raises PolicyInvalid with the first fault of a policy, or of the engine's parameters it would be applied with."""
    refuse("engine", _engine_faults())
    refuse(policy.id, faults(policy))


def refuse(name: str, found: Iterable[Fault]) -> None:
    """Raises PolicyInvalid with the first fault, if there is one."""
    for path, wrong, remedy in found:
        raise PolicyInvalid(f"{name}, {written(path)}: {wrong}.", remedy=remedy)


@cache
def _engine_faults() -> tuple[Fault, ...]:
    return tuple(engine_faults(policies.document("engine")))


def engine_faults(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Every fault of the engine's exclusions, scorecard, bands and ladder."""
    codes = policies.document("reasons")["codes"]
    for number, one in enumerate(document["hard_exclusions"]):
        if fault := condition_fault(one["unless"]):
            yield ("hard_exclusions", number, "unless"), f"{one['unless']!r} {fault}", _remedy(fault)
        if one["code"] not in codes:
            yield ("hard_exclusions", number, "code"), f"{one['code']!r} is not known", "Use a code of the reason catalogue."
    for number, one in enumerate(document["score"]["characteristics"]):
        yield from _bins(one, ("score", "characteristics", number))
    for name, check in document["checks"].items():
        if not Decimal(check["good"]) < Decimal(check["fair"]) < Decimal(check["poor"]) or Decimal(check["weight"]) <= 0:
            yield ("checks", name), "its bands do not rise, or it weighs nothing", "Correct the figures."
    yield from table_faults(document)
    for tier, word in document["ladder"].items():
        if word not in (*ACTIONS, *LADDER):
            yield ("ladder", tier), f"{word!r} is not known", f"Known are {', '.join((*ACTIONS, *LADDER))}."


def _bins(one: Mapping[str, Any], where: Path) -> Iterator[Fault]:
    """Each value falls into one bin, and each bin is the bin of some value."""
    if barred := barred_fault([one["feature"]]):
        yield (*where, "feature"), barred, _remedy(barred)
        return
    if kind_of(one["feature"]) is None:
        yield (*where, "feature"), f"nothing is called {one['feature']!r}", "Use a feature id of the catalogue or a documented input."
        return
    rows = [re.sub(r"\bx\b", one["feature"], condition) for condition, _ in one["bins"]]
    yield from (((*where, "bins"), dead, "Correct the bounds, or leave it out.") for dead in dead_conditions(rows))
    if not exhaustive(rows):
        yield (*where, "bins"), "some values fall into no bin", "Add a bin, or widen one."


def faults(policy: Policy) -> Iterator[Fault]:
    """Every fault of a policy whose form is right (:mod:`hub.credit.shape`)."""
    yield from _frame(policy)
    yield from _sources(policy)
    yield from _words(policy)
    yield from _figures(policy)
    yield from _rules(policy)
    yield from _amounts(policy)
    yield from fee_faults(policy)
    yield from _models(policy)


def _models(policy: Policy) -> Iterator[Fault]:
    """The models that answer instead of the default formulas."""
    for one in external_models(policy.document):
        members = policy.document["models"][one.slot]
        for wrong in model_faults(one, frozenset(CATALOGUE)):
            # A fault begins with the member that it is of, where it is of one.
            member = re.match(r"\w*", wrong)
            inside = (member[0],) if member and member[0] in members else ()
            yield ("models", str(one.slot), *inside), wrong, "docs/operators.md has an example of each kind."


def _frame(policy: Policy) -> Iterator[Fault]:
    checks = policies.document("engine")["checks"]
    for number, name in enumerate(policy.frame.replaced_by):
        if name not in checks or name[0] not in "FO":
            yield ("replaced_by", number), f"{name!r} is no check of farms or orders", "Use F1 and F2, or O1 and O2."
    if (policy.frame.revenue == "REPLACED") != bool(policy.frame.replaced_by):
        where = "replaced_by" if "replaced_by" in policy.document else "revenue_dimension"
        yield (
            (where,),
            "replaced_by goes with a revenue_dimension that is REPLACED, and only with it",
            "Name the checks that form R, or none.",
        )


def _sources(policy: Policy) -> Iterator[Fault]:
    windows = parameters().minimum_months
    for number, need in enumerate(policy.sources):
        if need.months and not need.all and need.months not in windows:
            said = f"nobody has said how many of {need.months} months must be covered"
            yield ("sources", number, "months"), said, f'Use {", ".join(map(str, sorted(windows)))}, or add "all": true.'
    yield from _twice("sources", [None if need.alternatives else need.kind for need in policy.sources])
    named = [need.kind for need in policy.sources if not need.alternatives]
    optional = policy.document.get("optional_sources", [])
    yield from _twice("optional_sources", optional)
    for number, kind in enumerate(optional):
        if kind in named:
            yield ("optional_sources", number), f"{kind} is a source that it cannot do without, too", "Leave one of the two out."


def _twice(where: str, words: Sequence[str | None], member: tuple[str, ...] = ()) -> Iterator[Fault]:
    for number, word in enumerate(words):
        if word is not None and word in words[:number]:
            yield (where, number, *member), f"{word} stands there twice", "Leave one of the two out."


def _words(policy: Policy) -> Iterator[Fault]:
    """Words that the engine must know, and those that must not stand twice."""
    codes = policies.document("reasons")["codes"]
    named: list[tuple[Path, str, Collection[str]]] = [
        *((("guarantee_when", name), name, policy.guarantee) for name in policy.guarantee_when),
        *((("eligibility", number, "code"), rule.code, codes) for number, rule in enumerate(policy.eligibility)),
        *((("legs", number, "code"), leg.code, codes) for number, leg in enumerate(policy.legs)),
    ]
    yield from (
        (where, f"{word!r} is not known", f"Known are {', '.join(map(str, known))}.") for where, word, known in named if word not in known
    )
    yield from _twice("legs", [leg.id for leg in policy.legs], ("id",))
    yield from _twice("repayment", policy.repayment)
    yield from _twice("guarantee", policy.guarantee)


def _figures(policy: Policy) -> Iterator[Fault]:
    if not ((policy.legs or policy.advance) and policy.repayment and policy.guarantee and "PRODUCT" in policy.caps):
        yield (), "a policy needs legs or an advance, a PRODUCT cap, a repayment and a guarantee", "Add what is missing."
    for number, uplift in enumerate(policy.uplifts):
        if uplift.share <= 0 or not uplift.any:
            where = "any" if uplift.share > 0 else "share"
            yield ("uplifts", number, where), "an uplift has a share above 0 and a condition", "Correct it, or leave it out."
    if len(policy.uplifts) > MOST_UPLIFTS:
        yield ("uplifts", MOST_UPLIFTS), f"there are more than {MOST_UPLIFTS}", "Join some of them."
    if policy.term_bonus + (int(policy.base_term) if policy.base_term.isdigit() else 1) > LONGEST_TERM:
        yield ("term",), f"it has more than {LONGEST_TERM} months", "Correct the figure."
    for number, step in enumerate(policy.downgrade):
        share = step.share
        if (step.action == "REDUCE_UNDRAWN") != (share is not None) or share == 0:
            where = "action" if share is None else "share"
            yield ("downgrade", number, where), "REDUCE_UNDRAWN, and nothing else, has a share above 0 and up to 1", "Correct the step."


def _rules(policy: Policy) -> Iterator[Fault]:
    conditions: list[tuple[Path, str]] = [(("eligibility", number, "pass"), rule.passes) for number, rule in enumerate(policy.eligibility)]
    conditions += [(("eligibility", number, "refer"), rule.refer) for number, rule in enumerate(policy.eligibility) if rule.refer]
    conditions += [(("uplifts", number, "any", at), text) for number, one in enumerate(policy.uplifts) for at, text in enumerate(one.any)]
    conditions += [(("guarantee_when", name), text) for name, text in policy.guarantee_when.items()]
    conditions += [(("downgrade", number, "when"), step.when) for number, step in enumerate(policy.downgrade)]
    sound = True
    for where, text in conditions:
        if fault := condition_fault(text):
            sound = False
            yield where, f"{text!r} {fault}", _remedy(fault)
    for number, rule in enumerate(policy.eligibility if sound else ()):
        if rule.refer and never_together(rule.refer, rule.passes):
            said = f"{rule.refer!r} never holds where the rule fails"
            yield ("eligibility", number, "refer"), said, "Correct the condition, or leave it out."


def _amounts(policy: Policy) -> Iterator[Fault]:
    amounts: list[tuple[Path, str]] = [(("legs", number, "amount"), leg.amount) for number, leg in enumerate(policy.legs)]
    amounts += [(("factor",), policy.factor)] if policy.factor else []
    amounts += [(("term", "base"), policy.base_term)]
    amounts += [(("caps", name), text) for name, text in policy.caps.items()]
    for where, text in amounts:
        if fault := amount_fault(text, offered=where[0] == "caps"):
            yield where, f"{text!r} {fault}", _remedy(fault)
        elif not names_in(text) and raw(text, {}) <= 0:
            yield where, f"{text!r} is not above 0", "Correct the figure."


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
